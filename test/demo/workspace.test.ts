import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import { makeWorkspace, writeEnvironmentFile } from '../../scripts/demo/workspace';
import { loadProject } from '../../src/pipeline/load';

describe('workspace of a demo', () => {
  it("has the project's example pipelines, with lake and history inside of it", async () => {
    const workspace = await makeWorkspace(true);
    try {
      const variables: NodeJS.ProcessEnv = { COMPORTA_MASK_KEY: 'key' };
      for (const database of ['SALES', 'FINANCE'])
        for (const name of ['HOST', 'PORT', 'USER', 'PASSWORD'])
          variables[`COMPORTA_${database}_${name}`] = '1';
      const project = await loadProject(workspace.pipelines, {
        environment: variables,
      });
      assert.deepEqual([...project.pipelines.keys()].sort(), ['finance', 'sales']);
      const lake = project.connections.get('lake');
      assert.ok(lake?.type === 'file');
      assert.equal(lake.path, workspace.lake);
      assert.ok(project.history.type === 'sqlite');
      assert.ok(project.history.path.startsWith(workspace.path));
    } finally {
      await rm(workspace.path, { recursive: true });
    }
    assert.ok(!existsSync(workspace.path));
  });

  it('gives a shell the variables as they are, and nobody else', async () => {
    const workspace = await makeWorkspace(true);
    try {
      const hostile = `a'b "c" $HOME \`id\` \\`;
      await writeEnvironmentFile(workspace, { COMPORTA_TRIED: hostile });
      const { environmentFile } = workspace;
      const shown = execFileSync('sh', [
        '-c',
        `. "$0"; printf %s "$COMPORTA_TRIED"`,
        environmentFile,
      ]);
      assert.equal(shown.toString(), hostile);
      assert.equal((await stat(environmentFile)).mode & 0o777, 0o600);
      assert.match(await readFile(environmentFile, 'utf8'), /^export COMPORTA_TRIED='/);
    } finally {
      await rm(workspace.path, { recursive: true });
    }
  });
});
