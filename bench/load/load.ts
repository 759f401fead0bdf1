import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { compile } from './compile';
import { contenders, type Contender } from './contenders';
import {
  databaseNames,
  ensureLoaded,
  startDatabase,
  type BenchDatabase,
  type DatabaseName,
} from './databases';
import { duckdbExtension, ensurePeers } from './peers';
import { roundReport } from './report';
import { writeSection } from './results';
import { playRound, type Figure } from './round';
import { ensureSourceData } from './source-data';
import { benchTableNames, benchTables, type BenchTableName } from './tables';

export interface LoadOptions {
  readonly databases: readonly DatabaseName[];
  readonly tables: readonly BenchTableName[];
  /** Parts of contenders' names; none: all of them. */
  readonly contenders: readonly string[];
  readonly scale: number;
  readonly repeats: number;
  readonly zstdLevel: number;
  readonly timeoutSeconds: number;
  /** The report that is brought up to date; undefined: none. */
  readonly output?: string;
  readonly progress: (line: string) => void;
}

/** The figures of one table on one database. */
export interface LoadResult {
  readonly database: string;
  readonly table: BenchTableName;
  readonly rows: number;
  readonly scale: number;
  readonly loadAverage: readonly [number, number];
  readonly figures: readonly Figure[];
}

/**
 * Whole tables to Parquet, by Comporta and by its peers: each in a process of its own, taking
 * turns. One database runs at a time.
 * @param shown gets each table's report when it is there.
 */
export async function benchLoad(
  options: LoadOptions,
  shown: (report: string, result: LoadResult) => void,
): Promise<void> {
  const { progress } = options;
  const chosen = chooseContenders(options.contenders);
  const environment = await ensurePeers('peers', progress);
  progress('compiling Comporta');
  const compiled = compile();
  for (const name of options.databases) {
    const database = await startDatabase(name, progress);
    try {
      for (const table of options.tables)
        await benchTable(database, table, options, chosen, { compiled, environment }, shown);
    } finally {
      await database.service.stop();
    }
  }
}

async function benchTable(
  database: BenchDatabase,
  table: BenchTableName,
  options: LoadOptions,
  chosen: readonly Contender[],
  tools: {
    readonly compiled: (file: string) => string;
    readonly environment: Awaited<ReturnType<typeof ensurePeers>>;
  },
  shown: (report: string, result: LoadResult) => void,
): Promise<void> {
  const { progress, scale, repeats, zstdLevel, timeoutSeconds, output } = options;
  const { compiled, environment } = tools;
  const tpch = await duckdbExtension(environment, 'tpch');
  const data = await ensureSourceData(benchTables[table], scale, tpch, progress);
  const scanner = await duckdbExtension(environment, 'postgres_scanner');
  await ensureLoaded(database, data, scanner, progress);
  const round = await playRound(database, data, {
    contenders: chosen,
    repeats,
    timeoutSeconds,
    zstdLevel,
    python: environment.python,
    preparation: { compiled, progress },
  });
  const report = roundReport(
    { database, data, scale, repeats, zstdLevel, commit: commitOfTree() },
    round,
  );
  if (output !== undefined) writeSection(output, sectionOf(database.name, table), report);
  shown(report, {
    database: database.version,
    table,
    rows: data.rows,
    scale,
    loadAverage: round.load,
    figures: round.figures,
  });
}

/** Sorts as the databases and tables are listed. */
function sectionOf(database: DatabaseName, table: BenchTableName): string {
  return `1 load ${databaseNames.indexOf(database)}.${benchTableNames.indexOf(table)} ${database} ${table}`;
}

function chooseContenders(parts: readonly string[]): readonly Contender[] {
  if (parts.length === 0) return contenders;
  const wanted = parts.map((part) => part.toLowerCase());
  const chosen = contenders.filter(({ name }) =>
    wanted.some((part) => name.toLowerCase().includes(part)),
  );
  if (chosen.length > 0) return chosen;
  const known = contenders.map(({ name }) => name).join(', ');
  throw new Error(`no contender's name has ${parts.join(' or ')} in it; there are ${known}`);
}

/** The commit that is measured, with a plus where the tree has changes. */
export function commitOfTree(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: join(__dirname, '../..'), encoding: 'utf8' }).trim();
  try {
    const changed = git('status', '--porcelain', '--', 'src') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? '+' : ''}`;
  } catch {
    return 'of an unknown commit';
  }
}
