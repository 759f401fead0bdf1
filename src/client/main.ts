import { loadProject } from '../pipeline/load';
import { createResources } from '../resources';
import { openClient } from '../temporal/open-client';
import type { CommandContext, Output } from './context';
import { runProgram } from './program';

/** Milliseconds that an open handle may keep the process after its command has ended. */
const LINGER_MS = 2_000;

function outputOf(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => void stream.write(text),
    isTerminal: stream.isTTY,
    get columns() {
      return stream.isTTY ? stream.columns : undefined;
    },
    get rows() {
      return stream.isTTY ? stream.rows : undefined;
    },
  };
}

function processContext(): CommandContext {
  return {
    stdout: outputOf(process.stdout),
    stderr: outputOf(process.stderr),
    environment: process.env,
    loadProject: (directory) => loadProject(directory, { environment: process.env }),
    resources: createResources(process.env),
    openClient: (profile) => openClient(process.env, profile),
    now: () => new Date(),
    interruption() {
      const controller = new AbortController();
      const abort = () => controller.abort();
      // Once: a second Ctrl-C ends the process.
      process.once('SIGINT', abort);
      return { signal: controller.signal, dispose: () => process.off('SIGINT', abort) };
    },
  };
}

// A reader such as head may leave before everything is written.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

void runProgram(processContext(), process.argv.slice(2)).then((code) => {
  // Not process.exit() at once: what was written to a pipe may still be on its way.
  process.exitCode = code;
  setTimeout(() => process.exit(), LINGER_MS).unref();
});
