import type { FailureGroup, Notice, StaleTable } from './notice';

/** A notice as text, in pieces that each channel dresses in its own way. */
export interface Words {
  /** One line: what happened, where. */
  readonly headline: string;
  readonly sections: readonly Section[];
  /** What was well, and which batch it was. */
  readonly footer: string;
}

export interface Section {
  readonly title: string;
  /** One line per item. */
  readonly items: readonly string[];
}

/** Items that a section names; the rest are counted. */
const MOST_ITEMS = 10;
/** Characters of one error: the whole of it is in the history. */
const LONGEST_ERROR = 300;

export function wordsOf(notice: Notice): Words {
  const { pipeline, batch, loaded, skipped, failures, recovered, stale } = notice;
  const failed = failures.reduce((sum, { tables }) => sum + tables.length, 0);
  const news = [
    ...(failed > 0 ? [`${counted(failed, 'table')} failed`] : []),
    ...(stale.length > 0 ? [`${counted(stale.length, 'table')} out of date`] : []),
    ...(recovered.length > 0 ? [`${counted(recovered.length, 'table')} well again`] : []),
  ];
  return {
    headline: `${pipeline}: ${news.join(', ')}`,
    sections: [
      ...failures.map(failureSection),
      ...(stale.length === 0 ? [] : [section('Out of date', stale.map(staleLine))]),
      ...(recovered.length === 0 ? [] : [section('Well again', recovered)]),
    ],
    footer: `batch ${batch}: ${loaded} loaded, ${skipped} unchanged`,
  };
}

function failureSection({ code, tables }: FailureGroup): Section {
  const errors = new Set(tables.map(({ error }) => error));
  if (errors.size === 1 && tables.length > 1) {
    const [error = ''] = errors;
    return section(
      `${code}: ${shortened(error)}`,
      tables.map(({ table }) => table),
    );
  }
  return section(
    code,
    // An error names its table, mostly.
    tables.map(({ table, error }) =>
      error.includes(table) ? shortened(error) : `${table}: ${shortened(error)}`,
    ),
  );
}

function staleLine({ table, verifiedAt }: StaleTable): string {
  return verifiedAt === undefined ? `${table}: never loaded` : `${table}: since ${verifiedAt}`;
}

function section(title: string, all: readonly string[]): Section {
  const more = all.length - MOST_ITEMS;
  return {
    title,
    items: more > 0 ? [...all.slice(0, MOST_ITEMS), `and ${more} more`] : all,
  };
}

function shortened(error: string): string {
  const line = error.replace(/\s+/g, ' ').trim();
  return line.length > LONGEST_ERROR ? `${line.slice(0, LONGEST_ERROR - 1)}…` : line;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
