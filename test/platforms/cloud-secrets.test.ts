import assert from 'node:assert/strict';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  PutSecretValueCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { Client as PostgresClient } from 'pg';
import { ComportaError } from '../../src/errors';
import { secretReference } from '../../src/pipeline/secrets';
import { createSecretStore } from '../../src/secrets/secret-stores';
import { withMissingCredentials } from '../support/google-credentials';
import { startSecretManager, type SecretManager } from '../support/secret-manager';
import { sharedGcs, sharedMoto, sharedPostgres, uniqueName } from '../support/servers';
import { startWorld, type World } from '../support/world';

/** What the SDK's own chain takes; moto takes any keys. */
const KEYS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };

describe('secrets in the clouds', function () {
  this.timeout(120_000);

  let google: SecretManager;
  let aws: SecretsManagerClient;
  let environment: Record<string, string>;
  const usual = { ...process.env };

  before(async () => {
    google = await startSecretManager();
    const { endpoint, region } = await sharedMoto();
    environment = {
      ...KEYS,
      AWS_REGION: region,
      AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint,
      COMPORTA_SECRET_MANAGER_ENDPOINT: google.endpoint,
    };
    // The AWS SDK looks nowhere else.
    Object.assign(process.env, environment);
    aws = new SecretsManagerClient({});
  });

  after(() => {
    google.stop();
    aws.destroy();
    for (const name of Object.keys(environment)) {
      if (usual[name] === undefined) delete process.env[name];
      else process.env[name] = usual[name];
    }
  });

  const read = (text: string) =>
    createSecretStore(environment).read(secretReference(text, '/nowhere'));
  const refused = async (text: string) => {
    const error = await read(text).catch((thrown: unknown) => thrown);
    assert.ok(error instanceof ComportaError, String(error));
    return error;
  };

  describe('Google Secret Manager', () => {
    const secret = 'projects/p1/secrets/shop_password';

    it('gives the latest version, or the one that is named, without its last newline', async () => {
      google.add(secret, 'one\n');
      google.add(secret, 'two');
      assert.equal(await read(`gsm:${secret}`), 'two');
      assert.equal(await read(`gsm:${secret}/versions/latest`), 'two');
      assert.equal(await read(`gsm:${secret}/versions/1`), 'one');
    });

    it('gives a version that came after the first read', async () => {
      const store = createSecretStore(environment);
      const reference = secretReference('gsm:projects/p1/secrets/changing', '');
      google.add('projects/p1/secrets/changing', 'old');
      assert.equal(await store.read(reference), 'old');
      google.add('projects/p1/secrets/changing', 'new');
      assert.equal(await store.read(reference), 'new');
    });

    it('says what is wrong with one, by its reference', async () => {
      google.add('projects/p1/secrets/disabled', 'hunter2');
      google.disable('projects/p1/secrets/disabled');
      google.add('projects/p1/secrets/forbidden', 'hunter2');
      google.forbid('projects/p1/secrets/forbidden');
      const absent = await refused('gsm:projects/p1/secrets/absent');
      assert.equal(absent.code, 'ConfigurationInvalid');
      assert.match(
        absent.message,
        /^secret gsm:projects\/p1\/secrets\/absent\/versions\/latest do/,
      );
      const disabled = await refused('gsm:projects/p1/secrets/disabled');
      assert.match(disabled.message, /disabled or destroyed/);
      const forbidden = await refused('gsm:projects/p1/secrets/forbidden');
      assert.equal(forbidden.code, 'PermissionDenied');
      assert.match(forbidden.message, /secretmanager\.secretAccessor/);
    });

    it('fails without credentials, looks for them again, and leaves the process alive', async () => {
      const store = createSecretStore({});
      await withMissingCredentials(['first.json', 'second.json'], () =>
        assert.rejects(store.read(secretReference(`gsm:${secret}`, '/nowhere')), {
          code: 'AuthenticationFailed',
        }),
      );
    });

    it('refuses an endpoint that is none', async () => {
      const store = createSecretStore({ COMPORTA_SECRET_MANAGER_ENDPOINT: 'host:443' });
      const reading = async () => store.read(secretReference(`gsm:${secret}`, ''));
      await assert.rejects(reading, /COMPORTA_SECRET_MANAGER_ENDPOINT is not an http or https URL/);
    });
  });

  describe('AWS Secrets Manager', () => {
    it('gives a whole secret, one member of a JSON one, and one by its ARN', async () => {
      const name = uniqueName('shop/db');
      const SecretString = JSON.stringify({ password: 'pa#ss', port: 5432, nothing: null });
      const { ARN } = await aws.send(new CreateSecretCommand({ Name: name, SecretString }));
      assert.equal(await read(`asm:${name}`), SecretString);
      assert.equal(await read(`asm:${name}#password`), 'pa#ss');
      assert.equal(await read(`asm:${name}#port`), '5432');
      assert.equal(await read(`asm:${ARN}#password`), 'pa#ss');
      assert.match((await refused(`asm:${name}#nothing`)).message, /no text or number under this/);
      assert.match((await refused(`asm:${name}#toString`)).message, /no text or number/);
    });

    it('asks the region that an ARN names', async () => {
      const region = 'eu-west-1';
      const there = new SecretsManagerClient({ region });
      const input = { Name: uniqueName('there'), SecretString: 'far' };
      const { ARN } = await there.send(new CreateSecretCommand(input));
      there.destroy();
      assert.equal(await read(`asm:${ARN}`), 'far');
    });

    it('says what is wrong with one, by its reference, and nothing of its value', async () => {
      const name = uniqueName('plain');
      await aws.send(new CreateSecretCommand({ Name: name, SecretString: 'hunter2, no JSON' }));
      const plain = await refused(`asm:${name}#password`);
      assert.equal(plain.code, 'ConfigurationInvalid');
      assert.ok(plain.message.startsWith(`secret asm:${name}#password is not JSON`));
      assert.ok(!`${plain.stack} ${String(plain.cause)}`.includes('hunter2'));
      const absent = await refused('asm:absent');
      assert.match(absent.message, /^secret asm:absent does not exist/);
      await aws.send(new DeleteSecretCommand({ SecretId: name }));
      assert.match((await refused(`asm:${name}`)).message, /is marked for deletion/);
    });
  });

  describe('a password that is changed between two loads', () => {
    let world: World;
    let admin: PostgresClient;
    const user = uniqueName('rotated');
    const schema = uniqueName('rotated');
    const googleSecret = 'projects/p1/secrets/rotated';
    const awsSecret = uniqueName('rotated');

    const setPassword = (password: string) =>
      admin.query(`ALTER ROLE ${user} PASSWORD '${password}'`);
    const setSecrets = async (password: string) => {
      google.add(googleSecret, password);
      const SecretString = JSON.stringify({ password });
      await aws.send(new PutSecretValueCommand({ SecretId: awsSecret, SecretString }));
    };

    before(async () => {
      const { host, port, user: owner, password, database } = await sharedPostgres();
      const gcs = await sharedGcs();
      admin = new PostgresClient({ host, port, user: owner, password, database });
      await admin.connect();
      await admin.query(`CREATE ROLE ${user} LOGIN PASSWORD 'first'`);
      await admin.query(`GRANT CREATE ON DATABASE ${database} TO ${user}`);
      await admin.query(`CREATE SCHEMA ${schema} AUTHORIZATION ${user}`);
      await admin.query(`CREATE TABLE ${schema}.orders AS SELECT 1 AS id`);
      await admin.query(`ALTER TABLE ${schema}.orders OWNER TO ${user}`);
      await aws.send(
        new CreateSecretCommand({ Name: awsSecret, SecretString: '{"password":"first"}' }),
      );
      google.add(googleSecret, 'first');
      const at = `type: postgres, host: ${host}, port: ${port}, user: ${user}, database: ${database}`;
      world = await startWorld({
        environment,
        files: {
          'connections.yaml': `
connections:
  shop: { ${at}, password: 'gsm:${googleSecret}' }
  books: { ${at}, password: 'asm:${awsSecret}#password' }
  lake: { type: gcs, bucket: ${gcs.bucket}, prefix: ${schema}, endpoint: '${gcs.endpoint}' }
history: { type: postgres, connection: books, schema: ${schema}_history }
`,
          'shop.yaml': `
pipeline: shop
source: { connection: shop, schemas: [${schema}] }
destination: { connection: lake }
`,
        },
      });
    });

    after(async () => {
      await world?.close();
      await admin?.end();
    });

    const load = async (batch: string) => {
      await admin.query(`INSERT INTO ${schema}.orders VALUES (2)`);
      return world.run({ pipeline: 'shop', batch, force: true });
    };

    it('is used by the second, by the source, the engine and the history, without a restart', async () => {
      assert.equal((await load('b1')).loaded, 1);

      await setPassword('second-hunter2');
      // What the history has open stays open; as after a failover, it must connect anew.
      await admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${user}'`,
      );
      await setSecrets('second-hunter2');
      assert.equal((await load('b2')).loaded, 1);

      const events = await (await world.history()).events({ pipeline: 'shop', limit: 10 });
      const kinds = events.filter(({ batch }) => batch === 'b2').map(({ kind }) => kind);
      assert.ok(kinds.includes('SUCCEEDED'), kinds.join());
      assert.ok(!JSON.stringify([events, world.logged]).includes('second-hunter2'));
    });

    it('fails a load when the secret is still the old one, and says so without either', async () => {
      await setPassword('third-hunter2');
      const error = await load('b3').catch((thrown: unknown) => thrown);
      const told = [...causesOf(error)].join(' <- ');
      assert.match(told, /AuthenticationFailed/);
      assert.match(told, /refused the sign-in.* the password that connection shop refers to/);
      assert.ok(!told.includes('hunter2'));
      await setPassword('second-hunter2');
    });
  });
});

function* causesOf(error: unknown): Generator<string> {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    yield `${(cause as { type?: string }).type ?? ''} ${cause.message}`;
  }
}
