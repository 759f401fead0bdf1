import { DEFAULT_ZSTD_LEVEL } from '../../src/pipeline/defaults';
import { commitOfTree } from './commit';
import { compile } from './compile';
import { contenders, type Contender } from './contenders';
import { databaseNames, startDatabase, type BenchDatabase, type DatabaseName } from './databases';
import { loaded } from './loaded';
import { ensurePeers } from './peers';
import { roundReport } from './report';
import { writeSection } from './results';
import { measureStartup, playRound, type Figure, type Round, type RoundOptions } from './round';
import type { SourceData } from './source-data';
import { benchTableNames, benchTables, nothing, type BenchTableName } from './tables';

export interface LoadOptions {
  readonly databases: readonly DatabaseName[];
  readonly tables: readonly BenchTableName[];
  /** Parts of contenders' names; none: all of them. */
  readonly contenders: readonly string[];
  readonly scale: number;
  readonly repeats: number;
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
  const { progress, repeats, timeoutSeconds } = options;
  const chosen = chooseContenders(options.contenders);
  const peers = await ensurePeers('peers', progress);
  progress('compiling Comporta');
  const compiled = compile();
  for (const name of options.databases) {
    const database = await startDatabase(name, progress);
    const rounds: Omit<RoundOptions, 'startup'> = {
      contenders: chosen,
      repeats,
      timeoutSeconds,
      zstdLevel: DEFAULT_ZSTD_LEVEL,
      python: peers.python,
      preparation: { compiled, progress },
    };
    try {
      const empty = await loaded(nothing, options.scale, database, peers, progress);
      const startup = await measureStartup(database, empty, rounds);
      for (const table of options.tables) {
        const data = await loaded(benchTables[table], options.scale, database, peers, progress);
        const round = await playRound(database, data, { ...rounds, startup });
        publish(table, { database, data }, round, options, shown);
      }
    } finally {
      await database.service.stop();
    }
  }
}

function publish(
  table: BenchTableName,
  { database, data }: { readonly database: BenchDatabase; readonly data: SourceData },
  round: Round,
  { scale, repeats, output }: LoadOptions,
  shown: (report: string, result: LoadResult) => void,
): void {
  const facts = {
    database,
    data,
    scale,
    repeats,
    zstdLevel: DEFAULT_ZSTD_LEVEL,
    commit: commitOfTree(),
  };
  const report = roundReport(facts, round);
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
