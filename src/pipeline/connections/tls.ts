import { DEFAULT_TLS_MODE } from '../defaults';
import { defined } from '../defined';
import type { Partly } from '../issues';
import type { TlsFilePaths, TlsSettings } from '../pipeline';
import type { Input } from './input';
import type { Place } from './place';

export function tlsSettings(
  place: Place,
  input: Partly<NonNullable<Input<'mysql'>['tls']>> = {},
): TlsSettings {
  const mode = input.mode ?? DEFAULT_TLS_MODE;
  if (
    'ca' in input &&
    !('mode' in input && input.mode === undefined) &&
    !mode.startsWith('verify')
  ) {
    place.mistake(
      'ca',
      `has no effect with mode ${mode}, which verifies nothing`,
      'set `mode: verify-full` (or verify-ca)',
    );
  }
  if (mode !== 'disable') return { mode, ...tlsFiles(place, input) };
  for (const key of ['certificate', 'key'] as const) {
    if (key in input) {
      place.mistake(key, 'has no effect with mode disable', 'remove it, or set `mode: require`');
    }
  }
  return { mode };
}

export function tlsFiles(place: Place, input: Partly<TlsFilePaths>): TlsFilePaths {
  place.inPairs(input, ['certificate', 'key']);
  return defined({
    ca: place.file(input.ca),
    certificate: place.file(input.certificate),
    key: place.file(input.key),
  });
}
