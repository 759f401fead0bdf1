import assert from 'node:assert/strict';
import { webUiAddress, workflowLink } from '../../src/temporal/web-ui';

describe('webUiAddress', () => {
  const cases: [string | undefined, NodeJS.ProcessEnv, string, string | undefined][] = [
    ['https://ui.example/', { TEMPORAL_UI_ADDRESS: 'http://x' }, 'a:1', 'https://ui.example'],
    [undefined, { TEMPORAL_UI_ADDRESS: 'http://x:8080' }, 'localhost:7233', 'http://x:8080'],
    [undefined, { TEMPORAL_UI_ADDRESS: '' }, 'localhost:7233', 'http://localhost:8233'],
    [undefined, {}, '127.0.0.1:17233', 'http://localhost:8233'],
    [undefined, {}, 'loads.a1b2c.tmprl.cloud:7233', 'https://cloud.temporal.io'],
    [undefined, {}, 'eu-west-1.aws.api.temporal.io:7233', 'https://cloud.temporal.io'],
    [undefined, {}, 'temporal.internal:7233', undefined],
  ];
  for (const [given, environment, server, expected] of cases) {
    it(`of ${given ?? server} with ${JSON.stringify(environment)}`, () =>
      assert.equal(webUiAddress(given, environment, server), expected));
  }
});

describe('workflowLink', () => {
  it('escapes what a table name may hold', () => {
    assert.equal(
      workflowLink('http://ui', 'default', 'ingest/sales/a b%/b1'),
      'http://ui/namespaces/default/workflows/ingest%2Fsales%2Fa%20b%25%2Fb1',
    );
  });
});
