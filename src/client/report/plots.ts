/** Small plots as SVG text. Nothing in them comes from outside but numbers and escaped labels. */

export interface Bar {
  /** Shown when the pointer rests on the bar, and to readers of the page that do not see it. */
  readonly label: string;
  readonly value: number;
}

const CURVE = { width: 120, height: 24, margin: 2 };

/** A curve of a few values, from zero to the largest; a single value is a point. */
export function sparkline(values: readonly number[], title: string): string {
  const { width, height, margin } = CURVE;
  if (values.length === 0) return '';
  const most = Math.max(...values, 1);
  const points = values.map((value, index) => {
    const x =
      values.length === 1
        ? width - margin
        : margin + (index * (width - 2 * margin)) / (values.length - 1);
    const y = height - margin - (value / most) * (height - 2 * margin);
    return [rounded(x), rounded(y)] as const;
  });
  const [lastX, lastY] = points.at(-1)!;
  const line = points.map(([x, y]) => `${x},${y}`).join(' ');
  return (
    `<svg class="curve" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">` +
    `<title>${escaped(title)}</title><polyline points="${line}"/>` +
    `<circle cx="${lastX}" cy="${lastY}" r="2"/></svg>`
  );
}

const CHART = { width: 720, height: 140, foot: 18, top: 16 };

/** Bars over time, the largest value named at its top. */
export function bars(
  all: readonly Bar[],
  title: string,
  format: (value: number) => string,
): string {
  const { width, height, foot, top } = CHART;
  const most = Math.max(...all.map(({ value }) => value), 0);
  const step = width / Math.max(1, all.length);
  const room = height - foot - top;
  const drawn = all.map(({ label, value }, index) => {
    const tall = most === 0 ? 0 : (value / most) * room;
    // A day with little is not a day with nothing.
    const seen = value > 0 ? Math.max(1, tall) : 0;
    const [x, y] = [rounded(index * step + step * 0.1), rounded(height - foot - seen)];
    return (
      `<rect x="${x}" y="${y}" width="${rounded(step * 0.8)}" height="${rounded(seen)}">` +
      `<title>${escaped(`${label}: ${format(value)}`)}</title></rect>`
    );
  });
  const [first, last] = [all[0], all.at(-1)];
  const axis = `<line x1="0" y1="${height - foot}" x2="${width}" y2="${height - foot}"/>`;
  const text = (x: number, y: number, anchor: string, words: string) =>
    `<text x="${x}" y="${y}" text-anchor="${anchor}">${escaped(words)}</text>`;
  return (
    `<svg class="bars" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">` +
    drawn.join('') +
    axis +
    text(0, 11, 'start', `${title}, at most ${format(most)}`) +
    (first === undefined ? '' : text(0, height - 4, 'start', first.label)) +
    (last === undefined ? '' : text(width, height - 4, 'end', last.label)) +
    '</svg>'
  );
}

export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
