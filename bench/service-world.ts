import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Client, Connection } from '@temporalio/client';
import { startMariadb } from '../scripts/services/mariadb';
import type { NativeDatabaseService } from '../scripts/services/service';
import { startTemporal } from '../scripts/services/temporal';

const ROOT = join(__dirname, '..');

const CONNECTIONS = `
connections:
  source: { type: mysql, host: 127.0.0.1, port: env:BENCH_PORT, user: env:BENCH_USER, password: env:BENCH_PASSWORD, database: bench }
  lake: { type: file, path: ../lake }
`;

/** Servers and a project with one pipeline, `bench`, of the database `bench`. */
export interface ServiceWorld {
  readonly database: NativeDatabaseService;
  readonly temporal: Awaited<ReturnType<typeof startTemporal>>;
  readonly pipelines: string;
  readonly environment: NodeJS.ProcessEnv;
}

/** Lends a world to `work` and takes all of it away afterwards. */
export async function withServiceWorld<Result>(
  pipeline: string,
  work: (world: ServiceWorld) => Promise<Result>,
): Promise<Result> {
  const root = await mkdtemp(join(tmpdir(), 'comporta-bench-'));
  const pipelines = join(root, 'pipelines');
  await mkdir(pipelines);
  await writeFile(join(pipelines, 'connections.yaml'), CONNECTIONS);
  await writeFile(join(pipelines, 'bench.yaml'), pipeline);
  const database = await startMariadb();
  const temporal = await startTemporal({ headless: true });
  const environment = {
    ...process.env,
    BENCH_PORT: String(database.port),
    BENCH_USER: database.user,
    BENCH_PASSWORD: database.password,
    TEMPORAL_ADDRESS: temporal.address,
  };
  try {
    return await work({ database, temporal, pipelines, environment });
  } finally {
    await temporal.stop();
    await database.stop();
    await rm(root, { recursive: true, force: true });
  }
}

/** Runs a worker of the world's pipeline while `work` lasts. */
export async function withWorker<Result>(
  { temporal, pipelines, environment }: ServiceWorld,
  work: (client: Client, worker: ChildProcess) => Promise<Result>,
): Promise<Result> {
  const worker = await startCompiledWorker(pipelines, environment);
  try {
    const connection = await Connection.connect({ address: temporal.address });
    const result = await work(new Client({ connection }), worker);
    await connection.close();
    return result;
  } finally {
    worker.kill('SIGTERM');
    await once(worker, 'exit');
  }
}

/**
 * Starts a worker as it is deployed and resolves when it is ready: compiled, because from source it
 * would bundle the workflows at start, which takes more memory than everything it does after that.
 */
async function startCompiledWorker(
  pipelines: string,
  environment: NodeJS.ProcessEnv,
): Promise<ChildProcess> {
  execFileSync(process.execPath, [join(ROOT, 'scripts/run.mjs'), 'build'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const worker = spawn(
    process.execPath,
    [join(ROOT, 'dist/src/worker/main.js'), '--pipelines', pipelines],
    { env: environment, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  for await (const line of createInterface({ input: worker.stderr })) {
    if (line.includes('"ready"')) {
      worker.stderr.resume();
      return worker;
    }
  }
  throw new Error('the worker ended before it was ready');
}
