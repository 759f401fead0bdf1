/** `1,234,567`; empty for undefined. */
export function formatCount(count: number | undefined): string {
  return count === undefined ? '' : Math.round(count).toLocaleString('en-US');
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `512 B`, `12.3 MB`, in powers of 1,000; empty for undefined. */
export function formatBytes(bytes: number | undefined): string {
  if (bytes === undefined) return '';
  let value = bytes;
  let unit = 0;
  // From 999.95 on, one decimal would round to 1000.0.
  while (value >= 999.95 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** `0.8 s`, `59.9 s`, `4 min 05 s`, `2 h 07 min`; empty for undefined. */
export function formatElapsed(milliseconds: number | undefined): string {
  if (milliseconds === undefined) return '';
  if (milliseconds < 59_950) return `${(milliseconds / 1000).toFixed(1)} s`;
  const seconds = Math.round(milliseconds / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${twoDigits(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${twoDigits(minutes % 60)} min`;
}

/** `45,000/s`; empty before anything can be said. */
export function formatRate(count: number, milliseconds: number): string {
  return count === 0 || milliseconds < 500 ? '' : `${formatCount((count * 1000) / milliseconds)}/s`;
}

/** `2026-11-21 03:00:12` in UTC; empty for undefined, unchanged if it is no time. */
export function formatTime(time: string | Date | undefined): string {
  if (time === undefined) return '';
  const date = typeof time === 'string' ? new Date(time) : time;
  if (Number.isNaN(date.getTime())) return String(time);
  return date.toISOString().slice(0, 19).replace('T', ' ');
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
