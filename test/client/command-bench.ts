import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandContext, Output } from '../../src/client/context';
import { runProgram } from '../../src/client/program';
import type { Destination } from '../../src/destinations/destination';
import { ComportaError } from '../../src/errors';
import type { History, HistoryEvent } from '../../src/history/history';
import { loadProject } from '../../src/pipeline/load';
import type { Notifier } from '../../src/notify/notice';
import type { Source } from '../../src/sources/source';
import { inlineEngine } from '../support/inline-engine';
import { fakeSource, ID_COLUMN, type FakeTable } from '../support/fake-source';
import { createMemoryHistory } from '../support/memory-history';

export const CONNECTIONS = `
connections:
  shop: { type: mysql, host: db.example, user: loader, database: shop }
  lake: { type: file, path: ./lake }
`;

export const SALES = `
pipeline: sales
source: { connection: shop }
destination: { connection: lake }
`;

export interface BenchOptions {
  /** File name to YAML text. Default: one pipeline, sales. */
  readonly files?: Readonly<Record<string, string>>;
  /** Tables of the source. Default: orders and customers. */
  readonly tables?: readonly string[];
  readonly history?: History;
  readonly source?: Partial<Source>;
  readonly destination?: Partial<Destination>;
  /** The channels of every pipeline. */
  readonly notifiers?: Readonly<Record<string, Notifier>>;
  readonly checkPlatform?: CommandContext['resources']['checkPlatform'];
  readonly openClient?: CommandContext['openClient'];
  readonly environment?: NodeJS.ProcessEnv;
  /** Standard output and error are a terminal of this width. Default: pipes. */
  readonly columns?: number;
  /** Ctrl-C, when the test says so. */
  readonly interrupt?: AbortSignal;
  /** Default: always the same moment. */
  readonly now?: () => Date;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a test of a command works with: a folder, and servers that are made of memory. */
export interface Bench {
  readonly directory: string;
  readonly history: History;
  readonly tables: Map<string, FakeTable>;
  /** Runs a command line in this folder. */
  readonly run: (...commandLine: string[]) => Promise<Ran>;
}

export async function withBench(
  options: BenchOptions,
  body: (bench: Bench) => Promise<void>,
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'comporta-client-'));
  const files = options.files ?? { 'connections.yaml': CONNECTIONS, 'sales.yaml': SALES };
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);

  const history = options.history ?? createMemoryHistory();
  const tables = new Map(
    (options.tables ?? ['orders', 'customers']).map((id): [string, FakeTable] => [
      id,
      { ids: [1n], columns: [ID_COLUMN], token: 'a' },
    ]),
  );
  const source: Source = { ...fakeSource(tables), ...options.source };
  const run = async (...commandLine: string[]): Promise<Ran> => {
    const stdout = captured(options.columns);
    const stderr = captured(options.columns);
    const code = await runProgram(
      {
        stdout,
        stderr,
        environment: { COMPORTA_PIPELINES: directory, NO_COLOR: '1', ...options.environment },
        loadProject: (folder) => loadProject(folder, { environment: {} }),
        resources: {
          source: () => source,
          destination: () => ({ ...DESTINATION, ...options.destination }),
          places: () => undefined,
          history: () => Promise.resolve(history),
          notifiers: () => new Map(Object.entries(options.notifiers ?? {})),
          engine: () => inlineEngine({ source, staging: DESTINATION }),
          checkPlatform: options.checkPlatform ?? (() => assert.fail('no platform is named')),
          ephemeralClusters: () => assert.fail('commands make no clusters'),
          close: () => Promise.resolve(),
        },
        openClient: options.openClient ?? noTemporal,
        now: options.now ?? (() => new Date('2026-11-21T03:00:00.123Z')),
        interruption: () => ({
          signal: options.interrupt ?? new AbortController().signal,
          dispose: () => undefined,
        }),
      },
      commandLine,
    );
    return { code, stdout: stdout.text(), stderr: stderr.text() };
  };
  try {
    await body({ directory, history, tables, run });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function captured(columns: number | undefined): Output & { text(): string } {
  let text = '';
  return {
    write: (more) => void (text += more),
    text: () => text,
    isTerminal: columns !== undefined,
    columns,
  };
}

function noTemporal(): Promise<never> {
  return Promise.reject(new ComportaError('ConnectionFailed', 'Temporal at x:7233 is not there'));
}

/** All that commands ask of a destination; anything else would throw. */
const DESTINATION = {
  description: 'file:/lake',
  check: () => Promise.resolve([]),
} as Partial<Destination> as Destination;

/** A successful load of a table of `sales`, as the history keeps it. */
export function succeeded(table: string, more: Partial<HistoryEvent> = {}): HistoryEvent {
  return {
    id: `SUCCEEDED/${table}/${more.batch ?? 'b1'}`,
    kind: 'SUCCEEDED',
    recordedAt: '2026-11-20T03:00:02.000Z',
    pipeline: 'sales',
    table,
    batch: 'b1',
    run: 'run-1',
    mode: 'full',
    engine: 'embedded',
    verdict: 'unknown',
    reason: 'no successful load yet',
    rowsRead: 1234,
    rowsPublished: 1234,
    bytes: 45_600,
    endedAt: '2026-11-20T03:00:02.000Z',
    durationMs: 1_500,
    attempts: 1,
    ...more,
  };
}

/** A failed load of a table of `sales`. */
export function failed(table: string, more: Partial<HistoryEvent> = {}): HistoryEvent {
  return {
    id: `FAILED/${table}/${more.batch ?? 'b2'}`,
    kind: 'FAILED',
    recordedAt: '2026-11-21T02:00:00.000Z',
    pipeline: 'sales',
    table,
    batch: 'b2',
    run: 'run-2',
    verdict: 'changed',
    reason: 'token: version a → b',
    errorCode: 'PermissionDenied',
    error: `sales / ${table}: no right to read — GRANT SELECT ON ${table} TO loader`,
    ...more,
  };
}
