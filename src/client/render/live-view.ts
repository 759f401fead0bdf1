import type { Output } from '../context';

/** Lines on a terminal that are drawn over again. */
export interface LiveView {
  /** Replaces what was shown before. Lines must fit the terminal's width. */
  show(lines: readonly string[]): void;
  /** Takes the lines away again. */
  clear(): void;
}

/** Erases with ECMA-48 CPL (previous line) and ED (erase to the end). */
export function createLiveView(output: Output): LiveView {
  let height = 0;
  const erase = () => (height === 0 ? '' : `\x1b[${height}F\x1b[0J`);
  return {
    show(lines) {
      // One write per frame, or the terminal flickers.
      output.write(erase() + lines.map((line) => `${line}\n`).join(''));
      height = lines.length;
    },
    clear() {
      output.write(erase());
      height = 0;
    },
  };
}
