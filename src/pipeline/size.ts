import { ComportaError } from '../errors';

const UNITS: Readonly<Record<string, number>> = {
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** `64KiB`, `256MiB`, `1GiB`. */
export const SIZE_PATTERN = /^(\d{1,6})(KiB|MiB|GiB)$/;

/** A size in bytes. Throws ConfigurationInvalid for anything that is not one. */
export function parseSize(text: string): number {
  const [, count, unit] = SIZE_PATTERN.exec(text) ?? [];
  if (count === undefined || unit === undefined) {
    throw new ComportaError('ConfigurationInvalid', `"${text}" is not a size`, {
      remedy: 'write a whole number and a unit (KiB, MiB, GiB), such as 256MiB',
    });
  }
  return Number(count) * (UNITS[unit] ?? 1);
}
