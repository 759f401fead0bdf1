import type { MoveRequest } from '../../src/engines/engine';
import { FULL_LOAD } from './table-settings';

/** A whole table of a MySQL database to a lake, neither of which is there unless the test says so. */
export function moveRequest(table: string, change: Partial<MoveRequest> = {}): MoveRequest {
  return {
    identity: {
      pipeline: 'shop',
      domain: 'shop',
      entity: table,
      table,
      batch: 'batch',
      run: 'run-1',
      attempt: 1,
      ingestionDate: '2026-01-02',
    },
    source: {
      connection: {
        type: 'mysql',
        name: 'shop',
        host: 'nowhere',
        port: 1,
        user: 'nobody',
        database: 'shop',
        tls: { mode: 'disable' },
        connectTimeoutMs: 1,
        silenceTimeoutMs: 15_000,
      },
      schemas: [],
    },
    destination: {
      connection: { type: 'file', name: 'lake', path: '/nowhere' },
      settings: { compression: 'zstd', zstdLevel: 1 },
    },
    table: { id: table, schema: '', name: table, kind: 'table', approximateBytes: 1 },
    settings: FULL_LOAD,
    ...change,
  };
}
