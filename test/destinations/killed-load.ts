/** Run as a process of its own by crash.test.ts: loads, and kills itself on the way. */
import promises from 'node:fs/promises';
import { mock } from 'node:test';
import { createFileStore } from '../../src/destinations/parquet/file-store';
import { loadOn } from '../support/crash-contract';
import { interruptedStore, type Interruption } from '../support/interrupting-store';

const [, , root = '', at, moment] = process.argv;
const interrupt = () => process.kill(process.pid, 'SIGKILL');

/** Before a file that is written gets its name. */
function killAtRename(index: number): void {
  const { rename } = promises;
  let renames = 0;
  mock.method(promises, 'rename', async (from: string, to: string) => {
    if (renames++ === index) interrupt();
    await rename(from, to);
  });
}

const afterChange: Interruption = {
  at: Number(at),
  effect: 'after',
  lasting: 'forever',
  interrupt,
};
if (moment === 'rename') killAtRename(Number(at));
const { store } = interruptedStore(
  createFileStore(root),
  moment === 'rename' ? undefined : afterChange,
);
void loadOn(store, 'incremental', 1);
