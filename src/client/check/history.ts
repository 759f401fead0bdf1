import type { HistorySettings, Project } from '../../pipeline/pipeline';
import type { CommandContext } from '../context';
import { group, type CheckGroup } from './group';

/** Opens the history, which brings its tables up to date, and reads from it. */
export async function checkHistory(context: CommandContext, project: Project): Promise<CheckGroup> {
  const { history } = project;
  return group(`history ${history.type} ${placeOf(history)}`, async () => {
    const store = await context.resources.history(project);
    const counts = await Promise.all(
      [...project.pipelines.keys()].map(async (name) => (await store.states(name)).size),
    );
    const tables = counts.reduce((sum, count) => sum + count, 0);
    return { checked: `${tables} tables known`, findings: [] };
  });
}

function placeOf(history: HistorySettings): string {
  switch (history.type) {
    case 'sqlite':
      return history.path;
    case 'postgres':
      return history.connection;
    case 'bigquery':
      return `${history.project}.${history.dataset}`;
  }
}
