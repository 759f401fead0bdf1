import { createCommands, type Commands, type TriggerDocument } from './commands';
import { deviations, rowDeviations } from './expectations';
import { readLake, type LakeTable } from './lake';
import type { Progress } from './progress';
import { changeTwoTables, type TableChange } from './sample/changes';
import { financeTables, seedFinance } from './sample/seed-finance';
import { salesTables, seedSales } from './sample/seed-sales';
import type { Screen } from './screen';
import type { DemoServers } from './servers';
import { countFinance, countSales, type RowCounts } from './source-counts';
import { startWorker, type DemoWorker } from './worker';
import type { Workspace } from './workspace';

/** What a demo showed, for programs. */
export interface DemoReport {
  readonly rows: number;
  readonly tables: number;
  readonly firstRun: readonly TriggerDocument[];
  readonly changes: readonly TableChange[];
  readonly secondRun: readonly TriggerDocument[];
  /** Every table as DuckDB reads it from the lake. */
  readonly inLake: readonly LakeTable[];
  /** Where it was not what it promises. Empty if all is well. */
  readonly deviations: readonly string[];
}

const pipelines = ['sales', 'finance'] as const;

const allTables = {
  sales: salesTables.map(({ name }) => name),
  finance: financeTables.map(({ name }) => `public.${name}`),
};

/**
 * The whole story on servers that run: fill the databases, load everything, change two tables,
 * load those two.
 */
export async function tellStory(
  workspace: Workspace,
  servers: DemoServers,
  progress: Progress,
  screen: Screen,
): Promise<{ readonly report: DemoReport; readonly worker: DemoWorker }> {
  const { sales, finance } = servers;
  progress.step('filling the databases, starting the worker');
  const [worker] = await Promise.all([
    startWorker(workspace, servers.environment),
    seedSales(sales),
    seedFinance(finance),
  ]);
  const commands = createCommands({ ...process.env, ...servers.environment });

  progress.step('first run: nothing is in the lake yet, so everything loads');
  const firstRun = await runBoth(commands, screen);

  const changes = await changeTwoTables(sales, finance);
  progress.step('changed two tables');
  screen.changes(changes);

  progress.step('the plan of the second run');
  for (const pipeline of pipelines) screen.plan(await commands.plan(pipeline));

  progress.step('second run: what changed, and nothing else');
  const secondRun = await runBoth(commands, screen);

  progress.step('the history, and the lake against the databases');
  screen.history(await commands.history());
  const source = await rowsAtSource(servers);
  const inLake = await readLake(workspace.lake);
  screen.rows(source, inLake);

  const report: DemoReport = {
    rows: [...source.values()].reduce((sum, rows) => sum + rows, 0),
    tables: source.size,
    firstRun,
    changes,
    secondRun,
    inLake,
    deviations: [
      ...firstRun.flatMap((document) =>
        deviations(document, { loaded: tablesOf(document), unchanged: [] }),
      ),
      ...secondRun.flatMap((document) => {
        const isChanged = (table: string) => changes.some((change) => change.table === table);
        return deviations(document, {
          loaded: tablesOf(document).filter(isChanged),
          unchanged: tablesOf(document).filter((table) => !isChanged(table)),
        });
      }),
      ...rowDeviations(source, inLake),
    ],
  };
  return { report, worker };
}

async function runBoth(commands: Commands, screen: Screen): Promise<TriggerDocument[]> {
  const documents: TriggerDocument[] = [];
  for (const pipeline of pipelines) {
    const startedAt = Date.now();
    const document = await commands.trigger(pipeline);
    screen.outcome(document, Date.now() - startedAt);
    documents.push(document);
  }
  return documents;
}

function tablesOf({ pipeline }: TriggerDocument): readonly string[] {
  return pipeline === 'sales' ? allTables.sales : allTables.finance;
}

/** By the names that the tables have in the lake. */
async function rowsAtSource({ sales, finance }: DemoServers): Promise<RowCounts> {
  const [ofSales, ofFinance] = await Promise.all([countSales(sales), countFinance(finance)]);
  return new Map([
    ...[...ofSales].map(([table, rows]) => [`sales.${table}`, rows] as const),
    ...[...ofFinance].map(([table, rows]) => [`finance.${table}`, rows] as const),
  ]);
}
