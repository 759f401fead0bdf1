import { z } from 'zod';
import * as defaults from './defaults';
import { parseDuration } from './duration';
import type { Partly } from './issues';
import type { EphemeralCluster } from './pipeline';
import {
  CLOUD_KMS_KEY,
  duration,
  environmentText,
  name,
  optional,
  section,
  text,
  wholeNumber,
} from './values';

const machineType = () =>
  name(/^[a-z][a-z0-9]*(-[a-z0-9]+)+$/, 'a machine type, such as n2-standard-4');

/** A cluster that is made for a batch, as connections.yaml describes it. */
export const ephemeralCluster = section({
  imageVersion: optional(
    name(/^[0-9]+\.[0-9]+(\.[0-9]+)?(-[a-z]+[0-9]*)?$/, 'a version, such as "2.2-debian12"'),
    "Version of the image. Default: Dataproc's.",
  ),
  masterMachineType: optional(machineType(), "Machine of the master. Default: Dataproc's."),
  workerMachineType: optional(machineType(), "Machines of the workers. Default: Dataproc's."),
  workers: optional(
    wholeNumber(0, 1_000),
    'Workers: 2 or more, or 0 for one machine that does everything.',
    defaults.DEFAULT_CLUSTER_WORKERS,
  ),
  secondaryWorkers: optional(
    wholeNumber(0, 1_000),
    'Spot machines besides, which cost less and may be taken away at any time.',
    0,
  ),
  diskGb: optional(wholeNumber(10, 65_536), "Disk of each machine, GB. Default: Dataproc's."),
  zone: optional(environmentText(), 'Zone of the region. Default: Dataproc chooses one.'),
  subnetwork: optional(
    environmentText(),
    'Subnetwork from which the source is reached. Default: the one of the region in the network `default`.',
  ),
  networkTags: optional(z.array(text('a tag')), 'Network tags of the machines, for firewalls.'),
  serviceAccount: optional(
    environmentText(),
    'E-mail of the account that machines and jobs run as. Default: that of Compute Engine.',
  ),
  internalIpOnly: optional(
    z.boolean(),
    "Give the machines no address outside; the subnetwork then needs Private Google Access. Default: Dataproc's, by the image.",
  ),
  autoscalingPolicy: optional(
    environmentText(),
    'Autoscaling policy of the region, by its name or as projects/…/regions/…/autoscalingPolicies/….',
  ),
  stagingBucket: optional(
    environmentText(),
    'Bucket for what clusters leave behind, such as the output of jobs. Default: one that Dataproc makes.',
  ),
  kmsKey: optional(
    environmentText(),
    'Key of Cloud KMS that encrypts the disks, projects/…/locations/…/keyRings/…/cryptoKeys/….',
  ),
  properties: optional(
    z.record(
      name(/^[a-z0-9-]+:\S+$/, 'file and property, such as spark:spark.executor.memory'),
      text('a text'),
    ),
    'Properties of the cluster, such as spark:spark.executor.memory: 4g.',
  ),
  idleTtl: optional(
    duration({ minimum: '5m', maximum: '14d' }),
    'Dataproc deletes the cluster when no job has run for so long, should nobody else have deleted it.',
    defaults.DEFAULT_CLUSTER_IDLE_TTL,
  ),
  maxAge: optional(
    duration({ minimum: '10m', maximum: '14d' }),
    'Dataproc deletes the cluster at this age, also under a job.',
    defaults.DEFAULT_CLUSTER_MAX_AGE,
  ),
});

type Input = Partly<z.output<typeof ephemeralCluster>>;

export interface ClusterPlace {
  /** Of the connection; undefined where that has a mistake. */
  readonly project: string | undefined;
  readonly region: string | undefined;
  /** The text itself, or that of the variable it names. */
  text(key: string, value: string | undefined): string | undefined;
  mistake(key: string, problem: string, fix: string): void;
}

/** What is left to Dataproc is there as undefined. */
export function ephemeralClusterSettings(input: Input, place: ClusterPlace): EphemeralCluster {
  const read = (
    key:
      'zone' | 'subnetwork' | 'serviceAccount' | 'autoscalingPolicy' | 'stagingBucket' | 'kmsKey',
  ) => place.text(key, input[key]);
  const zone = read('zone');
  if (zone !== undefined && place.region !== undefined && !zone.startsWith(`${place.region}-`)) {
    const fix = `write a zone of ${place.region}, or leave it out`;
    place.mistake('zone', 'is no zone of the region', fix);
  }
  const kmsKey = read('kmsKey');
  if (kmsKey !== undefined && !CLOUD_KMS_KEY.test(kmsKey)) {
    const fix = 'write projects/…/locations/…/keyRings/…/cryptoKeys/…';
    place.mistake('kmsKey', 'is not the name of a key of Cloud KMS', fix);
  }
  const { workers = defaults.DEFAULT_CLUSTER_WORKERS } = input;
  if (workers === 1) {
    place.mistake('workers', 'cannot be 1', 'write 2 or more, or 0 for a cluster of one machine');
  }
  const { idleTtl = defaults.DEFAULT_CLUSTER_IDLE_TTL, maxAge = defaults.DEFAULT_CLUSTER_MAX_AGE } =
    input;
  const policy = read('autoscalingPolicy');
  return {
    imageVersion: input.imageVersion,
    masterMachineType: input.masterMachineType,
    workerMachineType: input.workerMachineType,
    workers,
    secondaryWorkers: input.secondaryWorkers ?? 0,
    diskGb: input.diskGb,
    ...{ zone, subnetwork: read('subnetwork') },
    networkTags: (input.networkTags ?? []) as readonly string[],
    serviceAccount: read('serviceAccount'),
    internalIpOnly: input.internalIpOnly,
    autoscalingPolicy: policy === undefined ? undefined : policyName(policy, place),
    stagingBucket: read('stagingBucket'),
    kmsKey,
    properties: (input.properties ?? {}) as Record<string, string>,
    idleTtlMs: parseDuration(idleTtl),
    maxAgeMs: parseDuration(maxAge),
  };
}

/** Dataproc knows policies by their whole names only. */
function policyName(policy: string, { project, region }: ClusterPlace): string {
  if (policy.includes('/') || project === undefined || region === undefined) return policy;
  return `projects/${project}/regions/${region}/autoscalingPolicies/${policy}`;
}
