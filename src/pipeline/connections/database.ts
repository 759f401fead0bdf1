import { DEFAULT_CONNECT_TIMEOUT, DEFAULT_PORTS, DEFAULT_SILENCE_TIMEOUT } from '../defaults';
import { defined } from '../defined';
import { parseDuration } from '../duration';
import type { Partly } from '../issues';
import type { DatabaseConnection } from '../pipeline';
import type { Input } from './input';
import type { Place } from './place';
import { tlsSettings } from './tls';

export function database(
  place: Place,
  name: string,
  input: Input<'mysql' | 'postgres'>,
): Partly<DatabaseConnection> {
  const text = (key: 'host' | 'user' | 'database') => place.text(key, input[key]);
  return defined({
    type: input.type,
    name,
    host: text('host'),
    port: place.port('port', input.port ?? DEFAULT_PORTS[input.type ?? 'mysql']),
    user: text('user'),
    password: place.secret(input.password),
    database: text('database'),
    tls: tlsSettings(place.section('tls'), input.tls),
    connectTimeoutMs: parseDuration(input.connectTimeout ?? DEFAULT_CONNECT_TIMEOUT),
    maxParallelLoads: input.maxParallelLoads,
    silenceTimeoutMs: parseDuration(input.silenceTimeout ?? DEFAULT_SILENCE_TIMEOUT),
  });
}
