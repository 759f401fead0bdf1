import type { DetectionStrategy } from '../pipeline/pipeline';
import type { Evidence, EvidenceStrategy, TableToken, Verdict } from './detection';

export interface DecisionInput {
  /** What the last successful load saved; undefined when there was none. */
  readonly previous?: TableToken;
  readonly current: TableToken;
  readonly strategy: DetectionStrategy;
  /** Both clocks are the source's, see TableToken.sourceTime. */
  readonly maxSkipAgeMs: number;
}

/**
 * Whether a table has to be loaded, and why. Only a proof lets a table be skipped: everything that
 * is missing, incomparable or distrusted ends in `unknown`, which loads.
 */
export function decide({ previous, current, strategy, maxSkipAgeMs }: DecisionInput): Verdict {
  if (strategy === 'always') return unknown('the table is set to load always');
  if (previous === undefined) return unknown('no successful load yet');

  if (previous.settings !== current.settings) {
    return changed('the settings that shape what is loaded changed since the last load');
  }

  const age = Date.parse(current.sourceTime) - Date.parse(previous.sourceTime);
  if (!(age >= 0)) {
    return unknown(
      `the source's clock went back from ${previous.sourceTime} to ${current.sourceTime}`,
    );
  }
  if (age > maxSkipAgeMs) {
    return unknown(`the last load is ${formatAge(age)} old, more than maxSkipAge allows`);
  }

  const doubts = new Map<string, EvidenceStrategy[]>();
  for (const evidence of current.evidence) {
    const verdict = compare(sameStrategy(previous, evidence), evidence);
    if (verdict.verdict === 'unchanged' && evidence.blindTo !== undefined) {
      const contradiction = contradictionOf(evidence, previous, current);
      if (contradiction !== undefined) return contradiction;
    }
    if (verdict.verdict !== 'unknown') return withStrategy([evidence.strategy], verdict);
    doubts.set(verdict.reason, [...(doubts.get(verdict.reason) ?? []), evidence.strategy]);
  }
  if (doubts.size === 0) return unknown('the source gave no evidence');
  return unknown([...doubts].map(([doubt, strategies]) => prefixed(strategies, doubt)).join('; '));
}

function withStrategy(strategies: readonly EvidenceStrategy[], verdict: Verdict): Verdict {
  return { ...verdict, reason: prefixed(strategies, verdict.reason) };
}

/** `log, token: a view has no token`: a reason that several strategies share is said once. */
function prefixed(strategies: readonly EvidenceStrategy[], reason: string): string {
  return `${strategies.join(', ')}: ${reason}`;
}

function sameStrategy(token: TableToken, evidence: Evidence): Evidence | undefined {
  return token.evidence.find((candidate) => candidate.strategy === evidence.strategy);
}

/**
 * Other evidence that saw the table change although the log did not. Only values that move with
 * rows count, and only where both sides are trusted and of the same server.
 */
function contradictionOf(
  log: Evidence,
  previous: TableToken,
  current: TableToken,
): Verdict | undefined {
  for (const evidence of current.evidence) {
    const before = sameStrategy(previous, evidence);
    if (evidence === log || before === undefined) continue;
    if (before.distrust !== undefined || evidence.distrust !== undefined) continue;
    if (differences(before.identity, evidence.identity).length > 0) continue;
    const changes = differences(
      withoutHints(before.values, evidence.hints),
      withoutHints(evidence.values, evidence.hints),
    );
    if (changes.length > 0) {
      return changed(
        `${evidence.strategy}: ${changes.join(', ')} (the log, which is blind to ${log.blindTo ?? 'some writers'}, shows nothing)`,
      );
    }
  }
  return undefined;
}

function withoutHints(
  values: Evidence['values'],
  hints: readonly string[] = [],
): Evidence['values'] {
  return Object.fromEntries(Object.entries(values).filter(([key]) => !hints.includes(key)));
}

/** One strategy's evidence then and now. `unknown` lets the next, weaker strategy speak. */
function compare(before: Evidence | undefined, now: Evidence): Verdict {
  if (before === undefined) return unknown('the last load saved no such evidence');
  if (now.distrust !== undefined) return unknown(now.distrust);
  if (before.distrust !== undefined) {
    return unknown(`at the last load it could not be trusted (${before.distrust})`);
  }

  const identityChanges = differences(before.identity, now.identity);
  if (identityChanges.length > 0) {
    return unknown(`another server or a restart (${identityChanges.join(', ')})`);
  }

  const changes = differences(before.values, now.values);
  if (changes.length === 0) return unchanged(sameProof(now.strategy, now.values));
  if (now.strategy === 'log') return compareMovedLog(now, changes);
  return changed(changes.join(', '));
}

/** A log position belongs to the whole server: that it moved says nothing about one table yet. */
function compareMovedLog(now: Evidence, changes: readonly string[]): Verdict {
  const moved = changes.join(', ');
  switch (now.touched) {
    case 'yes':
      return changed(`${moved}, and the log in between names this table`);
    case 'no':
      return unchanged(`${moved}, and nothing in between touches this table`);
    case 'unknown':
    case undefined:
      return unknown(moved);
  }
}

const PROOFS: Readonly<Record<EvidenceStrategy, string>> = {
  log: 'the server has logged nothing since',
  token: 'same token',
  cursor: 'same maximum and count',
  checksum: 'same checksum',
};

function sameProof(strategy: EvidenceStrategy, values: Evidence['values']): string {
  const shown = Object.entries(values).map(([key, value]) => `${key} ${shortened(value)}`);
  return `${PROOFS[strategy]} (${shown.join(', ')})`;
}

/** Every key that either side has, by inequality. `a 1 → 2`. */
function differences(before: Evidence['values'], now: Evidence['values']): string[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  return keys
    .filter((key) => before[key] !== now[key])
    .map((key) => `${key} ${shortened(before[key])} → ${shortened(now[key])}`);
}

/** Long values (GTID sets, hashes) keep their end, which is where they differ in practice. */
function shortened(value: string | null | undefined): string {
  if (value === null || value === undefined) return 'none';
  return value.length <= 60 ? value : `…${value.slice(-57)}`;
}

function formatAge(milliseconds: number): string {
  const hours = milliseconds / 3_600_000;
  return hours >= 1 ? `${hours.toFixed(1)} h` : `${(milliseconds / 60_000).toFixed(1)} min`;
}

function changed(reason: string): Verdict {
  return { verdict: 'changed', reason };
}

function unchanged(reason: string): Verdict {
  return { verdict: 'unchanged', reason };
}

function unknown(reason: string): Verdict {
  return { verdict: 'unknown', reason };
}
