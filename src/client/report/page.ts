import { formatBytes, formatCount, formatElapsed, formatTime } from '../render/units';
import { bars, escaped, sparkline } from './plots';
import type { FailureReport, PipelineReport, Report, TableReport } from './report';

export interface PageOptions {
  /** The page of a workflow's run in the Web UI, where its address is known. */
  readonly linkTo: (workflowId: string, runId: string | undefined) => string | undefined;
}

/** One page that needs nothing but itself: no script, no font, no image from elsewhere. */
export function reportPage(report: Report, options: PageOptions): string {
  const failures = report.pipelines.flatMap(({ pipeline, tables }) =>
    tables.flatMap(({ table, failure }) =>
      failure === undefined ? [] : [{ pipeline, table, failure }],
    ),
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Comporta report, ${formatTime(report.generatedAt)} UTC</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>Comporta</h1>
<p>As of ${formatTime(report.generatedAt)} UTC, with the loads of the last ${report.days} days.</p>
</header>
<main>
${overview(report)}
${failures.length === 0 ? '' : failureSection(failures, options)}
${report.pipelines.map((pipeline) => pipelineSection(pipeline, report.generatedAt)).join('\n')}
</main>
</body>
</html>
`;
}

function overview({ pipelines, generatedAt }: Report): string {
  const rows = pipelines.map(({ pipeline, tables, daily }) => {
    const count = (status: TableReport['status']) =>
      tables.filter((table) => table.status === status).length;
    const failed = count('failed');
    const oldest = tables.map(({ verifiedAt }) => verifiedAt ?? '').sort()[0];
    const loads = daily.reduce((sum, day) => sum + day.loads, 0);
    const moved = daily.reduce((sum, day) => sum + day.rows, 0);
    return [
      `<a href="#${anchor(pipeline)}">${escaped(pipeline)}</a>`,
      formatCount(tables.length),
      failed === 0 ? '0' : `<strong class="bad">${formatCount(failed)} failed</strong>`,
      oldest === undefined ? '' : oldest === '' ? 'never' : age(oldest, generatedAt),
      formatCount(loads),
      formatCount(moved),
    ];
  });
  return `<section><h2>Pipelines</h2>${table(
    ['pipeline', '# tables', '# failed', '# oldest table', '# loads', '# rows read'],
    rows,
  )}</section>`;
}

function failureSection(
  failures: readonly { pipeline: string; table: string; failure: FailureReport }[],
  { linkTo }: PageOptions,
): string {
  const rows = failures.map(({ pipeline, table: name, failure }) => {
    const { workflowId, workflowRunId, code, error, at } = failure;
    const link = workflowId === undefined ? undefined : linkTo(workflowId, workflowRunId);
    return [
      escaped(pipeline),
      escaped(name),
      `<span class="bad">${escaped(code)}</span>`,
      escaped(error),
      `<time>${formatTime(at)}</time>`,
      link === undefined ? '' : `<a href="${escaped(link)}">Web UI</a>`,
    ];
  });
  return `<section><h2>Failed</h2>${table(
    ['pipeline', 'table', 'code', 'cause', 'at (UTC)', ''],
    rows,
  )}</section>`;
}

function pipelineSection({ pipeline, tables, daily }: PipelineReport, now: string): string {
  const perDay = (title: string, value: (day: (typeof daily)[number]) => number, format: Format) =>
    bars(
      daily.map((day) => ({ label: day.day, value: value(day) })),
      title,
      format,
    );
  const rows = tables.map((each) => [
    escaped(each.table),
    statusCell(each),
    each.verifiedAt === undefined ? 'never' : age(each.verifiedAt, now),
    formatCount(each.rows),
    formatBytes(each.bytes),
    formatElapsed(each.durationMs),
    sparkline(
      each.loads.map((load) => load.rows),
      `rows of the last ${each.loads.length} loads`,
    ),
    sparkline(
      each.loads.map((load) => load.durationMs),
      `duration of the last ${each.loads.length} loads`,
    ),
    lastCell(each),
  ]);
  return `<section id="${anchor(pipeline)}"><h2>${escaped(pipeline)}</h2>
<div class="charts">
${perDay('rows read per day', (day) => day.rows, formatCount)}
${perDay('time of all loads per day', (day) => day.durationMs, formatElapsed)}
</div>
${table(
  [
    'table',
    'status',
    '# known up to date',
    '# rows',
    '# size',
    '# last load took',
    'rows',
    'duration',
    'last event (UTC)',
  ],
  rows,
)}</section>`;
}

type Format = (value: number) => string;

function statusCell({ status }: TableReport): string {
  const looks = { well: 'good', failed: 'bad', running: 'busy', 'never loaded': 'busy' }[status];
  return `<span class="${looks}">${status}</span>`;
}

function lastCell({ last }: TableReport): string {
  if (last === undefined) return '';
  const words = [last.verdict, last.reason].filter((word) => word !== undefined).join(': ');
  const kind = last.kind.toLowerCase();
  return `<span title="${escaped(words)}">${kind} <time>${formatTime(last.recordedAt)}</time></span>`;
}

/** Columns whose title begins with `#` hold numbers. Cells are HTML already. */
function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '<p>Nothing yet.</p>';
  const isNumber = titles.map((title) => title.startsWith('# '));
  const cell = (name: 'td' | 'th') => (text: string, index: number) =>
    `<${name}${isNumber[index] === true ? ' class="number"' : ''}>${text}</${name}>`;
  const head = titles.map((title) => title.replace(/^# /, '')).map(cell('th'));
  const body = rows.map((row) => `<tr>${row.map(cell('td')).join('')}</tr>`);
  return `<div class="scroll"><table><thead><tr>${head.join('')}</tr></thead><tbody>${body.join('\n')}</tbody></table></div>`;
}

/** `36 h ago`; the time itself in the title. */
function age(time: string, now: string): string {
  const elapsed = Math.max(0, Date.parse(now) - Date.parse(time));
  return `<span title="${formatTime(time)} UTC">${formatElapsed(elapsed)} ago</span>`;
}

/** Names of pipelines are made of letters, digits and hyphens. */
function anchor(pipeline: string): string {
  return `pipeline-${pipeline}`;
}

const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5a6675; --line: #d9dee5; --paper: #fff;
  --accent: #1b6ca8; --good: #1a7f37; --bad: #b42318; --busy: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa6b4; --line: #323b47;
  --paper: #14181e; --accent: #6db3e8; --good: #5bc27a; --bad: #ff8a7a; --busy: #e0b05a; } }
body { margin: 0 auto; max-width: 1280px; padding: 1.5rem; background: var(--paper);
  color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.5rem; } h2 { margin: 2rem 0 .5rem; font-size: 1.15rem; }
header p { margin: .2rem 0; color: var(--soft); }
a { color: var(--accent); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; color: var(--soft); font-weight: 600; font-size: .85rem; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td { overflow-wrap: break-word; } td.number, th.number { text-align: right; white-space: nowrap; }
.good, .bad, .busy, time { white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); } .busy { color: var(--busy); }
.charts { display: flex; flex-wrap: wrap; gap: 1rem; margin: .5rem 0 1rem; }
.bars { flex: 1 1 420px; max-width: 720px; }
.bars rect { fill: var(--accent); } .bars line { stroke: var(--line); }
.bars text { fill: var(--soft); font-size: 12px; }
.curve { width: 120px; height: 24px; } .curve polyline { fill: none; stroke: var(--accent);
  stroke-width: 1.5; } .curve circle { fill: var(--accent); }
`;
