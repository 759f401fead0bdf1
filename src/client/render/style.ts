import type { Output } from '../context';

/** Puts a text into a colour or weight; the text must be printable. */
export type Paint = (text: string) => string;

export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
}

const asItIs: Paint = (text) => text;

/** SGR parameters (ECMA-48, 8.3.117). */
const sgr =
  (on: number, off: number): Paint =>
  (text) =>
    `\x1b[${on}m${text}\x1b[${off}m`;

export const PLAIN: Style = {
  bold: asItIs,
  dim: asItIs,
  red: asItIs,
  green: asItIs,
  yellow: asItIs,
};

export const COLOURED: Style = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  red: sgr(31, 39),
  green: sgr(32, 39),
  yellow: sgr(33, 39),
};

/** Colours only on a terminal that has them, and never with NO_COLOR (https://no-color.org). */
export function styleFor(output: Output, environment: NodeJS.ProcessEnv): Style {
  const unwanted = Boolean(environment['NO_COLOR']) || environment['TERM'] === 'dumb';
  return output.isTerminal && !unwanted ? COLOURED : PLAIN;
}
