import {
  Server,
  ServerCredentials,
  status,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import { fromJSON } from '@grpc/proto-loader';
import type { protos } from '@google-cloud/dataproc';
import protocol from '@google-cloud/dataproc/build/protos/protos.json';
import { startFaultyProxy, type FaultyProxy } from '../faulty-proxy';
import { ClusterBook, type MadeCluster } from './cluster-book';
import { answerMayGo, Faults, Refusal } from './faults';
import { JobBook, type BookedJob, type BookOptions } from './job-book';

type V1 = typeof protos.google.cloud.dataproc.v1;
type Request<Name extends keyof V1> = InstanceType<Extract<V1[Name], new () => unknown>>;

export interface DataprocEndpoint {
  /** For a connection: `http://host:port`. */
  readonly url: string;
  readonly faults: Faults;
  /** The way to it. */
  readonly line: FaultyProxy;
  readonly jobs: JobBook;
  readonly batches: JobBook;
  /** Clusters that have always been there and run: names with their labels. */
  readonly clusters: Map<string, Readonly<Record<string, string>>>;
  /** Clusters that calls have made. */
  readonly made: ClusterBook;
  /** What each submission asked for, as it came. */
  readonly submittedJobs: Map<string, Request<'SubmitJobRequest'>>;
  readonly submittedBatches: Map<string, Request<'CreateBatchRequest'>>;
  /** From now on a submission is known by its job's id only. */
  forgetRequests(): void;
  close(): Promise<void>;
}

type Methods = Record<string, (request: never) => unknown>;

/**
 * JobController, BatchController, ClusterController and the operations of the second, on the protocol that the client
 * package itself brings along.
 */
export async function startDataprocEndpoint(options: BookOptions): Promise<DataprocEndpoint> {
  const faults = new Faults();
  const jobs = new JobBook(
    {
      ...{ accepted: 'PENDING', running: 'RUNNING', succeeded: 'DONE', failed: 'ERROR' },
      ...{ stopping: 'CANCEL_STARTED', stopped: 'CANCELLED' },
    },
    options,
  );
  const batches = new JobBook(
    {
      ...{ accepted: 'PENDING', running: 'RUNNING', succeeded: 'SUCCEEDED', failed: 'FAILED' },
      ...{ stopping: 'CANCELLING', stopped: 'CANCELLED' },
    },
    options,
  );
  const clusters: DataprocEndpoint['clusters'] = new Map();
  const made = new ClusterBook();
  /** Names of clusters with what runs on them. */
  const placed = new Map<string, BookedJob[]>();
  const submittedJobs: DataprocEndpoint['submittedJobs'] = new Map();
  const submittedBatches: DataprocEndpoint['submittedBatches'] = new Map();
  const byRequest = new Map<string, string>();

  const jobController: Methods = {
    SubmitJob(request: Request<'SubmitJobRequest'>) {
      const id = request.job?.reference?.jobId ?? '';
      if (!/^[A-Za-z0-9_-]{1,100}$/.test(id)) throw invalid(`Invalid job id: "${id}"`);
      const known = jobs.jobs.get(byRequest.get(request.requestId) ?? '');
      if (known !== undefined) return jobMessage(known);
      if (jobs.jobs.has(id)) throw exists(`Already exists: Failed to submit job: Job ${id}`);
      const { clusterName, clusterLabels } = request.job?.placement ?? {};
      const wanted = Object.entries(clusterLabels ?? {});
      const running = [...made.present.values()]
        .filter(({ state }) => state === 'RUNNING')
        .map(({ name, wanted }) => [name, wanted.labels ?? {}] as const);
      const cluster = [...clusters, ...running].find(([name, labels]) =>
        clusterName ? name === clusterName : wanted.every(([key, value]) => labels[key] === value),
      );
      if (cluster === undefined)
        throw absent(`Not found: Cluster ${clusterName || 'with these labels'}`);
      byRequest.set(request.requestId, id);
      submittedJobs.set(id, request);
      const { mainPythonFileUri, args } = request.job?.pysparkJob ?? {};
      const job = jobs.submit({ id, script: mainPythonFileUri ?? '', args: args ?? [] });
      placed.set(cluster[0], [...(placed.get(cluster[0]) ?? []), job]);
      return jobMessage(job);
    },
    GetJob: ({ jobId }: Request<'GetJobRequest'>) => jobMessage(found(jobs, jobId)),
    CancelJob({ jobId }: Request<'CancelJobRequest'>) {
      const job = found(jobs, jobId);
      if (!jobs.active().includes(job)) throw precondition(`Job ${jobId} is already ${job.state}`);
      jobs.cancel(job);
      return jobMessage(job);
    },
  };

  const clusterController: Methods = {
    CreateCluster({ cluster }: Request<'CreateClusterRequest'>) {
      const name = cluster?.clusterName ?? '';
      if (!/^[a-z]([a-z0-9-]{0,49}[a-z0-9])?$/.test(name)) {
        throw invalid(`Invalid resource field value in the request: clusterName "${name}"`);
      }
      if (clusters.has(name) || made.present.has(name)) {
        throw exists(`Already exists: Failed to create cluster: Cluster ${name}`);
      }
      made.create(cluster!);
      return { name: `projects/p/regions/r/operations/${name}`, done: false };
    },
    GetCluster({ clusterName }: Request<'GetClusterRequest'>) {
      const labels = clusters.get(clusterName);
      if (labels !== undefined) return { clusterName, labels, status: { state: 'RUNNING' } };
      const cluster = made.look(clusterName);
      if (cluster === undefined) throw absent(`Not found: Cluster ${clusterName}`);
      return clusterMessage(cluster);
    },
    ListClusters({ filter }: Request<'ListClustersRequest'>) {
      const wanted = [...filter.matchAll(/labels\.([^ =]+) *= *"?([^ "]+)/g)];
      const all = [
        ...[...clusters].map(([clusterName, labels]) => ({
          ...{ clusterName, labels, status: { state: 'RUNNING' } },
        })),
        ...[...made.present.values()].map(clusterMessage),
      ];
      return {
        clusters: all.filter(({ labels }) =>
          wanted.every(([, key, value]) => labels?.[key ?? ''] === value),
        ),
      };
    },
    DeleteCluster({ clusterName, clusterUuid }: Request<'DeleteClusterRequest'>) {
      const cluster = made.present.get(clusterName);
      if (cluster === undefined || (clusterUuid !== '' && clusterUuid !== cluster.uuid)) {
        throw absent(`Not found: Cluster ${clusterName}`);
      }
      made.delete(cluster);
      for (const job of placed.get(clusterName) ?? []) {
        if (jobs.active().includes(job)) void jobs.end(job.id, 'ERROR', 'Cluster was deleted');
      }
      return { name: `projects/p/regions/r/operations/${clusterName}`, done: false };
    },
  };

  const batchController: Methods = {
    CreateBatch(request: Request<'CreateBatchRequest'>) {
      const id = request.batchId;
      if (!/^[a-z0-9-]{4,63}$/.test(id)) throw invalid(`Batch ID "${id}" is not valid`);
      const known = batches.jobs.get(byRequest.get(request.requestId) ?? '');
      if (known !== undefined) return { name: operationOf(known), done: false };
      if (batches.jobs.has(id)) throw exists(`Already exists: Failed to create batch: Batch ${id}`);
      byRequest.set(request.requestId, id);
      submittedBatches.set(id, request);
      const { mainPythonFileUri, args } = request.batch?.pysparkBatch ?? {};
      const batch = batches.submit({ id, script: mainPythonFileUri ?? '', args: args ?? [] });
      return { name: operationOf(batch), done: false };
    },
    GetBatch({ name }: Request<'GetBatchRequest'>) {
      const batch = found(batches, name.split('/').at(-1) ?? '');
      return {
        name,
        state: batch.state,
        stateMessage: batch.detail,
        operation: operationOf(batch),
        runtimeInfo: { outputUri: batch.output },
      };
    },
  };

  const operations: Methods = {
    CancelOperation({ name }: { readonly name: string }) {
      const batch = found(batches, name.split('/').at(-1) ?? '');
      if (!batches.active().includes(batch)) throw precondition('the operation has ended');
      batches.cancel(batch);
      return {};
    },
  };

  const server = new Server();
  const definitions = fromJSON(protocol, {
    ...{ enums: String, longs: Number, defaults: true, oneofs: true },
  });
  const serve = (service: string, methods: Methods) => {
    const handlers = Object.entries(methods).map(([name, method]) => [
      name,
      (call: ServerUnaryCall<unknown, unknown>, answer: sendUnaryData<unknown>) => {
        void respond(name, () => method(call.request as never), answer);
      },
    ]);
    server.addService(
      definitions[service] as ServiceDefinition,
      Object.fromEntries(handlers) as never,
    );
  };
  const respond = async (
    name: string,
    act: () => unknown,
    answer: sendUnaryData<unknown>,
  ): Promise<void> => {
    const fault = await faults.next(name);
    try {
      if (fault?.kind === 'refused') throw fault.with;
      const result = fault?.kind === 'answered' ? fault.answer : act();
      await answerMayGo(fault);
      if (fault?.kind === 'answer lost') await cutLine();
      else answer(null, result);
    } catch (error) {
      const code = error instanceof Refusal ? Number(error.code) : status.INTERNAL;
      answer({ code, details: (error as Error).message });
    }
  };
  serve('google.cloud.dataproc.v1.JobController', jobController);
  serve('google.cloud.dataproc.v1.BatchController', batchController);
  serve('google.cloud.dataproc.v1.ClusterController', clusterController);
  serve('google.longrunning.Operations', operations);

  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  const line = await startFaultyProxy(port);
  const cutLine = async () => {
    await line.refuse();
    await line.heal();
  };

  return {
    url: `http://${line.host}:${line.port}`,
    ...{ faults, line, jobs, batches, clusters, made, submittedJobs, submittedBatches },
    forgetRequests: () => byRequest.clear(),
    async close() {
      await line.close();
      server.forceShutdown();
      await Promise.all([jobs.close(), batches.close()]);
    },
  };
}

function found(book: JobBook, id: string): BookedJob {
  const job = book.jobs.get(id);
  if (job === undefined) throw absent(`Not found: ${id}`);
  return job;
}

function jobMessage(job: BookedJob) {
  return {
    reference: { jobId: job.id },
    status: { state: job.state, details: job.detail },
    driverOutputResourceUri: job.output,
  };
}

function clusterMessage({ name, uuid, wanted, state, detail }: MadeCluster) {
  const { labels, config } = wanted;
  return {
    ...{ clusterName: name, clusterUuid: uuid, labels, config },
    status: { state, detail },
  };
}

function operationOf({ id }: BookedJob): string {
  return `projects/p/regions/r/operations/${id}`;
}

const invalid = (message: string) => new Refusal(status.INVALID_ARGUMENT, message);
const exists = (message: string) => new Refusal(status.ALREADY_EXISTS, message);
const absent = (message: string) => new Refusal(status.NOT_FOUND, message);
const precondition = (message: string) => new Refusal(status.FAILED_PRECONDITION, message);
