import { createMemoryHistory } from '../support/memory-history';
import { historyContract } from './contract';

historyContract('in memory', () => {
  let elapsed = 0;
  const history = createMemoryHistory({ now: () => Date.now() + elapsed });
  return Promise.resolve({
    open: () => Promise.resolve(history),
    elapse(milliseconds) {
      elapsed += milliseconds;
      return Promise.resolve();
    },
    dispose: () => Promise.resolve(),
  });
});
