import type { Output } from '../context';

/** Lines on a terminal that are drawn over again. */
export interface LiveView {
  /** Replaces what was shown before. Lines too long for the terminal are cut, too many left out. */
  show(lines: readonly string[]): void;
  /** Takes the lines away again. */
  clear(): void;
}

const DEFAULT_ROWS = 24;

/**
 * Erases with ECMA-48's CPL (previous line) and ED (erase to the end). While a frame is drawn,
 * automatic wrapping is off (DECAWM, VT100 User Guide): a wrapped line would take two rows, and
 * the next frame would leave one behind.
 */
export function createLiveView(output: Output): LiveView {
  let height = 0;
  const erase = () => (height === 0 ? '' : `\x1b[${height}F\x1b[0J`);
  return {
    show(lines) {
      // The cursor cannot go back to a line that has scrolled out at the top.
      const shown = lines.slice(0, (output.rows ?? DEFAULT_ROWS) - 1);
      // One write per frame, or the terminal flickers.
      const text = shown.map((line) => `${line}\n`).join('');
      output.write(`${erase()}\x1b[?7l${text}\x1b[?7h`);
      height = shown.length;
    },
    clear() {
      output.write(erase());
      height = 0;
    },
  };
}
