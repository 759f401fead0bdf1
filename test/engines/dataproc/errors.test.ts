import assert from 'node:assert/strict';
import { ComportaError, type ErrorCode } from '../../../src/errors';
import {
  dataprocError,
  dataprocJobFailure,
  isAlreadyThere,
  isNotFound,
} from '../../../src/engines/dataproc/errors';
import { PassingTrouble, type Trouble } from '../../../src/engines/jobs/platform';

const PLACE = { action: 'submit job load-01', connection: 'spark_platform' };

/** As the client throws it. */
const grpc = (code: number, details: string) =>
  Object.assign(new Error(`${code} STATUS: ${details}`), { code, details });

function meaningOf(error: unknown): readonly [ErrorCode, Trouble | 'lasting'] {
  const found = dataprocError(error, PLACE);
  return found instanceof PassingTrouble
    ? [found.failure.code, found.trouble]
    : [found.code, 'lasting'];
}

describe('an error of Dataproc', () => {
  const statuses: readonly (readonly [number, string, ErrorCode, Trouble | 'lasting'])[] = [
    [1, 'Call cancelled', 'ConnectionFailed', 'unavailable'],
    [2, 'unknown', 'EngineFailed', 'lasting'],
    [3, 'Invalid value for jar_file_uris', 'ConfigurationInvalid', 'lasting'],
    [4, 'Deadline exceeded', 'ConnectionFailed', 'unavailable'],
    [5, 'Not found: Cluster projects/p/regions/r/clusters/c', 'ConfigurationInvalid', 'lasting'],
    [7, "Permission 'dataproc.jobs.create' denied on 'projects/p'", 'PermissionDenied', 'lasting'],
    [8, "Quota exceeded for quota metric 'Job submits'", 'EngineFailed', 'quota'],
    [9, 'Cluster c is in state STARTING', 'EngineFailed', 'lasting'],
    [10, 'aborted', 'ConnectionFailed', 'unavailable'],
    [11, 'out of range', 'ConfigurationInvalid', 'lasting'],
    [12, 'not implemented', 'ConfigurationInvalid', 'lasting'],
    [13, 'Internal error', 'ConnectionFailed', 'unavailable'],
    [14, 'No connection established', 'ConnectionFailed', 'unavailable'],
    [15, 'data loss', 'EngineFailed', 'lasting'],
    [16, 'Request had invalid authentication credentials', 'AuthenticationFailed', 'lasting'],
  ];
  for (const [code, details, ...meaning] of statuses) {
    it(`of status ${code} is ${meaning.join(', ')}`, () => {
      assert.deepEqual(meaningOf(grpc(code, details)), meaning);
    });
  }

  const texts: readonly (readonly [number | undefined, string, ErrorCode, Trouble | 'lasting'])[] =
    [
      [
        3,
        "Multiple validation errors:\n - Insufficient 'CPUS' quota. Requested 12.0, available 4.0.",
        ...(['EngineFailed', 'quota'] as const),
      ],
      [
        10,
        "Insufficient 'N2_CPUS' quota. Your resource request exceeds your available quota.",
        ...(['EngineFailed', 'quota'] as const),
      ],
      [
        9,
        "The zone 'projects/p/zones/us-central1-a' does not have enough resources available to fulfill the request.",
        ...(['EngineFailed', 'unavailable'] as const),
      ],
      [9, 'ZONE_RESOURCE_POOL_EXHAUSTED', 'EngineFailed', 'unavailable'],
      [
        7,
        'Cloud Dataproc API has not been used in project 1 before or it is disabled.',
        ...(['ConfigurationInvalid', 'lasting'] as const),
      ],
      [
        9,
        "Subnetwork 'default' does not support Private Google Access",
        ...(['ConfigurationInvalid', 'lasting'] as const),
      ],
      [undefined, 'Could not load the default credentials.', 'AuthenticationFailed', 'lasting'],
      [2, 'Getting metadata from plugin failed: invalid_grant', 'AuthenticationFailed', 'lasting'],
    ];
  for (const [code, text, ...meaning] of texts) {
    it(`that says “${text.slice(0, 60)}” is ${meaning.join(', ')}`, () => {
      assert.deepEqual(meaningOf(code === undefined ? new Error(text) : grpc(code, text)), meaning);
    });
  }

  it('says what was done, what Dataproc said, and what to do', () => {
    const error = dataprocError(grpc(5, 'Not found: Cluster c'), PLACE);
    assert.equal(
      error.message,
      'cannot submit job load-01: Not found: Cluster c — correct connection "spark_platform"',
    );
  });

  it('of Comporta’s own stays as it is', () => {
    const own = new ComportaError('DestinationFailed', 'cannot write the script');
    assert.equal(dataprocError(own, PLACE), own);
    const passing = new PassingTrouble('quota', own);
    assert.equal(dataprocError(passing, PLACE), passing);
  });

  it('may be an answer', () => {
    assert.deepEqual(
      [5, 6, 7].map((code) => isNotFound(grpc(code, ''))),
      [true, false, false],
    );
    assert.deepEqual(
      [5, 6, 7].map((code) => isAlreadyThere(grpc(code, ''))),
      [false, true, false],
    );
  });
});

describe('the end of a Dataproc job', () => {
  const ends: readonly (readonly [string | undefined, ErrorCode])[] = [
    [undefined, 'EngineFailed'],
    ['Google Cloud Dataproc Agent reports job failure.', 'EngineFailed'],
    ['Task was not acquired', 'EngineFailed'],
    ["Insufficient 'SSD_TOTAL_GB' quota. Requested 1200.0, available 500.0.", 'EngineFailed'],
    ['ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS', 'EngineFailed'],
    ["Subnetwork 'default' does not support Private Google Access", 'ConfigurationInvalid'],
  ];
  for (const [detail, code] of ends) {
    it(`with “${detail ?? 'nothing said'}” is ${code}`, () => {
      const failure = dataprocJobFailure('Dataproc batch x-01', 'FAILED', detail, PLACE);
      assert.equal(failure.code, code);
      assert.ok(failure.message.startsWith('Dataproc batch x-01 ended as FAILED'));
      assert.ok(failure.message.includes(detail ?? ''));
    });
  }
});
