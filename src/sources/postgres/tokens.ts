import type { Evidence, EvidenceStrategy, TableToken } from '../../detection/detection';
import type { TokenRequest } from '../source';
import { readContentEvidence } from './content-evidence';
import { readCounters, type TableCounters } from './counters';
import { counterPatience } from './patience';
import { readServerFacts, type ServerFacts } from './server-facts';
import type { Session } from './session';
import { isTimeless } from '../timeless';
import { beginReading } from './transaction';

/** The evidence that each strategy asks for, strongest first. */
const EVIDENCE: Readonly<Record<TokenRequest['strategy'], readonly EvidenceStrategy[]>> = {
  auto: ['log', 'token'],
  log: ['log'],
  token: ['token'],
  cursor: ['cursor'],
  checksum: ['checksum'],
  always: [],
};

export type Wait = (milliseconds: number) => Promise<unknown>;

/**
 * Reads the tokens of all tables: `log` and `token` in three queries whatever their number,
 * `cursor` and `checksum` in one more for each table that asks for it.
 *
 * `log` is pg_current_snapshot(): the transactions that had ended when it was taken. Every write
 * needs a transaction number, so the same text means that none of the whole cluster has become
 * visible in between, prepared ones and those on unlogged tables included. Reading, VACUUM and
 * checkpoints leave it alone; ANALYZE and a rolled-back write move it, which costs a look at the
 * token. It says nothing of one table once it moved.
 *
 * `token` are the counters of rows inserted, updated and deleted, with the relations' files. The
 * server counts a transaction after it became visible, never before: a token that was read before
 * the load's snapshot can lack a change that the load saw, which loads again, and cannot have one
 * that the load missed. How late the counters may be is in `patience.ts`.
 */
export async function readTokens(
  session: Session,
  requests: readonly TokenRequest[],
  wait: Wait,
): Promise<ReadonlyMap<string, TableToken>> {
  let catalogue = await readCatalogue(session, requests);
  let tokens = catalogueTokens(requests, catalogue);
  const patience = await counterPatience(session, requests, tokens);
  if (patience > 0) {
    await wait(patience);
    catalogue = await readCatalogue(session, requests);
    tokens = catalogueTokens(requests, catalogue);
  }
  for (const request of requests) {
    const token = tokens.get(request.table.id);
    if (token === undefined || !asksForContent(request)) continue;
    const evidence = await readContentEvidence(session, request, catalogue.facts.identity);
    tokens.set(request.table.id, { ...token, evidence: [evidence] });
  }
  return tokens;
}

function asksForContent<Request extends TokenRequest>(
  request: Request,
): request is Request & { readonly strategy: 'cursor' | 'checksum' } {
  return request.strategy === 'cursor' || request.strategy === 'checksum';
}

interface Catalogue {
  readonly facts: ServerFacts;
  readonly counters: ReadonlyMap<string, TableCounters>;
}

function isOfCatalogue(strategy: EvidenceStrategy): boolean {
  return strategy === 'log' || strategy === 'token';
}

/** The facts first: nothing that follows is older than the log's word. */
async function readCatalogue(
  session: Session,
  requests: readonly TokenRequest[],
): Promise<Catalogue> {
  const counted = requests.filter((request) => EVIDENCE[request.strategy].some(isOfCatalogue));
  await beginReading(session);
  const facts = await readServerFacts(session);
  const counters = await readCounters(
    session,
    counted.map(({ table }) => table),
  );
  await session.script('COMMIT');
  return { facts, counters };
}

function catalogueTokens(
  requests: readonly TokenRequest[],
  { facts, counters }: Catalogue,
): Map<string, TableToken> {
  return new Map(
    requests.map((request) => {
      const seen = counters.get(request.table.id);
      const evidence = EVIDENCE[request.strategy].flatMap((strategy) => {
        if (strategy === 'log') return [logEvidence(facts, seen, request)];
        return strategy === 'token' ? [tokenEvidence(facts, seen, request)] : [];
      });
      return [request.table.id, { sourceTime: facts.sourceTime, evidence }];
    }),
  );
}

function logEvidence(
  facts: ServerFacts,
  seen: TableCounters | undefined,
  request: TokenRequest,
): Evidence {
  return {
    strategy: 'log',
    identity: facts.identity,
    values: { snapshot: facts.snapshot },
    ...distrusted(distrustOf(facts, seen, request)),
  };
}

function tokenEvidence(
  facts: ServerFacts,
  seen: TableCounters | undefined,
  request: TokenRequest,
): Evidence {
  return {
    strategy: 'token',
    identity: { ...facts.identity, countersReset: facts.countersReset },
    values: seen?.values ?? {},
    ...distrusted(distrustOf(facts, seen, request) ?? facts.uncounted),
  };
}

function distrusted(reason: string | undefined): { distrust?: string } {
  return reason === undefined ? {} : { distrust: reason };
}

/** Why neither transactions nor counters of this server can vouch for the table. */
function distrustOf(
  { isReplica }: ServerFacts,
  seen: TableCounters | undefined,
  { where }: TokenRequest,
): string | undefined {
  if (seen === undefined) return 'the table is not there or is hidden from this user';
  if (isReplica) return 'this server is a replica; its state is not that of the writer';
  if (seen.kind === 'v') return 'a view can change with the clock, or with what it reads elsewhere';
  if (seen.kind === 'f' || seen.hasForeignPart) return 'rows of a foreign table change elsewhere';
  if (where !== undefined && !isTimeless(where)) {
    return 'its filter may pick other rows although nothing was written';
  }
  return undefined;
}
