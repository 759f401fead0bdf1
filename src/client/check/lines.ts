import type { Finding } from '../../sources/source';
import type { Style } from '../render/style';
import { printable, wrap } from '../render/text';
import type { CheckGroup } from './group';

const NARROWEST = 40;

/** Each group under its name; each finding with its remedy, the same remedy once for many subjects. */
export function checkLines(
  groups: readonly CheckGroup[],
  width: number | undefined,
  style: Style,
): string[] {
  const lines = groups.flatMap(({ subject, checked, findings }) => {
    const isFine = !findings.some(({ severity }) => severity === 'error');
    const mark = isFine ? style.green('ok') : style.red('failed');
    const what = checked === '' ? '' : `  ${style.dim(printable(checked))}`;
    return [
      `${mark}  ${style.bold(printable(subject))}${what}`,
      ...merged(findings).flatMap((finding) => findingLines(finding, subject, width, style)),
    ];
  });
  const findings = groups.flatMap((group) => group.findings);
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const warnings = findings.length - errors;
  return [...lines, '', `${counted(errors, 'error')}, ${counted(warnings, 'warning')}`];
}

interface MergedFinding extends Omit<Finding, 'subject'> {
  readonly subjects: readonly string[];
}

/** Findings that differ in their subject alone become one. */
function merged(findings: readonly Finding[]): MergedFinding[] {
  const byText = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = JSON.stringify([finding.severity, finding.problem, finding.remedy]);
    byText.set(key, [...(byText.get(key) ?? []), finding]);
  }
  return [...byText.values()].flatMap(([first, ...others]) => {
    if (first === undefined) return [];
    return [{ ...first, subjects: [first, ...others].map(({ subject }) => subject) }];
  });
}

const SUBJECTS_SHOWN = 10;

function findingLines(
  { severity, subjects, problem, remedy }: MergedFinding,
  group: string,
  width: number | undefined,
  style: Style,
): string[] {
  const paint = severity === 'error' ? style.red : style.yellow;
  const more = subjects.length - SUBJECTS_SHOWN;
  const named = subjects.slice(0, SUBJECTS_SHOWN).join(', ');
  // An error that ended the whole check has the group itself as its subject.
  const place = named === group ? '' : `${named}${more > 0 ? `, and ${more} more` : ''}: `;
  return [
    ...block(`${severity}: `, `${place}${problem}`, width).map((line, index) =>
      index === 0 ? line.replace(severity, paint(severity)) : line,
    ),
    ...(remedy === '' ? [] : block('→ ', remedy, width)),
  ].map((line) => `    ${line}`);
}

/** A text with a label, its further lines aligned under the first. A text's own lines stay lines. */
function block(label: string, text: string, width: number | undefined): string[] {
  const room = width === undefined ? undefined : Math.max(NARROWEST, width - 4 - label.length);
  const lines = text.split('\n').map(printable);
  const wrapped = room === undefined ? lines : lines.flatMap((line) => wrap(line, room));
  return wrapped.map((line, index) => (index === 0 ? label : ' '.repeat(label.length)) + line);
}

function counted(count: number, noun: string): string {
  return `${count === 0 ? 'no' : count} ${noun}${count === 1 ? '' : 's'}`;
}
