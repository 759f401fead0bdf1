import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetJobCommand, GlueClient } from '@aws-sdk/client-glue';
import {
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { parse } from 'yaml';
import { execute, findExecutable } from '../../scripts/services/command';
import { startMoto, type MotoServer } from '../../scripts/services/moto';
import { ToolUnavailableError } from '../../scripts/services/service';
import { findTerraform, type TerraformTools } from '../../scripts/services/terraform';
import { checkGlueConnection } from '../../src/engines/glue/glue-runner';
import { lakeAddress } from '../../src/engines/spark/lake-address';
import { loadProject } from '../../src/pipeline/load';
import { eventually } from '../support/eventually';

const ROOT = join(__dirname, '../..');

const VARIABLES = {
  ...{ region: 'us-east-1', bucket: 'company-lake', prefix: 'company/lake' },
  secrets: ['shop/password'],
  alert_emails: ['data@example.com'],
  kms_key_arn: 'arn:aws:kms:us-east-1:123456789012:key/one',
  network: {
    ...{ subnet_id: 'subnet-1', availability_zone: 'us-east-1a' },
    security_group_ids: ['sg-1'],
  },
  glue: { jars: ['s3://company-jars/mysql-connector-j.jar'], max_concurrent_runs: 12 },
};

/** Names of variables, a value that each refuses, and what it says. No more than an error shows. */
const WRONG: Readonly<Record<string, readonly (readonly [string, string, RegExp])[]>> = {
  aws: [
    ['region', 'somewhere', /region such as sa-east-1/],
    ['bucket', 'Company_Lake', /3 to 63 lower-case letters/],
    ['prefix', '/lake/', /Leave out the slashes/],
    ['staging_days', '1', /whole number of 2 or more/],
    ['kms_key_arn', 'alias/lake', /an alias will not do/],
    ['glue', '{"version":"4.0"}', /for Glue 5\.0 and later/],
    ['secrets', '["a b"]', /Letters, digits and/],
  ],
  gcp: [
    ['project', 'My Project', /Write the id of a project/],
    ['region', 'us-central1-a', /region such as us-central1/],
    ['bucket', 'Lake', /3 to 63 lower-case letters/],
    ['dataset', 'a-b', /Letters, digits and underscores/],
    ['platform', 'local', /One of cluster, ephemeral and serverless/],
    ['kms_key', 'key', /Write projects\/…\/locations/],
    ['cluster', '{"idle_minutes":4}', /From 5 minutes to 14 days/],
  ],
};

const SETTINGS = { compression: 'zstd', zstdLevel: 1 } as const;

/**
 * The provider looks for most of a minute whether a bucket's rules stay as they were put: they are
 * built last, and not waited for.
 */
const LATER = 'resource "aws_s3_bucket_lifecycle_configuration" "lake" {\n  count = 0\n}\n';
const LATER_FILE = 'later_override.tf';

const QUIET = { TF_IN_AUTOMATION: '1', TF_INPUT: '0', CHECKPOINT_DISABLE: '1' };

/** Where each service of AWS is for the provider. */
function provider(endpoint: string): string {
  const services = [
    ...['cloudwatch', 'cloudwatchlogs', 'ec2', 'events', 'glue', 'iam', 'kms', 's3'],
    ...['secretsmanager', 'sns', 'sts'],
  ];
  return `provider "aws" {
  access_key                  = "test"
  secret_key                  = "test"
  s3_use_path_style           = true
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  endpoints {
${services.map((service) => `    ${service} = "${endpoint}"`).join('\n')}
  }
}
`;
}

describe('infra', function () {
  this.timeout(300_000);

  it('is formatted', async function () {
    const terraform = findExecutable('terraform');
    if (terraform === undefined) return this.skip();
    await execute(terraform, ['fmt', '-check', '-diff', '-recursive', join(ROOT, 'infra')]);
  });

  // Variables need no provider, so that those of Google's part are tried too.
  describe('variables', () => {
    let folder: string;
    let terraform: string;

    before(function () {
      const found = findExecutable('terraform');
      if (found === undefined) return this.skip();
      terraform = found;
    });
    beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'comporta-variables-'))));
    afterEach(() => rm(folder, { recursive: true, force: true }));

    const plan = async (cloud: string, ...options: string[]) => {
      await cp(join(ROOT, 'infra', cloud, 'variables.tf'), join(folder, 'variables.tf'));
      const config = join(folder, 'terraformrc');
      await writeFile(config, '');
      return execute(terraform, [`-chdir=${folder}`, 'plan', '-no-color', ...options], {
        env: { ...QUIET, TF_CLI_CONFIG_FILE: config },
      });
    };

    it('of Google’s part take the values of the example', async () => {
      const example = join(ROOT, 'infra/gcp/slmandic.tfvars.example');
      assert.match(await plan('gcp', `-var-file=${example}`), /No changes/);
    });

    it('of AWS’s part take those of the test below', async () => {
      const file = join(folder, 'values.tfvars.json');
      await writeFile(file, JSON.stringify(VARIABLES));
      assert.match(await plan('aws', `-var-file=${file}`), /No changes/);
    });

    for (const [cloud, wrong] of Object.entries(WRONG)) {
      it(`of ${cloud} say what is wrong`, async () => {
        const options = wrong.map(([name, value]) => `-var=${name}=${value}`);
        const refusal = await plan(cloud, ...options).then(
          () => assert.fail('it was planned'),
          (error: unknown) => String(error).replace(/\s+/g, ' '),
        );
        for (const [name, , says] of wrong) assert.match(refusal, says, name);
      });
    }
  });

  describe('of AWS', () => {
    let tools: TerraformTools;
    let folder: string;
    let aws: string;
    let moto: MotoServer;

    before(async function () {
      try {
        tools = findTerraform('hashicorp/aws/5.100.0');
      } catch (error) {
        if (!(error instanceof ToolUnavailableError)) throw error;
        process.stdout.write(`      skipped: ${error.message}\n`);
        return this.skip();
      }
      folder = await mkdtemp(join(tmpdir(), 'comporta-infra-'));
      aws = join(folder, 'infra/aws');
      await cp(join(ROOT, 'infra/aws'), aws, { recursive: true });
      await cp(join(ROOT, 'jobs'), join(folder, 'jobs'), { recursive: true });
      await writeFile(
        join(folder, 'terraformrc'),
        `provider_installation {\n  filesystem_mirror {\n    path = ${JSON.stringify(tools.plugins)}\n  }\n}\n`,
      );
      moto = await startMoto();
      await writeFile(join(aws, 'moto_override.tf'), provider(moto.endpoint));
      await writeFile(join(aws, 'terraform.tfvars.json'), JSON.stringify(VARIABLES));
      await writeFile(join(aws, LATER_FILE), LATER);
      await terraform('init');
    });
    after(async () => {
      await moto?.stop();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    });

    const line = (command: string, ...options: string[]) =>
      [`-chdir=${aws}`, command, ...options, '-no-color'] as const;
    const settings = () => ({ ...QUIET, TF_CLI_CONFIG_FILE: join(folder, 'terraformrc') });
    const terraform = (command: string, ...options: string[]) =>
      execute(tools.terraform, [...line(command, ...options)], { env: settings() });
    const client = () => ({
      ...{ endpoint: moto.endpoint, region: 'us-east-1', forcePathStyle: true },
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });

    it('is valid', async () => {
      const { valid, diagnostics } = JSON.parse(await terraform('validate', '-json')) as {
        valid: boolean;
        diagnostics: unknown[];
      };
      assert.deepEqual([valid, diagnostics], [true, []]);
    });

    it('is built as Comporta’s check wants it', async () => {
      await terraform('apply', '-auto-approve');
      const outputs = JSON.parse(await terraform('output', '-json')) as Record<
        string,
        { readonly value: unknown }
      >;
      assert.deepEqual(outputs['passwords']?.value, { 'shop/password': 'asm:shop/password' });
      const { connections } = parse(outputs['connections']?.value as string) as {
        readonly connections: object;
      };
      assert.deepEqual(Object.keys(connections).toSorted(), ['glue', 'lake']);

      const pipelines = join(folder, 'pipelines');
      await mkdir(pipelines);
      const shop = {
        ...{ type: 'mysql', host: 'h', user: 'u', database: 'shop' },
        password: 'asm:shop/password',
      };
      const all = { connections: { ...connections, shop } };
      await writeFile(join(pipelines, 'connections.yaml'), JSON.stringify(all));
      await writeFile(
        join(pipelines, 'shop.yaml'),
        'pipeline: shop\nsource: { connection: shop }\ndestination: { connection: lake }\ndefaults: { engine: glue, platform: glue }\n',
      );
      const project = await loadProject(pipelines, { environment: {} });
      const lake = project.connections.get('lake');
      assert.ok(lake?.type === 's3');
      assert.deepEqual([lake.bucket, lake.prefix], ['company-lake', 'company/lake']);
      // Encrypted by the bucket's own setting, and such that jobs can write there.
      assert.match(
        lakeAddress({ connection: lake, settings: SETTINGS }, 'one'),
        /^s3:\/\/company-lake\/company\/lake\/one\?/,
      );
      const glue = project.connections.get('glue');
      assert.ok(glue?.type === 'glue');
      const key = { from: 'env', name: 'K' } as const;
      const report = await checkGlueConnection(
        { ...glue, endpoint: moto.endpoint, accessKeyId: key, secretAccessKey: key },
        { read: () => Promise.resolve('test') },
        12,
      );
      assert.deepEqual(report, {
        checked: 'job comporta-ingest: Glue 5.0, 4 × G.1X, 12 runs at once',
        findings: [],
      });
    });

    it('keeps the script of the job, and clears up after loads that nobody repeats', async () => {
      const s3 = new S3Client(client());
      const glue = new GlueClient(client());
      const { Job } = await glue.send(new GetJobCommand({ JobName: 'comporta-ingest' }));
      const location = Job?.Command?.ScriptLocation ?? '';
      const Key = location.replace('s3://company-lake/', '');
      assert.match(Key, /^company\/lake\/_jobs\//);
      await s3.send(new GetObjectCommand({ Bucket: 'company-lake', Key }));
      await rm(join(aws, LATER_FILE));
      const building = spawn(tools.terraform, line('apply', '-auto-approve', '-refresh=false'), {
        env: { ...process.env, ...settings() },
        stdio: 'ignore',
        detached: true,
      });
      const gone = once(building, 'exit');
      try {
        await eventually(async () => {
          const { Rules } = await s3.send(
            new GetBucketLifecycleConfigurationCommand({ Bucket: 'company-lake' }),
          );
          assert.deepEqual(
            Rules?.map(({ Filter, Expiration, AbortIncompleteMultipartUpload: abort }) => [
              Filter?.Prefix,
              Expiration?.Days ?? abort?.DaysAfterInitiation,
            ]),
            [
              ['company/lake/', 7],
              ['company/lake/_staging/', 7],
            ],
          );
        }, 120_000);
      } finally {
        // With its provider, which is a process of its own in the same group.
        if (building.exitCode === null) process.kill(-building.pid!, 'SIGKILL');
        await gone;
      }
      const { ServerSideEncryptionConfiguration: encryption } = await s3.send(
        new GetBucketEncryptionCommand({ Bucket: 'company-lake' }),
      );
      assert.deepEqual(encryption?.Rules?.[0]?.ApplyServerSideEncryptionByDefault, {
        SSEAlgorithm: 'aws:kms',
        KMSMasterKeyID: VARIABLES.kms_key_arn,
      });
      s3.destroy();
      glue.destroy();
    });
  });
});
