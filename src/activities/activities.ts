import type { Context } from '@temporalio/activity';
import type { Logger } from 'pino';
import type { Metrics } from '../metrics/metrics';
import type { Pipeline, Project } from '../pipeline/pipeline';
import type { Resources } from '../resources';
import type { Tracer } from '../tracing/tracing';
import { ComportaError } from '../errors';
import { restOf } from '../pipeline/mistakes';

/** What activities are made from. `loadProject` is asked anew each time, so that edits take effect. */
export interface ActivityDependencies {
  readonly loadProject: () => Promise<Project>;
  readonly resources: Resources;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  readonly now: () => Date;
  /** The page of a workflow in the Web UI, where its address is known. */
  readonly linkTo: (workflowId: string) => string | undefined;
  /** When the pipeline's schedule was due before this run of it, and did not start one. */
  readonly missedRuns: (pipeline: string, scheduledFor: Date) => Promise<readonly Date[]>;
  /** The running activity's context; injected because it lives in async storage. */
  readonly context: () => Context;
}

export async function findPipeline(
  deps: ActivityDependencies,
  name: string,
): Promise<{ project: Project; pipeline: Pipeline }> {
  const project = await deps.loadProject().catch((error: unknown) => {
    // A mistake in another pipeline's file, made while the worker runs, does not stop this one.
    const rest = restOf(error);
    if (!rest.pipelines.has(name)) throw error;
    return rest;
  });
  const pipeline = project.pipelines.get(name);
  if (pipeline === undefined) {
    throw new ComportaError(
      'ConfigurationInvalid',
      `there is no pipeline "${name}" in ${project.directory}`,
      {
        remedy: `the worker knows: ${[...project.pipelines.keys()].join(', ')}`,
      },
    );
  }
  return { project, pipeline };
}
