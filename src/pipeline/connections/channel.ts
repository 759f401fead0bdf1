import { DEFAULT_PORTS } from '../defaults';
import { defined } from '../defined';
import type { Partly } from '../issues';
import type { SlackConnection, SmtpConnection } from '../pipeline';
import type { Input } from './input';
import type { Place } from './place';
import { tlsSettings } from './tls';

export function slack(place: Place, name: string, input: Input<'slack'>): Partly<SlackConnection> {
  const { type, webhook } = input;
  return defined({ type, name, webhook: place.secret(webhook) });
}

export function smtp(place: Place, name: string, input: Input<'smtp'>): Partly<SmtpConnection> {
  const { type, from, to } = input;
  const text = (key: 'host' | 'user') => place.text(key, input[key]);
  place.inPairs(input, ['user', 'password']);
  return defined({
    ...{ type, name },
    host: text('host'),
    port: place.port('port', input.port ?? DEFAULT_PORTS.smtp),
    user: text('user'),
    password: place.secret(input.password),
    ...{ from, to },
    tls: tlsSettings(place.section('tls'), input.tls),
  });
}
