import type { ControllerProgress } from '../../workflows/api';
import type { IdleQueue } from '../../temporal/task-queues';
import type { Style } from '../render/style';
import { renderTable, type Column } from '../render/table';
import { printable } from '../render/text';
import { formatBytes, formatCount, formatElapsed, formatRate } from '../render/units';
import type { ActivityProgress, BatchProgress } from './batch-progress';

export interface ProgressFrame {
  readonly pipeline: string;
  readonly batch: string;
  readonly elapsedMs: number;
  readonly progress: BatchProgress;
  readonly idle: readonly IdleQueue[];
}

const COLUMNS: readonly Column[] = [
  { title: 'table' },
  { title: 'phase' },
  { title: 'rows', align: 'right' },
  { title: 'of about', align: 'right' },
  { title: 'rate', align: 'right' },
  { title: 'size', align: 'right' },
  { title: 'note', flexible: true },
];

/** What the terminal shows while a batch runs: one headline, one line per table, what is amiss. */
export function progressLines(
  { pipeline, batch, elapsedMs, progress, idle }: ProgressFrame,
  now: Date,
  width: number,
  style: Style,
): string[] {
  const { controller, step, tables } = progress;
  const state = controller === undefined ? 'waiting for a worker' : stateOf(controller);
  const headline = `${pipeline} ${batch}  ${state}  ${formatElapsed(elapsedMs)}`;
  const rows = tables.map(({ table, activity }) => row(table, activity, now));
  const hidden = (controller?.running.length ?? 0) - tables.length;
  const lines = [
    style.bold(printable(headline)),
    ...(rows.length === 0
      ? []
      : renderTable(COLUMNS, rows, { width: width - 2, style }).map(indent)),
    ...(hidden > 0 && rows.length > 0 ? [style.dim(`  and ${hidden} more`)] : []),
  ];
  const trouble = step?.lastFailure;
  if (trouble !== undefined) {
    const text = `attempt ${step?.attempt} after: ${trouble}`;
    lines.push(style.yellow(printable(`  ${text}`)));
  }
  return [...lines, ...idle.map((queue) => style.yellow(idleHint(queue)))];
}

/** Nothing happens without a worker; says which and how to start it. */
export function idleHint({ role, taskQueue }: IdleQueue): string {
  return `no worker polls the task queue ${taskQueue}: start one with "npm start -- --roles ${role}" (or "npm start" for all roles)`;
}

function stateOf(progress: ControllerProgress): string {
  const { phase, toLoad, loaded, failed, alreadyRunning, paused, skipped } = progress;
  if (phase === 'planning') return 'planning';
  const parts = [
    `${formatCount(loaded)} of ${formatCount(toLoad)} loaded`,
    ...(failed > 0 ? [`${formatCount(failed)} failed`] : []),
    ...(alreadyRunning > 0 ? [`${formatCount(alreadyRunning)} already running`] : []),
    ...(paused.length > 0 ? [`${formatCount(paused.length)} paused`] : []),
    ...(skipped > 0 ? [`${formatCount(skipped)} unchanged`] : []),
  ];
  return `${phase}  ${parts.join(', ')}`;
}

function row(table: string, activity: ActivityProgress | undefined, now: Date): string[] {
  if (activity === undefined) return [table, 'starting'];
  const { attempt, load, startedAt, lastFailure } = activity;
  const notes = [
    ...(load?.waitingFor === undefined ? [] : [`for ${load.waitingFor}`]),
    ...(lastFailure === undefined ? [] : [`attempt ${attempt} after: ${lastFailure}`]),
  ];
  const note = notes.join('; ');
  if (startedAt === undefined) return [table, 'waiting', '', '', '', '', note];
  if (load === undefined) return [table, 'connecting', '', '', '', '', note];
  const rate = formatRate(load.rows, now.getTime() - startedAt.getTime());
  return [
    table,
    load.phase,
    formatCount(load.rows),
    formatCount(load.rowsExpected),
    load.phase === 'reading' ? rate : '',
    formatBytes(load.bytes),
    note,
  ];
}

function indent(line: string): string {
  return `  ${line}`;
}
