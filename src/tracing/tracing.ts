import { createRequire } from 'node:module';
import type { WorkerOptions } from '@temporalio/worker';
import { ComportaError, messageOf } from '../errors';
import type * as OpenTelemetry from './open-telemetry';

/** What a span says of itself. Never a row's value, never a secret. */
export type SpanAttributes = Readonly<Record<string, string | number>>;

export interface Tracer {
  /**
   * Runs the body as a span below the one under way. `note` adds what is known only later. A failed
   * span has the code of the ComportaError (`comporta.error`) and no message.
   */
  span<Result>(
    name: string,
    attributes: SpanAttributes,
    body: (note: (attributes: SpanAttributes) => void) => Promise<Result>,
  ): Promise<Result>;
}

export const NO_TRACING: Tracer = { span: (_name, _attributes, body) => body(() => undefined) };

/** Tracing that is on, for the length of a worker process. */
export interface Tracing {
  readonly tracer: Tracer;
  /** What makes a worker join the trace that its workflows and activities belong to. */
  readonly worker: Required<Pick<WorkerOptions, 'interceptors' | 'sinks'>>;
  /** `trace_id` and `span_id` for a line of the log; empty outside of a span. */
  readonly logFields: () => Record<string, string>;
  /** Sends what is left. Never throws: a collector that is down is no reason to end badly. */
  close(): Promise<void>;
}

const load = createRequire(__filename);

/**
 * Tracing as OpenTelemetry's own variables ask for it: OTEL_EXPORTER_OTLP_ENDPOINT, or
 * OTEL_EXPORTER_OTLP_TRACES_ENDPOINT, turns it on, unless OTEL_SDK_DISABLED is true; the exporter
 * reads the others, OTEL_EXPORTER_OTLP_*, OTEL_BSP_*, OTEL_TRACES_SAMPLER, OTEL_RESOURCE_ATTRIBUTES
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/). The libraries
 * are loaded only then; they take some 200 ms.
 * @throws ComportaError ConfigurationInvalid.
 */
export function openTracing(environment: NodeJS.ProcessEnv): Tracing | undefined {
  const endpoint =
    environment['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'] || environment['OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (!endpoint || environment['OTEL_SDK_DISABLED'] === 'true') return undefined;
  try {
    const { startTracing } = load('./open-telemetry') as typeof OpenTelemetry;
    return startTracing();
  } catch (error) {
    throw new ComportaError('ConfigurationInvalid', `tracing cannot start: ${messageOf(error)}`, {
      remedy: 'check the variables that begin with OTEL_',
    });
  }
}
