import { ensureGcsConnector, ensureSpark, FAST_JAVA } from '../../../scripts/services/spark';
import type { BookOptions } from './job-book';

/**
 * Runs jobs by the real spark-submit of this machine, with what they find of secrets.
 * @param storage URL of the server whose buckets are `gs://…`. Default: there are none.
 */
export async function sparkCommand(
  environment: Readonly<Record<string, string>>,
  storage?: string,
): Promise<BookOptions['run']> {
  const { submit, python, jars } = await ensureSpark();
  const connector = storage === undefined ? [] : gcsOptions(await ensureGcsConnector(), storage);
  return (script, args) => ({
    command: submit,
    args: [
      ...['--master', 'local[2]', '--jars', jars.join(','), '--conf', 'spark.ui.enabled=false'],
      ...connector,
      ...['--driver-java-options', FAST_JAVA, script, ...args],
    ],
    env: { ...environment, PYSPARK_PYTHON: python },
  });
}

/** As Dataproc's machines are set up, but for the address of the storage and its credentials. */
function gcsOptions(connector: string, storage: string): string[] {
  const settings = {
    'fs.gs.impl': 'com.google.cloud.hadoop.fs.gcs.GoogleHadoopFileSystem',
    'fs.AbstractFileSystem.gs.impl': 'com.google.cloud.hadoop.fs.gcs.GoogleHadoopFS',
    'fs.gs.storage.root.url': `${storage}/`,
    'fs.gs.auth.service.account.enable': 'false',
    'fs.gs.auth.null.enable': 'true',
  };
  // spark-submit itself fetches the script: --jars would come too late for it.
  return [
    ...['--driver-class-path', connector],
    ...Object.entries(settings).flatMap(([key, value]) => [
      '--conf',
      `spark.hadoop.${key}=${value}`,
    ]),
  ];
}
