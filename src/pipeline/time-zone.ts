import { nearest } from './mistakes';

function resolved(name: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

/**
 * Whether a name is an IANA time zone as the Temporal server reads it: unlike Intl it minds
 * letter case and takes no offsets such as `+03:00`.
 */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Z][A-Za-z0-9_+-]*(?:\/[A-Z][A-Za-z0-9_+-]*)*$/.test(name)) return false;
  const canonical = resolved(name);
  if (canonical === undefined) return false;
  return canonical === name || canonical.toLowerCase() !== name.toLowerCase();
}

/** The time zone that was probably meant. */
export function nearestTimeZone(name: string): string | undefined {
  return nearest(name.replaceAll(' ', '_'), ['UTC', ...Intl.supportedValuesOf('timeZone')]);
}
