import { join } from 'node:path';
import { findExecutable } from './command';
import { ensureJars } from './maven';
import { ensurePython } from './python';
import { ToolUnavailableError } from './service';

/** A Spark on this machine, with what Comporta's job needs of Python and of Java. */
export interface SparkInstallation {
  /** Path of `spark-submit`. */
  readonly submit: string;
  /** The interpreter that has PySpark. */
  readonly python: string;
  /** Paths of the JDBC drivers, with what these depend on. */
  readonly jars: readonly string[];
}

/**
 * PySpark is one with Spark itself. pandas, PyArrow and NumPy are what `mapInArrow` runs on, boto3 is
 * what the job asks AWS Secrets Manager with.
 */
export const SPARK_PACKAGES = [
  'pyspark==3.5.5',
  'pandas==2.2.3',
  'pyarrow==18.1.0',
  'numpy==2.1.3',
  'boto3==1.44.5',
] as const;

export const JDBC_JARS = [
  'com.mysql:mysql-connector-j:9.4.0',
  'org.postgresql:postgresql:42.7.7',
] as const;

/** Installs what is missing of Spark. Throws ToolUnavailableError where it cannot run. */
export async function ensureSpark(
  progress: (line: string) => void = () => undefined,
): Promise<SparkInstallation> {
  if (findExecutable('java') === undefined) {
    throw new ToolUnavailableError('Java is missing, without which there is no Spark.');
  }
  const { python, directory } = await ensurePython('spark', SPARK_PACKAGES, progress);
  return {
    submit: join(directory, 'bin/spark-submit'),
    python,
    jars: await ensureJars(JDBC_JARS, progress),
  };
}

/** Spark's way to `gs://…`, which Dataproc's machines have and PySpark has not. */
const GCS_CONNECTOR = 'com.google.cloud.bigdataoss:gcs-connector:hadoop3-2.2.26:shaded';

/** @returns path of the archive. */
export async function ensureGcsConnector(
  progress: (line: string) => void = () => undefined,
): Promise<string> {
  const [jar] = await ensureJars([GCS_CONNECTOR], progress);
  return jar!;
}

/** A small job starts in half the time without the second compiler and with the simplest collector. */
export const FAST_JAVA = '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xshare:auto';
