/** Lines that tell what a demo is doing, on standard error. */
export interface Progress {
  /** Says that a step begins. */
  step(text: string): void;
  /** Something worth knowing about the step. */
  note(text: string): void;
}

/** Each line with the seconds since the start. */
export function createProgress(write: (text: string) => void, now: () => number): Progress {
  const startedAt = now();
  const line = (text: string) => {
    const seconds = ((now() - startedAt) / 1000).toFixed(1).padStart(5);
    write(`[${seconds} s] ${text}\n`);
  };
  return { step: line, note: (text) => line(`  ${text}`) };
}
