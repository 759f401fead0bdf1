/** Run as a process of its own by crash.test.ts: loads, and kills itself at a change of the store. */
import { createFileStore } from '../../src/destinations/parquet/file-store';
import { loadOn } from '../support/crash-contract';
import { interruptedStore } from '../support/interrupting-store';

const [, , root = '', at] = process.argv;
const { store } = interruptedStore(createFileStore(root), {
  at: Number(at),
  effect: 'after',
  lasting: 'forever',
  interrupt: () => process.kill(process.pid, 'SIGKILL'),
});
void loadOn(store, 'incremental', 1);
