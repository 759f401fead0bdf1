const DAY_MS = 86_400_000;

/** The wall clock of a zone at a moment, as milliseconds that would be UTC. */
function wallClock(moment: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });
  const parts = new Map(
    format.formatToParts(moment).map(({ type, value }) => [type, Number(value)]),
  );
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? 0;
  return Date.UTC(
    ...([part('year'), part('month') - 1, part('day')] as const),
    ...([part('hour'), part('minute'), part('second')] as const),
  );
}

/**
 * The moment at which a zone's clocks showed a time. Of two, when they are set back, the earlier; for
 * a time that they leave out, the moment before they do.
 * @param local milliseconds, as if the time were UTC.
 */
export function momentOf(local: number, timeZone: string): number {
  const offsetAt = (moment: number) => {
    const whole = Math.floor(moment / 1000) * 1000;
    return wallClock(whole, timeZone) - whole;
  };
  // An offset that holds a day before or after is the only other one that can hold now.
  const candidates = [local - DAY_MS, local + DAY_MS]
    .map((near) => local - offsetAt(near))
    .toSorted((a, b) => a - b);
  const exact = candidates.find((moment) => moment + offsetAt(moment) === local);
  return exact ?? candidates[0]!;
}
