/**
 * `npm run lab:spark`: pipelines/slmandic.yaml on this machine, with a real MySQL, a real Spark behind
 * Dataproc's own protocol, and stand-ins for Google's storage, BigQuery and Secret Manager.
 */
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { Command } from 'commander';
import { createProgress } from '../../scripts/demo/progress';
import { obtainTemporal } from '../../scripts/demo/temporal';
import { startWorker } from '../../scripts/demo/worker';
import { workspaceAt, writeEnvironmentFile } from '../../scripts/demo/workspace';
import { startMysql } from '../../scripts/services/mysql';
import { SLMANDIC_FILE, startSlmandicServers } from '../support/slmandic-servers';
import { fillSample } from './sample';

const FOLDER = resolve(__dirname, '../../.comporta/lab');

/** Each is a Spark of its own, with some 600 MB. */
const JOBS_AT_ONCE = '2';

const report = (text: string) => void process.stderr.write(text);

async function lab(): Promise<void> {
  const progress = createProgress(report, Date.now);
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(FOLDER, { recursive: true });
  const workspace = workspaceAt(FOLDER);
  /** What was started, to be stopped in the opposite order. */
  const stops: (() => Promise<void>)[] = [];
  try {
    progress.step('starting MySQL and Temporal');
    const note = (line: string) => progress.note(line);
    const mysql = await startMysql({ progress: note });
    stops.push(() => mysql.stop());
    const temporal = await obtainTemporal(workspace, progress, { own: true });
    stops.push(async () => temporal.service?.stop());
    await fillSample(mysql);

    progress.step('starting the storage, BigQuery, Secret Manager and Dataproc');
    const servers = await startSlmandicServers({ source: mysql, folder: FOLDER, progress: note });
    stops.push(() => servers.close());
    const environment = {
      ...temporal.environment,
      ...servers.environment,
      COMPORTA_PIPELINES: SLMANDIC_FILE,
    };
    await writeEnvironmentFile(workspace, environment);

    progress.step('starting a worker');
    const flags = ['--roles', 'control,dataproc', '--max-loads', JOBS_AT_ONCE];
    const worker = await startWorker(workspace, environment, flags);
    stops.push(() => worker.stop());

    const client = `mysql -h ${mysql.host} -P ${mysql.port} -u ${mysql.user} -p${mysql.password} ${mysql.database}`;
    const lines = [
      ['Web UI', temporal.uiUrl ?? ''],
      ['MySQL', client],
      ['lake', `${servers.gcs.endpoint}, bucket ${servers.gcs.bucket}`],
      ['its files', servers.lake],
      ['BigQuery', servers.bigquery.endpoint],
      ['Dataproc', servers.dataproc.url],
      ['jobs print', join(relative('', FOLDER), 'driver-output')],
      ['worker log', relative('', workspace.workerLog)],
    ].map(([name = '', value = '']) => `${name.padEnd(12)}${value}`);
    process.stdout.write(
      [
        '',
        ...lines,
        '',
        'In another shell:',
        `  source ${relative('', workspace.environmentFile)}`,
        '  npm run plan -- slmandic',
        '  npm run trigger -- slmandic --wait      one Spark job per table, two at a time',
        '  npm run history -- slmandic',
        '',
        'Running until Ctrl-C.',
        '',
      ].join('\n'),
    );
    // Before this, Ctrl-C ends the process, and with it what was started.
    await Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((name) => once(process, name)));
  } finally {
    progress.step('stopping what was started');
    for (const stop of stops.toReversed()) await stop();
  }
}

new Command('lab:spark')
  .description(
    'Run pipelines/slmandic.yaml on this machine: real MySQL, real Spark, local stand-ins for ' +
      "Google's services. Everything stops on Ctrl-C.",
  )
  .action(lab)
  .parseAsync()
  .catch((error: unknown) => {
    report(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  });
