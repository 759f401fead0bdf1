import { ComportaError } from '../errors';
import { momentOf } from './local-time';

/** A row of the old Historico_Execucao, by the names of its columns. */
export type OldRow = Readonly<Record<string, unknown>>;

/** What the old system last did with a table. */
export interface OldExecution {
  /** As the old history calls it. */
  readonly table: string;
  /** When its reading began at the earliest, milliseconds since 1970; or why nobody knows. */
  readonly begun: number | { readonly unknown: string };
  /** When it was over at the latest; Infinity where its time cannot be understood. */
  readonly overBy: number;
  /** `data_execucao` as it stands there. */
  readonly recorded: string;
  readonly succeeded: boolean;
  /** The word of its status. */
  readonly status: string;
  readonly rows: number | undefined;
  readonly durationMs: number | undefined;
}

export interface OldHistoryOptions {
  /** Of times that say none. */
  readonly timeZone?: string;
  /** Milliseconds of one unit of `tempo_execucao`. */
  readonly durationUnitMs: number;
}

const COLUMNS = ['nome_tabela', 'data_execucao', 'qtd_linhas', 'tempo_execucao', 'status'] as const;

/** Anything else is no success. */
const SUCCESS = /^(?:sucesso|success|succeeded|ok|conclu[ií]d[oa]|done)$/i;

const DAY_MS = 86_400_000;

/** How long a failure may have gone on whose duration nobody noted. */
const UNTOLD_MS = DAY_MS;

/** No load takes a year: what says so is no duration, or of another unit. */
const LONGEST_MS = 366 * DAY_MS;

/**
 * What counts of each table: its last success, or a failure that may have come after it and left the
 * destination with half of the rows.
 * @throws ComportaError ConfigurationInvalid where the columns of the old history are missing.
 */
export function lastExecutions(
  rows: readonly OldRow[],
  options: OldHistoryOptions,
): ReadonlyMap<string, OldExecution> {
  const byTable = new Map<string, OldExecution[]>();
  for (const row of rows) {
    const missing = COLUMNS.filter((column) => !(column in row));
    if (missing.length > 0) {
      const problem = `the old history has no ${missing.join(', ')}`;
      const remedy = `it needs the columns ${COLUMNS.join(', ')}`;
      throw new ComportaError('ConfigurationInvalid', problem, { remedy });
    }
    const execution = executionOf(row, options);
    const known = byTable.get(execution.table);
    if (known === undefined) byTable.set(execution.table, [execution]);
    else known.push(execution);
  }
  return new Map([...byTable].map(([table, all]) => [table, decisive(all)] as const));
}

function decisive(all: readonly OldExecution[]): OldExecution {
  const begun = ({ begun: at }: OldExecution) => (typeof at === 'number' ? at : -Infinity);
  const latest = (some: readonly OldExecution[]) =>
    some.reduce((last, one) => (begun(one) >= begun(last) ? one : last));
  const successes = all.filter(({ succeeded }) => succeeded);
  if (successes.length === 0) return latest(all);
  const success = latest(successes);
  return all.find((one) => !one.succeeded && one.overBy >= begun(success)) ?? success;
}

function executionOf(row: OldRow, { timeZone, durationUnitMs }: OldHistoryOptions): OldExecution {
  const [table = '', recorded = '', rows = '', time = '', status = ''] = COLUMNS.map((column) =>
    textOf(row[column]),
  );
  const durationMs = durationOf(time, durationUnitMs);
  const at = timeOf(recorded, timeZone);
  const untold = 'its tempo_execucao is no duration, so nobody knows when its reading began';
  // Of a day nobody knows which moment is meant: it began then at the earliest.
  const uncertain = isDay(recorded) ? DAY_MS : 0;
  return {
    ...{ table, recorded, status, durationMs },
    // Programs that have no whole numbers with gaps write 12.0.
    rows: /^\d+(?:\.0+)?$/.test(rows) ? Number(rows) : undefined,
    succeeded: SUCCESS.test(status),
    // The time may be that of the beginning or of the end: what is safe for both is taken.
    begun:
      typeof at !== 'number'
        ? at
        : durationMs === undefined
          ? { unknown: untold }
          : at - durationMs,
    overBy: typeof at === 'number' ? at + uncertain + (durationMs ?? UNTOLD_MS) : Infinity,
  };
}

/** BigQuery's client wraps times and large numbers: `{ value: '…' }`. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return typeof value === 'object' && value !== null && 'value' in value ? textOf(value.value) : '';
}

function durationOf(text: string, unitMs: number): number | undefined {
  const [, hours, minutes, seconds] = /^(\d+):(\d\d):(\d\d(?:\.\d+)?)$/.exec(text) ?? [];
  const durationMs = /^\d+(\.\d+)?$/.test(text)
    ? Number(text) * unitMs
    : ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  return durationMs <= LONGEST_MS ? durationMs : undefined;
}

const TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?)?\s*(Z|UTC|[+-]\d\d(?::?\d\d)?)?$/;

function isDay(text: string): boolean {
  return TIME.exec(text)?.[4] === undefined;
}

function timeOf(text: string, timeZone: string | undefined): OldExecution['begun'] {
  const found = TIME.exec(text);
  if (found === null) return { unknown: 'its data_execucao is no time' };
  const [year = '', month = '', day = '', hour = '00', minute = '00', second = '00'] = found.slice(
    1,
    7,
  );
  const written = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const local = Date.parse(`${written}Z`);
  // A day that the month does not have is read as one of the next.
  if (Number.isNaN(local) || !new Date(local).toISOString().startsWith(written)) {
    return { unknown: 'its data_execucao is a time that no clock shows' };
  }
  const zone = found[8];
  if (zone !== undefined) return local - offsetMs(zone);
  if (timeZone === undefined) {
    return { unknown: 'its data_execucao says no time zone: give one by --time-zone' };
  }
  return momentOf(local, timeZone);
}

function offsetMs(zone: string): number {
  const [, sign, hours, minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  if (hours === undefined) return 0;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}
