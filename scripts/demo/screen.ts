import type { Output } from '../../src/client/context';
import { planLines } from '../../src/client/commands/plan';
import { styleFor } from '../../src/client/render/style';
import { renderTable } from '../../src/client/render/table';
import { formatCount } from '../../src/client/render/units';
import { outcomeLines } from '../../src/client/trigger/outcome-lines';
import { writeLines } from '../../src/client/write';
import type { Plan } from '../../src/plan/plan';
import type { TriggerDocument } from './commands';
import type { LakeTable } from './lake';
import type { TableChange } from './sample/changes';
import type { RowCounts } from './source-counts';

/** What a demo shows, on standard output; each piece is followed by an empty line. */
export interface Screen extends Pick<Output, 'isTerminal' | 'columns'> {
  /** What loaded or failed; of the rest only the number. */
  outcome(document: TriggerDocument, elapsedMs: number): void;
  plan(plan: Plan): void;
  changes(changes: readonly TableChange[]): void;
  rows(source: RowCounts, lake: readonly LakeTable[]): void;
  text(text: string): void;
}

export function createScreen(output: Output, environment: NodeJS.ProcessEnv): Screen {
  const style = styleFor(output, environment);
  const width = output.columns;
  const show = (lines: readonly string[]) => writeLines(output, [...lines, '']);
  return {
    isTerminal: output.isTerminal,
    columns: output.columns,
    outcome: ({ summary, outcomes }, elapsedMs) =>
      show(
        outcomeLines(
          summary,
          new Map(
            outcomes.filter(({ kind }) => kind !== 'SKIPPED').map((event) => [event.table, event]),
          ),
          elapsedMs,
          width,
          style,
        ),
      ),
    plan: (plan) => show(planLines(plan, width, style)),
    changes: (changes) =>
      show(
        renderTable(
          [
            { title: 'pipeline' },
            { title: 'table' },
            { title: 'inserted', align: 'right' },
            { title: 'updated', align: 'right' },
            { title: 'deleted', align: 'right' },
          ],
          changes.map(({ pipeline, table, inserted, updated, deleted }) => [
            pipeline,
            table,
            formatCount(inserted),
            formatCount(updated),
            formatCount(deleted),
          ]),
          { width, style },
        ),
      ),
    rows: (source, lake) =>
      show(
        renderTable(
          [
            { title: 'view' },
            { title: 'rows at the source', align: 'right' },
            { title: 'rows in the lake', align: 'right' },
          ],
          lake.map(({ view, rows }) => [
            view,
            formatCount(source.get(view)),
            { text: formatCount(rows), paint: source.get(view) === rows ? style.green : style.red },
          ]),
          { width, style },
        ),
      ),
    text: (text) => show([text.trimEnd()]),
  };
}

/** Shows nothing. */
export const darkScreen: Screen = {
  isTerminal: false,
  columns: undefined,
  outcome: () => undefined,
  plan: () => undefined,
  changes: () => undefined,
  rows: () => undefined,
  text: () => undefined,
};
