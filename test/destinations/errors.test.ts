import assert from 'node:assert/strict';
import {
  duckdbError,
  fileError,
  s3Error,
  type S3Place,
} from '../../src/destinations/parquet/errors';
import { ComportaError, type ErrorCode } from '../../src/errors';

describe('errors of the file system', () => {
  const cases: [string, ErrorCode, RegExp][] = [
    ['EACCES', 'PermissionDenied', /refuses it — let the user that runs the worker write/],
    ['EPERM', 'PermissionDenied', /refuses it/],
    ['EROFS', 'PermissionDenied', /read-only/],
    ['ENOSPC', 'DestinationFailed', /disk is full — make room/],
    ['EDQUOT', 'DestinationFailed', /quota/],
    ['ENOTDIR', 'ConfigurationInvalid', /part of the path is a file/],
    ['EISDIR', 'ConfigurationInvalid', /folder lies where a file/],
    ['ENAMETOOLONG', 'ConfigurationInvalid', /name is too long/],
    ['EIO', 'DestinationFailed', /cannot write a in file:\/lake: i\/o error/],
  ];
  for (const [errno, code, message] of cases) {
    it(errno, () => {
      const error = Object.assign(new Error('i/o error'), { code: errno });
      const mapped = fileError(error, 'write a in file:/lake');
      assert.equal(mapped.code, code);
      assert.match(mapped.message, message);
    });
  }

  it('passes Comporta’s own', () => {
    const own = new ComportaError('LeaseLost', 'gone');
    assert.equal(fileError(own, 'write'), own);
  });
});

describe('errors of S3', () => {
  const place: S3Place = {
    action: 'write a',
    connection: 'lake',
    bucket: 'b',
    description: 's3://b/p',
  };
  const named = (name: string, status?: number) =>
    Object.assign(new Error('AKIASECRET was signed'), {
      name,
      $metadata: { httpStatusCode: status },
    });
  const errno = (code: string) => Object.assign(new Error('AKIASECRET'), { code });
  const cases: [Error, ErrorCode, RegExp][] = [
    [named('AccessDenied', 403), 'PermissionDenied', /denied — allow s3:ListBucket .* on b,/],
    [named('Unheard', 403), 'PermissionDenied', /access is denied/],
    [named('InvalidAccessKeyId'), 'AuthenticationFailed', /access key is unknown — correct the/],
    [named('SignatureDoesNotMatch'), 'AuthenticationFailed', /secret key is wrong/],
    [named('ExpiredToken'), 'AuthenticationFailed', /have expired/],
    [named('CredentialsProviderError'), 'AuthenticationFailed', /no credentials were found/],
    [named('NoSuchBucket', 404), 'ConfigurationInvalid', /bucket does not exist — create it/],
    [
      named('PermanentRedirect', 301),
      'ConfigurationInvalid',
      /another region — correct the region/,
    ],
    [named('RequestTimeTooSkewed', 403), 'ConfigurationInvalid', /clock is wrong/],
    [named('TimeoutError'), 'ConnectionFailed', /did not answer in time — check the endpoint/],
    [
      errno('ECONNREFUSED'),
      'ConnectionFailed',
      /refused — check the endpoint of connection "lake"/,
    ],
    [errno('ENOTFOUND'), 'ConnectionFailed', /no host of that name/],
    [
      errno('CERT_HAS_EXPIRED'),
      'ConnectionFailed',
      /not trusted — set tls\.ca of connection "lake"/,
    ],
    [errno('ENOSPC'), 'DestinationFailed', /disk is full/],
    [
      named('SlowDown', 503),
      'DestinationFailed',
      /cannot write a in s3:\/\/b\/p: SlowDown \(HTTP 503\)/,
    ],
    [named('InternalError', 500), 'DestinationFailed', /InternalError/],
  ];
  for (const [error, code, message] of cases) {
    it((error as NodeJS.ErrnoException).code ?? error.name, () => {
      const mapped = s3Error(error, place);
      assert.equal(mapped.code, code);
      assert.match(mapped.message, message);
    });
  }

  it('never repeats what the server said', () => {
    for (const [error] of cases) {
      const mapped = s3Error(error, place);
      const message = `${mapped.message} ${mapped.stack}`;
      assert.ok(!message.includes('AKIASECRET'), error.name);
    }
  });
});

describe('errors of DuckDB', () => {
  it('tells of files and columns, never of values', () => {
    const binder = duckdbError(new Error('Binder Error: column "a" is not there\n\nLINE 1: …'));
    assert.match(binder.message, /column "a" is not there — look at the files/);
    const value = duckdbError(
      new Error("Conversion Error: Could not convert string 'secret' to INT32"),
    );
    assert.match(value.message, /could not merge: Conversion Error —/);
    assert.ok(!value.message.includes('secret'));
  });

  it('knows a full disk and too little memory', () => {
    const disk = duckdbError(
      new Error('IO Error: Could not write file "x": No space left on device'),
    );
    assert.match(disk.message, /disk is full/);
    const memory = duckdbError(new Error('Out of Memory Error: failed to pin block of size 1'));
    assert.match(memory.message, /512 MB/);
  });
});
