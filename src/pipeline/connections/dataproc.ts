import { DEFAULT_BATCH_TTL } from '../defaults';
import { defined } from '../defined';
import { parseDuration } from '../duration';
import { ephemeralClusterSettings } from '../ephemeral-cluster';
import type { Partly } from '../issues';
import type { DataprocConnection, DataprocServerless } from '../pipeline';
import type { Input } from './input';
import type { Place } from './place';

export function dataproc(
  place: Place,
  name: string,
  input: Input<'dataproc'>,
): Partly<DataprocConnection> {
  const endpoint = place.text('endpoint', input.endpoint);
  if (endpoint !== undefined && !/^http:\/\/[^/@:]+:\d+$/.test(endpoint)) {
    const fix = 'write http://host:port, or leave it out for Google Cloud';
    place.mistake('endpoint', 'is not the address of a local server', fix);
  }
  const where = {
    project: place.text('project', input.project),
    region: place.text('region', input.region),
  };
  return defined({
    type: input.type,
    name,
    ...where,
    runOn: runOn(place, input, where),
    labels: (input.labels ?? {}) as Record<string, string>,
    properties: (input.properties ?? {}) as Record<string, string>,
    jars: (input.jars ?? []) as readonly string[],
    endpoint,
  });
}

/** Where jobs run: exactly one of the four keys says it. */
function runOn(
  place: Place,
  input: Input<'dataproc'>,
  where: { readonly project: string | undefined; readonly region: string | undefined },
): DataprocConnection['runOn'] | undefined {
  const keys = ['cluster', 'clusterLabels', 'serverless', 'ephemeralCluster'] as const;
  const [first, second] = keys.filter((key) => key in input);
  if (first === undefined) {
    place.mistakeOfAll(
      'does not say where jobs run',
      'add `cluster:`, `clusterLabels:`, `serverless:` or `ephemeralCluster:` (`serverless: {}` will do)',
    );
    return undefined;
  }
  if (second !== undefined) {
    place.mistake(second, `cannot stand beside \`${first}\``, 'keep one of the two');
    return undefined;
  }
  if (input.clusterLabels !== undefined) {
    return { cluster: { labels: input.clusterLabels as Record<string, string> } };
  }
  if (input.serverless !== undefined) {
    return { serverless: serverlessSettings(place.section('serverless'), input.serverless) };
  }
  if (input.ephemeralCluster !== undefined) {
    const section = place.section('ephemeralCluster');
    const settings = ephemeralClusterSettings(input.ephemeralCluster, { ...where, ...section });
    return { ephemeralCluster: defined(settings) };
  }
  const name = place.text('cluster', input.cluster);
  return name === undefined ? undefined : { cluster: { name } };
}

function serverlessSettings(
  place: Place,
  given: Partly<NonNullable<Input<'dataproc'>['serverless']>>,
): DataprocServerless {
  const input = place.withoutUnset(given);
  const text = (key: 'subnetwork' | 'serviceAccount' | 'stagingBucket') =>
    place.text(key, input[key]);
  return defined({
    version: input.version,
    ttlMs: parseDuration(input.ttl ?? DEFAULT_BATCH_TTL),
    subnetwork: text('subnetwork'),
    serviceAccount: text('serviceAccount'),
    networkTags: (input.networkTags ?? []) as readonly string[],
    stagingBucket: text('stagingBucket'),
  });
}
