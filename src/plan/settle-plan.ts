import type { Destination } from '../destinations/destination';
import { planPath, type Plan } from './plan';

/** A plan as the lake keeps it. It does not change any more. */
export interface SettledPlan extends Plan {
  /** The controller's run that goes by it. */
  readonly workflowRun: string;
}

export interface PlanningRun {
  readonly pipeline: string;
  readonly batch: string;
  /** Run id of the controller's workflow. */
  readonly workflowRun: string;
}

/**
 * The one plan of a controller's run, and where it lies in the lake. Whoever asks first makes it, and
 * all others get the same: an attempt after one that was lost, and one that was frozen and goes on
 * beside its successor, when tables are loading already. Were it made again then, tables could be
 * left out that the first plan loads, or the other way round.
 */
export async function settlePlan(
  documents: Pick<Destination, 'getDocument' | 'putDocumentOnce'>,
  { pipeline, batch, workflowRun }: PlanningRun,
  make: () => Promise<Plan>,
): Promise<{ readonly plan: SettledPlan; readonly path: string }> {
  const path = planPath(pipeline, batch);
  const settled =
    ((await documents.getDocument(path)) as SettledPlan | undefined) ??
    ((await documents.putDocumentOnce(path, { ...(await make()), workflowRun })) as SettledPlan);
  if (settled.workflowRun === workflowRun) return { plan: settled, path };
  // A batch that was started again under its name: what was planned before stays to be read.
  return settlePlan(documents, { pipeline, batch: `${batch}-${workflowRun}`, workflowRun }, make);
}
