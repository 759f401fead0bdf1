import type { CommandContext, Output } from '../../src/client/context';
import { runProgram } from '../../src/client/program';
import type { PipelineState } from '../../src/client/render/history-lines';
import type { HistoryEvent } from '../../src/history/history';
import { loadProject } from '../../src/pipeline/load';
import type { Plan } from '../../src/plan/plan';
import { createResources } from '../../src/resources';
import { openClient } from '../../src/temporal/open-client';
import type { BatchSummary } from '../../src/workflows/api';

/** What `trigger --wait --json` prints. */
export interface TriggerDocument {
  readonly pipeline: string;
  readonly batch: string;
  readonly workflowId: string;
  readonly link?: string;
  readonly summary: BatchSummary;
  readonly outcomes: readonly HistoryEvent[];
}

/** The project's own commands, run in this process; what goes wrong is thrown. */
export interface Commands {
  trigger(pipeline: string): Promise<TriggerDocument>;
  plan(pipeline: string): Promise<Plan>;
  history(): Promise<readonly PipelineState[]>;
}

export function createCommands(environment: NodeJS.ProcessEnv): Commands {
  const run = async (commandLine: readonly string[]) => {
    const stdout = captured();
    const stderr = captured();
    const code = await runProgram(contextOf(environment, stdout, stderr), commandLine);
    // A batch with failed tables has a document, and the caller wants to show it.
    if (code !== 0 && stdout.text() === '')
      throw new Error(`${commandLine.join(' ')}: exit code ${code}\n${stderr.text()}`);
    return stdout.text();
  };
  return {
    trigger: async (pipeline) => parsed(await run(['trigger', pipeline, '--wait', '--json'])),
    plan: async (pipeline) => parsed(await run(['plan', pipeline, '--json'])),
    history: async () => parsed(await run(['history', '--json'])),
  };
}

/** The document that a command printed, or the error that it told of in its place. */
function parsed<Document>(text: string): Document {
  const document = JSON.parse(text) as Document & { readonly error?: { readonly message: string } };
  if (document.error !== undefined) throw new Error(document.error.message);
  return document;
}

function captured() {
  let text = '';
  const write = (more: string) => void (text += more);
  return { write, text: () => text, isTerminal: false, columns: undefined };
}

function contextOf(environment: NodeJS.ProcessEnv, stdout: Output, stderr: Output): CommandContext {
  return {
    stdout,
    stderr,
    environment,
    loadProject: (directory) => loadProject(directory, { environment }),
    resources: createResources(environment),
    openClient: (profile) => openClient(environment, profile),
    now: () => new Date(),
    // Ctrl-C ends the demo with all that it started.
    interruption: () => ({ signal: new AbortController().signal, dispose: () => undefined }),
  };
}
