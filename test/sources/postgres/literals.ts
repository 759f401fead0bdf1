/** `YYYY-MM-DD`, ` BC` at its end for years before 1, as PostgreSQL takes it. */
export function dateLiteral(days: number): string {
  const { year, month, day } = civil(days);
  const pad = (value: number, width: number) => String(value).padStart(width, '0');
  const shown = year > 0 ? year : 1 - year;
  return `${pad(shown, 4)}-${pad(month, 2)}-${pad(day, 2)}${year > 0 ? '' : ' BC'}`;
}

/** `YYYY-MM-DD hh:mm:ss.ffffff`, ` BC` at its end for years before 1. */
export function timestampLiteral(microseconds: bigint): string {
  const DAY = 86_400_000_000n;
  const within = ((microseconds % DAY) + DAY) % DAY;
  const date = dateLiteral(Number((microseconds - within) / DAY));
  const [day = '', era = ''] = date.split(' ');
  return `${day} ${timeLiteral(within)}${era === '' ? '' : ' BC'}`;
}

export function timeLiteral(microseconds: bigint): string {
  const part = (divisor: bigint, modulus: bigint, width: number) =>
    String((microseconds / divisor) % modulus).padStart(width, '0');
  return `${part(3_600_000_000n, 100n, 2)}:${part(60_000_000n, 60n, 2)}:${part(1_000_000n, 60n, 2)}.${part(1n, 1_000_000n, 6)}`;
}

/** Year, month and day of days since 1970-01-01 in the proleptic Gregorian calendar. */
function civil(days: number): { year: number; month: number; day: number } {
  // Eras of 400 years that begin in March, so that the leap day is the last of its year.
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1_460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
  };
}
