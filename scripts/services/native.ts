import { join } from 'node:path';
import type { ServiceDirectory } from './directory';
import { leaveDirectory, leaveServer } from './end-of-process';
import { commandLineOf } from './process-table';
import { serverProcess, type ServerCommand } from './process';
import { loopback, type NativeService } from './service';

export interface NativeServer<Name extends string> {
  readonly name: Name;
  readonly port: number;
  readonly directory: ServiceDirectory;
  /** The command line, with the caller's extra arguments at the end. */
  readonly command: (extraArgs: readonly string[]) => ServerCommand;
  readonly extraArgs: readonly string[] | undefined;
  /** Resolves when the server answers a client; it is tried again while it rejects. */
  readonly ready: () => Promise<unknown>;
  /** Default: SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
}

/** Starts a server whose directory is prepared, and gives the handle that owns both. */
export async function startNative<Name extends string>(
  server: NativeServer<Name>,
): Promise<NativeService<Name>> {
  const { name, port, directory, command, ready, stopSignal = 'SIGTERM' } = server;
  const logFile = join(directory.path, 'server.log');
  const running = serverProcess({ name, logFile, ready, stopSignal });
  let extraArgs = server.extraArgs ?? [];
  await running.start(command(extraArgs));
  return {
    name,
    host: loopback,
    port,
    directory: directory.path,
    logFile,
    get pid() {
      return running.pid;
    },
    stop: async () => {
      await running.stop();
      await directory.dispose();
    },
    keep: () => {
      const { pid } = running;
      const commandLine = pid === undefined ? undefined : commandLineOf(pid);
      if (pid === undefined || commandLine === undefined)
        throw new Error(`${name} is not running and cannot be kept`);
      leaveServer(pid);
      leaveDirectory(directory.path);
      const disposableDirectory = directory.disposable ? directory.path : undefined;
      return { kind: 'process', pid, commandLine, stopSignal, disposableDirectory };
    },
    kill9: () => running.kill9(),
    restart: async (otherArgs) => {
      extraArgs = otherArgs ?? extraArgs;
      await running.stop();
      await running.start(command(extraArgs));
    },
  };
}

/**
 * A service with its connection facts. A spread would read `pid` once and freeze it, hence the
 * facts are added to the service itself.
 */
export function withFacts<Service extends object, Facts extends object>(
  service: Service,
  facts: Facts,
): Service & Facts {
  return Object.assign(service, facts);
}
