import { join } from 'node:path';
import { inServiceDirectory } from './directory';
import { freePort } from './network';
import { serverProcess } from './process';
import { ensurePython, type PythonEnvironment } from './python';
import { loopback } from './service';

/** A stand-in for services of AWS. It takes any keys. */
export interface MotoServer {
  readonly endpoint: string;
  readonly region: string;
  /** Stops it and forgets what it held. Calling it again does nothing. */
  stop(): Promise<void>;
}

const requirements = [
  'moto[events,glue,s3,secretsmanager]==5.2.5',
  'flask==3.1.3',
  'flask-cors==6.0.5',
] as const;

/**
 * Finds or makes an environment of Python with moto.
 * @throws ToolUnavailableError where there is no Python, or pip cannot have a package.
 */
export function ensureMoto(progress?: (line: string) => void): Promise<PythonEnvironment> {
  return ensurePython('moto', requirements, progress);
}

/** Starts moto on a free port; what it holds is in its memory. */
export async function startMoto(progress?: (line: string) => void): Promise<MotoServer> {
  const { python } = await ensureMoto(progress);
  return inServiceDirectory('moto', undefined, async (directory) => {
    const port = await freePort();
    const endpoint = `http://${loopback}:${port}`;
    const server = serverProcess({
      name: 'moto',
      logFile: join(directory.path, 'server.log'),
      ready: async () => {
        const answer = await fetch(`${endpoint}/moto-api/data.json`);
        if (!answer.ok) throw new Error(`moto answered ${answer.status}`);
      },
      stopSignal: 'SIGTERM',
    });
    await server.start({
      command: python,
      args: ['-m', 'moto.server', '-H', loopback, '-p', `${port}`],
      cwd: directory.path,
    });
    return {
      endpoint,
      region: 'us-east-1',
      stop: async () => {
        await server.stop();
        await directory.dispose();
      },
    };
  });
}
