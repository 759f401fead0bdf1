import type { Output } from '../../src/client/context';
import { planLines } from '../../src/client/commands/plan';
import { styleFor, type Style } from '../../src/client/render/style';
import { renderTable, type Cell } from '../../src/client/render/table';
import { formatBytes, formatCount, formatElapsed, formatTime } from '../../src/client/render/units';
import type { PipelineState } from '../../src/client/render/history-lines';
import { outcomeLines } from '../../src/client/trigger/outcome-lines';
import { writeLines } from '../../src/client/write';
import type { HistoryEvent } from '../../src/history/history';
import type { Plan } from '../../src/plan/plan';
import type { TriggerDocument } from './commands';
import type { LakeTable } from './lake';
import type { TableChange } from './sample/changes';
import type { RowCounts } from './source-counts';

/** What a demo shows, on standard output; each piece is followed by an empty line. */
export interface Screen {
  /** What loaded or failed; of the rest only the number. */
  outcome(document: TriggerDocument, elapsedMs: number): void;
  plan(plan: Plan): void;
  changes(changes: readonly TableChange[]): void;
  /** Where each table stands. Why, has been said already. */
  history(states: readonly PipelineState[]): void;
  rows(source: RowCounts, lake: readonly LakeTable[]): void;
}

export function createScreen(output: Output, environment: NodeJS.ProcessEnv): Screen {
  const style = styleFor(output, environment);
  const width = output.columns;
  const show = (lines: readonly string[]) => writeLines(output, [...lines, '']);
  return {
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
    history: (states) =>
      show(
        renderTable(
          [
            { title: 'pipeline' },
            { title: 'table' },
            { title: 'last load (UTC)' },
            { title: 'rows', align: 'right' },
            { title: 'size', align: 'right' },
            { title: 'took', align: 'right' },
            { title: 'last batch' },
          ],
          states.map(({ pipeline, table, lastSuccess, last }) => [
            pipeline,
            table,
            formatTime(lastSuccess?.endedAt),
            formatCount(lastSuccess?.rowsPublished),
            formatBytes(lastSuccess?.bytes),
            formatElapsed(lastSuccess?.durationMs),
            lastBatch(last, style),
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
  };
}

function lastBatch(last: HistoryEvent | undefined, style: Style): Cell {
  switch (last?.kind) {
    case 'SUCCEEDED':
      return { text: 'loaded', paint: style.green };
    case 'SKIPPED':
      return { text: 'unchanged', paint: style.dim };
    case 'FAILED':
    case 'STARTED':
    case 'RESET':
      return { text: last.kind.toLowerCase(), paint: style.red };
    case undefined:
      return '';
  }
}

/** Shows nothing. */
export const darkScreen: Screen = {
  outcome: () => undefined,
  plan: () => undefined,
  changes: () => undefined,
  rows: () => undefined,
  history: () => undefined,
};
