import type { Pipeline, Project } from './pipeline';
import { settingsFor } from './settings';

/** Names of the connections that make a cluster for the batch in which these tables load. */
export function clustersOf(
  { project, pipeline }: { readonly project: Project; readonly pipeline: Pipeline },
  tables: readonly string[],
): readonly string[] {
  const names = new Set<string>();
  for (const table of tables) {
    const { engine, platform } = settingsFor(pipeline, table);
    const connection = engine === 'dataproc' ? project.connections.get(platform ?? '') : undefined;
    if (connection?.type === 'dataproc' && 'ephemeralCluster' in connection.runOn) {
      names.add(connection.name);
    }
  }
  return [...names].sort();
}
