import { join } from 'node:path';
import { ensureSpark } from '../../scripts/services/spark';
import { DEFAULT_SETTINGS } from '../../src/pipeline/defaults';
import { parseSize } from '../../src/pipeline/size';
import type { DatabaseName } from './databases';
import type { Job } from './job';
import { ensurePeers, ingestrProgram, slingProgram, type PeerGroup } from './peers';
import { databaseClient, ownClientCommand } from './own-client';

/** What a contender needs to know beside its job. */
export interface Preparation {
  /** Path of the compiled form of a file of this folder. */
  readonly compiled: (file: string) => string;
  readonly progress: (line: string) => void;
}

/** A command line, for one job in one file. */
export type CommandFor = (job: Job, jobFile: string) => readonly string[];

export interface Contender {
  readonly name: string;
  readonly databases: readonly DatabaseName[];
  /**
   * `us`; `peer`: does the same work; `bound`: what a part of the work costs, with no answer to
   * check (`discard`) or no database involved (`encode`).
   */
  readonly kind: 'us' | 'peer' | 'discard' | 'encode';
  readonly group?: PeerGroup;
  /** Names of the tables that it is for. Undefined: all. */
  readonly tables?: readonly string[];
  /** Whether its process can move the table again and again; see {@link Job.again}. */
  readonly again: boolean;
  /** Installs what it needs. */
  prepare(preparation: Preparation, database: DatabaseName): Promise<CommandFor>;
  readonly options?: Readonly<Record<string, unknown>>;
}

const EVERYWHERE: readonly DatabaseName[] = ['mariadb', 'mysql', 'postgres'];
const MYSQL_FAMILY: readonly DatabaseName[] = ['mariadb', 'mysql'];
const SCRIPTS = join(__dirname, 'peers');

function node(
  name: string,
  file: string,
  rest: Pick<Contender, 'kind' | 'databases' | 'tables' | 'options'>,
): Contender {
  return {
    name,
    again: true,
    ...rest,
    prepare: ({ compiled }) =>
      Promise.resolve((_job, jobFile) => [process.execPath, compiled(file), jobFile]),
  };
}

function python(
  name: string,
  script: string,
  rest: Pick<Contender, 'databases' | 'options'> & Partial<Pick<Contender, 'kind'>>,
): Contender {
  return {
    name,
    kind: 'peer',
    group: 'peers',
    again: true,
    ...rest,
    prepare: async ({ progress }) => {
      const { python: interpreter } = await ensurePeers('peers', progress);
      return (_job, jobFile) => [interpreter, join(SCRIPTS, script), jobFile];
    },
  };
}

const spark: Contender = {
  name: 'Spark JDBC',
  kind: 'peer',
  group: 'spark',
  again: false,
  databases: EVERYWHERE,
  prepare: async ({ progress }) => {
    const { python: interpreter, jars } = await ensureSpark(progress);
    return (_job, jobFile) => [
      interpreter,
      join(SCRIPTS, 'spark_contender.py'),
      jobFile,
      jars.join(','),
    ];
  },
};

const ingestr: Contender = {
  name: 'ingestr',
  kind: 'peer',
  group: 'ingestr',
  again: false,
  databases: EVERYWHERE,
  prepare: async ({ progress }) => {
    const program = ingestrProgram(await ensurePeers('ingestr', progress));
    return (job) => [
      program,
      'ingest',
      '--yes',
      '--progress=log',
      `--source-uri=${address(job.family === 'mysql' ? 'mysql' : 'postgresql', job)}`,
      `--source-table=${job.family === 'mysql' ? job.database : 'public'}.${job.table}`,
      `--dest-uri=parquet://${join(job.output, 'part.parquet')}`,
      `--dest-table=lake.${job.table}`,
    ];
  },
};

const sling: Contender = {
  name: 'Sling',
  kind: 'peer',
  group: 'sling',
  again: false,
  databases: EVERYWHERE,
  prepare: async ({ progress }) => {
    const program = await slingProgram(await ensurePeers('sling', progress));
    return (job) => [
      'env',
      // Else it fetches a DuckDB from the web to write Parquet with.
      'SLING_DUCKDB_COMPUTE=false',
      program,
      'run',
      `--src-conn=${address(job.family === 'mysql' ? 'mysql' : 'postgresql', job)}${job.family === 'mysql' ? '' : '?sslmode=disable'}`,
      `--src-stream=${job.family === 'mysql' ? job.database : 'public'}.${job.table}`,
      `--tgt-object=file://${join(job.output, 'part.parquet')}`,
      `--tgt-options={"format": "parquet", "compression": "zstd"}`,
    ];
  },
};

const ownClient: Contender = {
  name: 'own client > /dev/null',
  kind: 'discard',
  again: false,
  databases: EVERYWHERE,
  prepare: async ({ progress }, database) => {
    const client = await databaseClient(database, progress);
    return (job) => ownClientCommand(client, job);
  },
};

function address(scheme: string, { user, password, host, port, database }: Job): string {
  return `${scheme}://${user}:${password}@${host}:${port}/${database}`;
}

export const contenders: readonly Contender[] = [
  node('Comporta', 'comporta-contender.js', { kind: 'us', databases: EVERYWHERE }),
  node('Comporta, in chunks', 'comporta-contender.js', {
    kind: 'us',
    databases: EVERYWHERE,
    // The one table that is large enough for the service to divide it.
    tables: ['lineitem'],
    options: { chunks: parseSize(DEFAULT_SETTINGS.chunkSize) },
  }),
  python('ConnectorX → pyarrow', 'connectorx_contender.py', { databases: EVERYWHERE }),
  python('DuckDB scanner', 'duckdb_contender.py', { databases: EVERYWHERE }),
  python('DuckDB scanner, 1 thread', 'duckdb_contender.py', {
    databases: EVERYWHERE,
    options: { threads: 1 },
  }),
  python('ADBC → pyarrow', 'adbc_contender.py', { databases: ['postgres'] }),
  python('dlt, connectorx', 'dlt_contender.py', {
    databases: EVERYWHERE,
    options: { backend: 'connectorx' },
  }),
  python('dlt, pyarrow', 'dlt_contender.py', {
    databases: EVERYWHERE,
    options: { backend: 'pyarrow' },
  }),
  ingestr,
  sling,
  spark,
  node('floor: text protocol', 'floor-contender.js', {
    kind: 'discard',
    databases: MYSQL_FAMILY,
    options: { protocol: 'text' },
  }),
  node('floor: binary protocol', 'floor-contender.js', {
    kind: 'discard',
    databases: MYSQL_FAMILY,
    options: { protocol: 'binary' },
  }),
  node('floor: COPY binary', 'floor-contender.js', { kind: 'discard', databases: ['postgres'] }),
  ownClient,
  python("DuckDB's own table", 'duckdb_own.py', { kind: 'encode', databases: EVERYWHERE }),
];
