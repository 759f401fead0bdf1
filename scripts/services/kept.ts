import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { runningContainers, stopProject } from './docker';
import { stopProcess } from './process';
import { commandLineOf } from './process-table';
import type { RunningService, ServiceName, StopRecord } from './service';

/** A service that outlives the process that started it, as the state file has it. */
export interface KeptService {
  readonly name: ServiceName;
  /** What clients need: host, port, user, … */
  readonly facts: Readonly<Record<string, unknown>>;
  readonly record: StopRecord;
}

/** Where kept services are written down unless the caller says otherwise. */
export const defaultStateFile = resolve(__dirname, '../../.comporta/services.json');

/** What a client needs to know about a service, as plain data. */
export function factsOf(service: RunningService): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(service).filter(
      ([, value]) => value !== undefined && typeof value !== 'function',
    ),
  );
}

/** The services written down in the state file; none if there is no such file. */
export async function readKept(stateFile: string): Promise<KeptService[]> {
  if (!existsSync(stateFile)) return [];
  return JSON.parse(await readFile(stateFile, 'utf8')) as KeptService[];
}

/** Replaces the state file in one step; it is closed to other users, as it holds passwords. */
export async function writeKept(stateFile: string, services: readonly KeptService[]) {
  if (services.length === 0) {
    await rm(stateFile, { force: true });
    return;
  }
  await mkdir(dirname(stateFile), { recursive: true });
  const unfinished = `${stateFile}.${process.pid}`;
  await writeFile(unfinished, `${JSON.stringify(services, undefined, 2)}\n`, { mode: 0o600 });
  await rename(unfinished, stateFile);
}

/** Whether a kept service still runs. */
export async function isRunning(record: StopRecord): Promise<boolean> {
  switch (record.kind) {
    case 'process':
      return commandLineOf(record.pid) === record.commandLine;
    case 'compose':
      return (await runningContainers(record.project)).length > 0;
  }
}

/** Stops a kept service and removes what was meant to go with it. */
export async function stopKept(record: StopRecord): Promise<void> {
  if (record.kind === 'compose') {
    await stopProject(record.project);
    return;
  }
  if (await isRunning(record)) await stopProcess(record.pid, record.stopSignal);
  if (record.disposableDirectory !== undefined)
    await rm(record.disposableDirectory, { recursive: true, force: true });
}
