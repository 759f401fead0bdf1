import assert from 'node:assert/strict';
import { ComportaError, type ErrorCode } from '../../../src/errors';

/** For assert.rejects: a ComportaError of this code whose message matches. */
export function fails(code: ErrorCode, message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof ComportaError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  };
}
