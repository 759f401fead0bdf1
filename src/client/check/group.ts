import { ComportaError, messageOf } from '../../errors';
import type { Finding } from '../../sources/source';

/** What was found of one thing that was checked; nothing found is good news. */
export interface CheckGroup {
  /** `sales: source mysql:shop`. */
  readonly subject: string;
  /** What was done, for the good news: `12 tables`. */
  readonly checked: string;
  readonly findings: readonly Finding[];
}

/** Runs one check; an error that ends it is a finding like others. */
export async function group(
  subject: string,
  work: () => Promise<{ readonly checked: string; readonly findings: readonly Finding[] }>,
): Promise<CheckGroup> {
  try {
    return { subject, ...(await work()) };
  } catch (error) {
    return { subject, checked: '', findings: [errorFinding(subject, error)] };
  }
}

export function errorFinding(subject: string, error: unknown): Finding {
  const remedy = error instanceof ComportaError ? (error.remedy ?? '') : '';
  // The message begins with the place and ends with the remedy; a finding shows them on their own.
  const withoutRemedy = messageOf(error).replace(remedy === '' ? '' : ` — ${remedy}`, '');
  const problem = withoutRemedy.startsWith(`${subject}: `)
    ? withoutRemedy.slice(subject.length + 2)
    : withoutRemedy;
  return { severity: 'error', subject, problem, remedy };
}
