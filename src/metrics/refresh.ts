import type { Logger } from 'pino';
import { messageOf } from '../errors';
import { restOf } from '../pipeline/mistakes';
import type { Project } from '../pipeline/pipeline';
import type { Resources } from '../resources';
import { verifiedTables } from './freshness';
import type { Metrics } from './metrics';

/** Loads of other workers are seen this late; 10,000 tables cost a third of a second each time. */
const EVERY_MS = 60_000;

export interface RefreshDependencies {
  readonly loadProject: () => Promise<Project>;
  readonly resources: Pick<Resources, 'history'>;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/**
 * Tells the metrics of every table's freshness from the history, at once and every minute, until
 * the returned function is called: what other workers loaded, and what was known before a restart.
 */
export function keepFreshnessKnown(deps: RefreshDependencies): () => void {
  const refresh = () => {
    refreshFreshness(deps).catch((error: unknown) => {
      deps.log.warn({ problem: messageOf(error) }, 'the freshness of tables is not known');
    });
  };
  refresh();
  const timer = setInterval(refresh, EVERY_MS).unref();
  return () => clearInterval(timer);
}

export async function refreshFreshness(deps: Omit<RefreshDependencies, 'log'>): Promise<void> {
  const project = await deps.loadProject().catch(restOf);
  const history = await deps.resources.history(project);
  for (const pipeline of project.pipelines.keys()) {
    const states = await history.briefStates(pipeline);
    deps.metrics.verified(pipeline, verifiedTables(states.values()));
  }
}
