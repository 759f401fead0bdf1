import { DEFAULT_RUN_TIMEOUT } from '../defaults';
import { defined } from '../defined';
import { parseDuration } from '../duration';
import type { Partly } from '../issues';
import { OWN_ARGUMENTS } from '../job-arguments';
import type { GlueConnection } from '../pipeline';
import type { Input } from './input';
import type { Place } from './place';

export function glue(place: Place, name: string, input: Input<'glue'>): Partly<GlueConnection> {
  const text = (key: 'region' | 'job') => place.text(key, input[key]);
  for (const argument of OWN_ARGUMENTS.filter((own) => own in (input.arguments ?? {}))) {
    place.mistake(['arguments', argument], 'is set by Comporta', 'remove it');
  }
  place.inPairs(input, ['accessKeyId', 'secretAccessKey']);
  return defined({
    type: input.type,
    name,
    region: text('region'),
    job: text('job'),
    workerType: input.workerType,
    workers: input.workers,
    timeoutMs: parseDuration(input.timeout ?? DEFAULT_RUN_TIMEOUT),
    arguments: (input.arguments ?? {}) as Record<string, string>,
    endpoint: place.endpoint(
      input.endpoint,
      'write scheme, host and port, such as http://127.0.0.1:4566',
    ),
    accessKeyId: place.secret(input.accessKeyId),
    secretAccessKey: place.secret(input.secretAccessKey),
  });
}
