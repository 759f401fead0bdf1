import type { Evidence, EvidenceStrategy, TableToken } from '../../../detection/detection';
import type { TokenRequest } from '../../source';
import { isTimeless } from '../../timeless';
import type { Session } from '../connection';
import { isOn, readServerState, whereAllowed, type ServerState } from '../server';
import type { ScanBudget } from './binlog-scan';
import { keyOfTable } from './innodb-names';
import { BLIND_TO, readLogEvidence, type LogEvidence } from './log-position';
import { rowEvidence } from './row-evidence';
import {
  exactKey,
  readColumnHashes,
  readInnodbIds,
  readTableFacts,
  type TableFacts,
} from './table-facts';
import { tokenEvidence } from './token-evidence';
import { readTouched, type LogMemory } from './touched';
import type { OpenTransaction } from './transactions';

export interface TokenDependencies {
  /** The transactions open at a moment after the call. */
  readonly readTransactions: () => Promise<readonly OpenTransaction[] | undefined>;
  readonly memory: LogMemory;
  readonly budget: ScanBudget;
}

const STRATEGIES: Readonly<Record<TokenRequest['strategy'], readonly EvidenceStrategy[]>> = {
  auto: ['log', 'token'],
  log: ['log'],
  token: ['token'],
  cursor: ['cursor'],
  checksum: ['checksum'],
  always: [],
};

/**
 * The tokens of all tables. Evidence that belongs to the server or stands in its catalogue costs
 * the same handful of statements for one table as for ten thousand; `cursor` and `checksum` ask
 * each table.
 */
export async function readTokens(
  session: Session,
  requests: readonly TokenRequest[],
  dependencies: TokenDependencies,
): Promise<ReadonlyMap<string, TableToken>> {
  const state = await readServerState(session);
  const wanting = (strategy: EvidenceStrategy) =>
    requests.filter((request) => STRATEGIES[request.strategy].includes(strategy));

  const logging = wanting('log');
  const catalogued = [...new Set([...logging, ...wanting('token')])];
  const logEvidence =
    logging.length === 0
      ? undefined
      : await readLogEvidence(session, state, dependencies.readTransactions);
  const facts =
    catalogued.length === 0
      ? new Map<string, TableFacts>()
      : await readTableFacts(
          session,
          catalogued.map(({ table }) => table),
        );
  const tokens = await readTokenEvidence(session, state, wanting('token'), facts, dependencies);
  const touched =
    logEvidence === undefined
      ? new Map<string, never>()
      : await readTouched(
          session,
          state,
          logEvidence,
          logging,
          dependencies.memory,
          dependencies.budget,
        );

  const result = new Map<string, TableToken>();
  for (const request of requests) {
    const { id } = request.table;
    const evidence: Evidence[] = [];
    for (const strategy of STRATEGIES[request.strategy]) {
      if (strategy === 'cursor' || strategy === 'checksum') {
        evidence.push(await rowEvidence(session, state, strategy, request));
      } else if (strategy === 'token') {
        evidence.push(tokens.get(id)!);
      } else if (logEvidence !== undefined && (request.strategy === 'log' || isLogging(state))) {
        const tableFacts = facts.get(exactKey(request.table));
        evidence.push(ofTable(logEvidence, request, tableFacts, touched.get(id)));
      }
    }
    result.set(id, { sourceTime: state.sourceTime, evidence: doubtingFilter(request, evidence) });
  }
  return result;
}

/** What vouches for the table's rows does not vouch for a filter that moves with the clock. */
function doubtingFilter(
  { where }: TokenRequest,
  evidence: readonly Evidence[],
): readonly Evidence[] {
  if (where === undefined || isTimeless(where)) return evidence;
  const distrust = 'its filter may pick other rows although nothing was written';
  return evidence.map((item) =>
    item.strategy === 'log' || item.strategy === 'token' ? { distrust, ...item } : item,
  );
}

function isLogging({ variables }: ServerState): boolean {
  return isOn(variables, 'log_bin');
}

/** Engines whose rows change only by statements that the log holds. */
const LOGGED_ENGINES = new Set(['InnoDB', 'MyISAM', 'Aria', 'ARCHIVE', 'ROCKSDB']);

function ofTable(
  { identity, values, distrust }: LogEvidence,
  { table }: TokenRequest,
  facts: TableFacts | undefined,
  touched: Evidence['touched'],
): Evidence {
  const doubt = distrust ?? tableDoubt(table.kind, facts);
  return {
    strategy: 'log',
    identity,
    values,
    blindTo: BLIND_TO,
    ...(doubt === undefined ? {} : { distrust: doubt }),
    ...(touched === undefined ? {} : { touched }),
  };
}

function tableDoubt(
  kind: TokenRequest['table']['kind'],
  facts: TableFacts | undefined,
): string | undefined {
  // What a view shows may come from tables elsewhere, or from the clock.
  if (kind === 'view') return 'the log does not name views';
  if (facts === undefined) return 'the table is not there, or the user may not see it';
  const engine = facts.engine ?? 'no engine';
  return LOGGED_ENGINES.has(engine) ? undefined : `rows of ${engine} can change without the log`;
}

async function readTokenEvidence(
  session: Session,
  state: ServerState,
  requests: readonly TokenRequest[],
  facts: ReadonlyMap<string, TableFacts>,
  { readTransactions }: TokenDependencies,
): Promise<ReadonlyMap<string, Evidence>> {
  if (requests.length === 0) return new Map();
  const tables = requests.map(({ table }) => table);
  const columns = await readColumnHashes(session, state, tables);
  const innodb = await whereAllowed(readInnodbIds(session, state, tables));
  const evidenceWith = (transactions: readonly OpenTransaction[] | undefined) =>
    new Map(
      requests.map(({ table, settleMarginMs }) => {
        const key = exactKey(table);
        const evidence = tokenEvidence({
          state,
          table,
          settleMarginMs,
          facts: facts.get(key),
          columns: columns.get(key),
          innodb,
          innodbIds: innodb?.get(keyOfTable(table)),
          transactions,
        });
        return [table.id, evidence] as const;
      }),
    );
  // Without a table that transactions could unsettle, nobody has to wait for their list.
  const hopeful = [...evidenceWith([]).values()].some(({ distrust }) => distrust === undefined);
  return evidenceWith(hopeful ? await readTransactions() : []);
}
