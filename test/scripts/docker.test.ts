import assert from 'node:assert/strict';
import type { Execute } from '../../scripts/services/command';
import {
  isDockerRunning,
  runningContainers,
  startWithDocker,
  stopProject,
} from '../../scripts/services/docker';

interface Call {
  readonly line: string;
  readonly env: Readonly<Record<string, string>> | undefined;
}

/** Records the commands instead of running them; those that contain `failing` fail. */
function recorder(failing?: string): { calls: Call[]; run: Execute } {
  const calls: Call[] = [];
  const run: Execute = (command, args, options) => {
    const line = [command, ...args].join(' ').replace(/--file \S+\//, '--file ');
    calls.push({ line, env: options?.env });
    if (failing !== undefined && line.includes(failing))
      return Promise.reject(new Error(`cannot ${failing}`));
    return Promise.resolve('');
  };
  return { calls, run };
}

const prefix = 'docker compose --project-name box --file docker-compose.yaml';
const down = `${prefix} --profile * down --volumes --timeout 10`;

describe('services with Docker', () => {
  it('start a container of the compose file on the chosen port, and take it down', async () => {
    const { calls, run } = recorder();
    const service = await startWithDocker('postgres', { run, project: 'box', port: 4321 });
    await service.stop();
    assert.deepEqual(calls, [
      { line: `${prefix} up --detach --wait postgres`, env: { COMPORTA_POSTGRES_PORT: '4321' } },
      { line: down, env: { COMPORTA_POSTGRES_PORT: '4321' } },
    ]);
    assert.deepEqual(
      [service.host, service.port, service.pid, service.user, service.database],
      ['127.0.0.1', 4321, undefined, 'comporta', 'comporta'],
    );
  });

  it('give Temporal its search attributes and a second port for the Web UI', async () => {
    const { calls, run } = recorder();
    const service = await startWithDocker('temporal', { run, project: 'box', port: 4321 });
    await service.stop();
    assert.deepEqual(
      calls.map(({ line }) => line),
      [
        `${prefix} up --detach --wait temporal temporal-ui`,
        `${prefix} run --rm temporal-setup`,
        down,
      ],
    );
    const uiPort = calls[0]!.env!['COMPORTA_TEMPORAL_UI_PORT'];
    assert.equal(service.address, '127.0.0.1:4321');
    assert.equal(service.uiUrl, `http://127.0.0.1:${uiPort}`);
    assert.notEqual(uiPort, '4321');
  });

  it('choose a free port and a project of their own by default', async () => {
    const { calls, run } = recorder();
    const first = await startWithDocker('s3', { run });
    const second = await startWithDocker('s3', { run });
    await Promise.all([first.stop(), second.stop()]);
    const projects = calls.map(({ line }) => /--project-name (\S+)/.exec(line)?.[1]);
    assert.equal(new Set(projects).size, 2);
    assert.equal(first.endpoint, `http://127.0.0.1:${first.port}`);
  });

  it('take everything down when a container does not get healthy', async () => {
    const { calls, run } = recorder('up --detach');
    await assert.rejects(startWithDocker('mysql', { run, project: 'box' }), /cannot up/);
    assert.equal(calls.at(-1)?.line, down);
  });

  it('can be kept, and stopped by the project name alone', async () => {
    const { calls, run } = recorder();
    const service = await startWithDocker('mariadb', { run, project: 'box' });
    assert.deepEqual(service.keep(), { kind: 'compose', project: 'box' });
    await stopProject('box', run);
    assert.equal(calls.at(-1)?.line, down);
  });

  it('list the running containers of a project', async () => {
    const run: Execute = () => Promise.resolve('temporal\ntemporal-ui\n');
    assert.deepEqual(await runningContainers('box', run), ['temporal', 'temporal-ui']);
  });

  it('are used only where an engine answers and compose is there', async () => {
    assert.equal(await isDockerRunning(recorder().run), true);
    assert.equal(await isDockerRunning(recorder('info').run), false);
    assert.equal(await isDockerRunning(recorder('compose version').run), false);
  });
});
