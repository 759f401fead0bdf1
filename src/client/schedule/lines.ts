import type { Paint, Style } from '../render/style';
import { renderTable, type Cell, type Column, type TableLayout } from '../render/table';
import { printable } from '../render/text';
import { formatTime } from '../render/units';
import type { ApplyResult } from './apply';
import type { ListedSchedule } from './list';

/** What `apply` did, one line per schedule. */
export function applicationLines({ applied, orphans }: ApplyResult, style: Style): string[] {
  const lines = [
    ...applied.map((application) => {
      switch (application.change) {
        case 'created':
          return `${application.pipeline}: ${style.green('created')}`;
        case 'unchanged':
          return `${application.pipeline}: ${style.dim('unchanged')}`;
        case 'updated': {
          const differences = printable(application.differences.join('; '));
          return `${application.pipeline}: ${style.yellow('updated')} (${differences})`;
        }
      }
    }),
    ...orphans.map(({ pipeline, deleted }) =>
      deleted
        ? `${printable(pipeline)}: ${style.red('deleted')}, as no file asks for it`
        : `${printable(pipeline)}: ${style.yellow('left alone')}: no file in this folder asks for it (delete it with --prune)`,
    ),
  ];
  return lines.length === 0 ? ['no pipeline file has a schedule'] : lines;
}

const COLUMNS: readonly Column[] = [
  { title: 'pipeline' },
  { title: 'state' },
  { title: 'cron' },
  { title: 'time zone' },
  { title: 'next (UTC)' },
  { title: 'last (UTC)' },
  { title: 'note', flexible: true },
];

export function listLines(schedules: readonly ListedSchedule[], layout: TableLayout): string[] {
  if (schedules.length === 0) return ['no schedules, neither in the files nor in Temporal'];
  const { style } = layout;
  const paints: Readonly<Record<ListedSchedule['state'], Paint>> = {
    active: style.green,
    paused: style.yellow,
    'not applied': style.yellow,
    orphan: style.red,
  };
  const rows = schedules.map((schedule): Cell[] => [
    schedule.pipeline,
    { text: schedule.state, paint: paints[schedule.state] },
    schedule.cron,
    schedule.timeZone ?? '',
    formatTime(schedule.next),
    formatTime(schedule.last),
    noteOf(schedule),
  ]);
  return renderTable(COLUMNS, rows, layout);
}

function noteOf(schedule: ListedSchedule): string {
  const { differences, skippedByOverlap = 0, missedCatchUp = 0 } = schedule;
  return [
    ...(schedule.note === undefined ? [] : [schedule.note]),
    ...(differences.length === 0 ? [] : [`differs from the file: ${differences.join('; ')}`]),
    ...(skippedByOverlap === 0 ? [] : [`${skippedByOverlap} skipped while the one before ran`]),
    ...(missedCatchUp === 0 ? [] : [`${missedCatchUp} missed beyond the catch-up window`]),
  ].join('; ');
}
