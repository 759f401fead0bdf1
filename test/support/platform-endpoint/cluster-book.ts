import { randomUUID } from 'node:crypto';
import type { protos } from '@google-cloud/dataproc';

type Cluster = protos.google.cloud.dataproc.v1.ICluster;

export interface MadeCluster {
  readonly name: string;
  readonly uuid: string;
  /** As it was asked for. */
  readonly wanted: Cluster;
  state: 'CREATING' | 'RUNNING' | 'ERROR' | 'DELETING';
  detail: string;
}

/**
 * Clusters that were made by calls. Each takes a moment to come and a moment to go, `looks` calls of
 * GetCluster long, so that both states are seen without a clock.
 */
export class ClusterBook {
  /** Those that cost money now, by name. */
  readonly present = new Map<string, MadeCluster>();
  /** All that were ever made. */
  readonly made: MadeCluster[] = [];
  private readonly looksLeft = new Map<string, number>();
  private failures: string[] = [];
  private held = false;

  constructor(private readonly looks = 2) {}

  create(wanted: Cluster): MadeCluster {
    const name = wanted.clusterName ?? '';
    const cluster: MadeCluster = {
      ...{ name, uuid: randomUUID(), wanted },
      ...{ state: 'CREATING', detail: '' },
    };
    this.made.push(cluster);
    this.present.set(name, cluster);
    this.looksLeft.set(cluster.uuid, this.looks);
    return cluster;
  }

  /** One look at a cluster; it is a step further after it. */
  look(name: string): MadeCluster | undefined {
    const cluster = this.present.get(name);
    if (cluster === undefined || this.held) return cluster;
    const left = (this.looksLeft.get(cluster.uuid) ?? 0) - 1;
    this.looksLeft.set(cluster.uuid, left);
    if (left > 0) return cluster;
    if (cluster.state === 'DELETING') {
      this.present.delete(name);
      return undefined;
    }
    if (cluster.state === 'CREATING') {
      const failure = this.failures.shift();
      cluster.state = failure === undefined ? 'RUNNING' : 'ERROR';
      cluster.detail = failure ?? '';
    }
    return cluster;
  }

  delete(cluster: MadeCluster): void {
    if (cluster.state === 'DELETING') return;
    cluster.state = 'DELETING';
    this.looksLeft.set(cluster.uuid, this.looks);
  }

  /** The next creation ends in an error, after it was accepted. */
  failNext(detail: string): void {
    this.failures.push(detail);
  }

  /** Clusters stay in their states until `proceed`. */
  hold(): void {
    this.held = true;
  }

  proceed(): void {
    this.held = false;
  }

  /**
   * What Dataproc does when so many seconds have passed in which no job ran: clusters whose
   * configuration says so are gone.
   */
  passIdle(seconds: number): void {
    for (const { name, wanted } of [...this.present.values()]) {
      const ttl = Number(wanted.config?.lifecycleConfig?.idleDeleteTtl?.seconds ?? Infinity);
      if (seconds >= ttl) this.present.delete(name);
    }
  }
}
