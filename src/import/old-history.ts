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

/** How long a failure may have gone on whose duration nobody noted. */
const UNTOLD_MS = 86_400_000;

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
  return {
    ...{ table, recorded, status, durationMs },
    rows: /^\d+$/.test(rows) ? Number(rows) : undefined,
    succeeded: SUCCESS.test(status),
    // The time may be that of the beginning or of the end: what is safe for both is taken.
    begun:
      typeof at !== 'number'
        ? at
        : durationMs === undefined
          ? { unknown: untold }
          : at - durationMs,
    overBy: typeof at === 'number' ? at + (durationMs ?? UNTOLD_MS) : Infinity,
  };
}

/** BigQuery's client wraps times and large numbers: `{ value: '…' }`. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value.trim();
  if (typeof value === 'number') return String(value);
  return typeof value === 'object' && value !== null && 'value' in value ? textOf(value.value) : '';
}

function durationOf(text: string, unitMs: number): number | undefined {
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * unitMs;
  const [, hours, minutes, seconds] = /^(\d+):(\d\d):(\d\d(?:\.\d+)?)$/.exec(text) ?? [];
  if (hours === undefined) return undefined;
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
}

const TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d+)?)?)?\s*(Z|UTC|[+-]\d\d(?::?\d\d)?)?$/;

function timeOf(text: string, timeZone: string | undefined): OldExecution['begun'] {
  const found = TIME.exec(text);
  if (found === null) return { unknown: 'its data_execucao is no time' };
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
    .slice(1, 7)
    .map((part = '0') => Number(part));
  const local = Date.UTC(year, month - 1, day, hour, minute, second);
  if (new Date(local).getUTCDate() !== day) return { unknown: 'its data_execucao is no day' };
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
