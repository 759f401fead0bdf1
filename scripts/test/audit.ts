import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** An advisory that is known and lived with for a while; scripts/audit-exceptions.json lists them. */
export interface AuditException {
  /** `GHSA-…` as the advisory's address ends. */
  readonly advisory: string;
  /** Why it does no harm here, or what is waited for. */
  readonly reason: string;
  /** The last day, `2027-01-31`: from the next on the advisory counts again. */
  readonly until: string;
}

export interface AuditVerdict {
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** What was found, for people. */
  readonly text: string;
}

/** As `npm audit --json` writes it (npm's audit report, version 2); only what is looked at here. */
interface AuditReport {
  readonly auditReportVersion?: number;
  /** Of an audit that could not be made. */
  readonly message?: string;
  readonly vulnerabilities?: Readonly<
    Record<string, { readonly via: readonly (string | Advisory)[] }>
  >;
}

interface Advisory {
  readonly name: string;
  readonly title: string;
  readonly url: string;
  readonly severity: string;
}

const GRAVE = ['high', 'critical'];

/**
 * What an audit of the production dependencies means: grave advisories fail unless they are
 * excepted. An audit that could not be made is skipped: many registries have no advisories.
 * @param today as in `AuditException.until`.
 */
export function verdictOf(
  report: AuditReport,
  exceptions: readonly AuditException[],
  today: string,
): AuditVerdict {
  if (report.vulnerabilities === undefined) {
    const reason = report.message ?? 'npm audit gave no report';
    return { outcome: 'skipped', text: `the registry knows of no advisories: ${reason}` };
  }
  const found = new Map<string, Advisory>();
  for (const via of Object.values(report.vulnerabilities).flatMap((each) => each.via)) {
    if (typeof via !== 'string' && GRAVE.includes(via.severity)) found.set(idOf(via), via);
  }
  const lines: string[] = [];
  let failed = false;
  for (const [id, { name, severity, title, url }] of found) {
    const exception = exceptions.find(({ advisory }) => advisory === id);
    const holds = exception !== undefined && exception.until >= today;
    failed ||= !holds;
    const note = exception === undefined ? '' : ` (excepted until ${exception.until})`;
    lines.push(`${name}: ${severity}: ${title}, ${url}${note}`);
  }
  return { outcome: failed ? 'failed' : 'passed', text: lines.join('\n') };
}

function idOf({ url }: Advisory): string {
  return url.slice(url.lastIndexOf('/') + 1);
}

/** Audits what package-lock.json brings into production. Waits for the registry 20 s at most. */
export async function auditDependencies(root: string): Promise<AuditVerdict> {
  const file = join(root, 'scripts/audit-exceptions.json');
  const exceptions = JSON.parse(await readFile(file, 'utf8')) as AuditException[];
  const flags = ['--omit=dev', '--json', '--fetch-retries=0', '--fetch-timeout=20000'];
  const output = await outputOf('npm', ['audit', ...flags], root);
  return verdictOf(reportIn(output), exceptions, new Date().toISOString().slice(0, 10));
}

function reportIn(output: string): AuditReport {
  try {
    return JSON.parse(output) as AuditReport;
  } catch {
    return {};
  }
}

/** Standard output, whatever the exit code: npm's says whether something was found. */
function outputOf(command: string, args: readonly string[], cwd: string): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'ignore'] });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.once('error', () => resolve(''));
    child.once('close', () => resolve(output));
  });
}
