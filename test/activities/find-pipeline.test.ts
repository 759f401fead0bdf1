import assert from 'node:assert/strict';
import { findPipeline, type ActivityDependencies } from '../../src/activities/activities';
import { ComportaError } from '../../src/errors';
import { loadProject } from '../../src/pipeline/load';
import { CONNECTIONS, SALES, withFolder, type Files } from '../pipeline/project-folder';

const find = (files: Files, name: string) =>
  withFolder(files, async (directory) => {
    const load = () => loadProject(directory, { environment: {} });
    return findPipeline({ loadProject: load } as ActivityDependencies, name);
  });

describe('the pipeline of an activity', () => {
  const files = { 'connections.yaml': CONNECTIONS, 'sales.yaml': SALES };
  const broken = { ...files, 'other.yaml': 'pipeline: other\n' };

  it('is found beside the broken file of another', async () => {
    assert.equal((await find(broken, 'sales')).pipeline.name, 'sales');
  });
  it('fails with its mistakes when its own file is broken', async () => {
    await assert.rejects(find(broken, 'other'), /other\.yaml:1:1 .*source.*missing/);
  });
  it('fails with the names that there are when there is none of its name', async () => {
    await assert.rejects(find(files, 'other'), (error) => {
      assert.ok(error instanceof ComportaError && error.code === 'ConfigurationInvalid');
      assert.match(error.message, /no pipeline "other"/);
      return true;
    });
  });
});
