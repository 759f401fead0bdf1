import { ComportaError } from '../errors';

/** Units from the largest to the smallest, in milliseconds. */
const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

/** `500ms`, `5s`, `10m`, `24h`, `7d`, and these joined from large to small: `1h30m`. */
export const DURATION_PATTERN =
  /^(?=\d)(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m)?(?:(\d{1,9})s)?(?:(\d{1,9})ms)?$/;

/** A duration in milliseconds. Throws ConfigurationInvalid for anything that is not one. */
export function parseDuration(text: string): number {
  const match = DURATION_PATTERN.exec(text);
  if (match === null) {
    throw new ComportaError('ConfigurationInvalid', `"${text}" is not a duration`, {
      remedy: 'write a number and a unit (ms, s, m, h, d), such as 30s, 10m or 1h30m',
    });
  }
  return UNITS.reduce((sum, [, size], index) => sum + Number(match[index + 1] ?? 0) * size, 0);
}

/** The shortest text that `parseDuration` reads back as the same whole number of milliseconds. */
export function formatDuration(milliseconds: number): string {
  let rest = Math.round(milliseconds);
  let text = '';
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === '' ? '0s' : text;
}
