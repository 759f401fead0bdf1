import type { Paint, Style } from './style';
import { displayWidth, printable, wrap } from './text';

export interface Column {
  readonly title: string;
  /** Default left. */
  readonly align?: 'left' | 'right';
  /** Wraps when the lines would not fit. Default false. */
  readonly flexible?: boolean;
}

export type Cell = string | { readonly text: string; readonly paint: Paint };

export interface TableLayout {
  /** Cells per line; undefined for lines of any length. */
  readonly width: number | undefined;
  readonly style: Style;
}

const GAP = '  ';
const NARROWEST = 16;

/**
 * Aligned columns under their titles, with no lines drawn: for people to read and for grep. Columns
 * that hold nothing are left out. Each text ends up printable and on its own row.
 */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  { width, style }: TableLayout,
): string[] {
  const filled = columns.map((_, index) => rows.some((row) => textOf(row[index]) !== ''));
  const kept = <Item>(items: readonly Item[]) => items.filter((_, index) => filled[index]);
  const shown = kept(columns);
  const cells = rows.map((row) => kept(columns.map((_, index) => row[index] ?? '')));
  const widths = fit(shown, naturalWidths(shown, cells), width);

  const header = shown.map(({ title }) => ({ text: title, paint: style.dim }));
  return [header, ...cells].flatMap((row) => renderRow(shown, row, widths));
}

function naturalWidths(columns: readonly Column[], rows: readonly (readonly Cell[])[]): number[] {
  return columns.map(({ title }, index) =>
    rows.reduce(
      (widest, row) => Math.max(widest, displayWidth(textOf(row[index]))),
      displayWidth(title),
    ),
  );
}

/** Takes what is too much from the flexible columns, the widest first. */
function fit(columns: readonly Column[], natural: number[], width: number | undefined): number[] {
  if (width === undefined) return natural;
  const widths = [...natural];
  const flexible = columns.flatMap((column, index) => (column.flexible ? [index] : []));
  let excess = sum(widths) + GAP.length * (columns.length - 1) - width;
  while (excess > 0) {
    const widest = flexible.reduce(
      (best, index) => ((widths[index] ?? 0) > (widths[best] ?? 0) ? index : best),
      flexible[0] ?? -1,
    );
    const now = widths[widest] ?? 0;
    if (now <= NARROWEST) break;
    widths[widest] = now - 1;
    excess -= 1;
  }
  return widths;
}

function renderRow(
  columns: readonly Column[],
  row: readonly Cell[],
  widths: readonly number[],
): string[] {
  const wrapped = row.map((cell, index) => wrap(textOf(cell), Math.max(1, widths[index] ?? 0)));
  const height = Math.max(...wrapped.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) => {
    const parts = columns.map(({ align }, index) => {
      const cell = row[index] ?? '';
      const text = wrapped[index]?.[line] ?? '';
      const painted = typeof cell === 'string' || text === '' ? text : cell.paint(text);
      const padding = ' '.repeat(Math.max(0, (widths[index] ?? 0) - displayWidth(text)));
      return align === 'right' ? padding + painted : painted + padding;
    });
    return parts.join(GAP).trimEnd();
  });
}

function textOf(cell: Cell | undefined): string {
  if (cell === undefined) return '';
  return printable(typeof cell === 'string' ? cell : cell.text);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
