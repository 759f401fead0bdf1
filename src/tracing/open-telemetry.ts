import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { detectResourcesSync, envDetectorSync, Resource } from '@opentelemetry/resources';
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base';
import { ApplicationFailure } from '@temporalio/common';
import {
  makeWorkflowExporter,
  OpenTelemetryActivityInboundInterceptor,
} from '@temporalio/interceptors-opentelemetry';
import type { ActivityInterceptors } from '@temporalio/worker';
import { ComportaError } from '../errors';
import type { Tracer, Tracing } from './tracing';
import { TRACING_INTERCEPTORS } from './workflow-interceptors';

const ERROR_CODE = 'comporta.error';

/** OpenTelemetry's API is one per process, and Temporal's interceptors go by it. */
export function startTracing(): Tracing {
  const resource = new Resource({ 'service.name': 'comporta' }).merge(
    detectResourcesSync({ detectors: [envDetectorSync] }),
  );
  const processor = new BatchSpanProcessor(withoutMessages(new OTLPTraceExporter()));
  const provider = new BasicTracerProvider({ resource, spanProcessors: [processor] });
  provider.register({ contextManager: new AsyncLocalStorageContextManager().enable() });
  return {
    tracer: tracerOf(provider),
    worker: {
      interceptors: {
        workflowModules: [TRACING_INTERCEPTORS],
        activity: [
          (activity) => ({ inbound: new OpenTelemetryActivityInboundInterceptor(activity) }),
          traceFields,
        ],
      },
      sinks: { exporter: makeWorkflowExporter(processor, resource) },
    },
    logFields,
    async close() {
      await provider.shutdown().catch(() => undefined);
      trace.disable();
      context.disable();
    },
  };
}

/** A new object each time: pino adds to what it is given. */
function logFields(): Record<string, string> {
  const active = trace.getActiveSpan()?.spanContext();
  if (active === undefined) return {};
  return { trace_id: active.traceId, span_id: active.spanId };
}

/**
 * A failed activity's span says the error's code, as the history does, and what the SDK logs of an
 * activity after its end belongs to the trace as well.
 */
function traceFields(): ActivityInterceptors {
  let fields = {};
  return {
    inbound: {
      async execute(input, next) {
        fields = logFields();
        try {
          return await next(input);
        } catch (error) {
          const code = error instanceof ApplicationFailure ? error.type : undefined;
          if (code != null) trace.getActiveSpan()?.setAttribute(ERROR_CODE, code);
          throw error;
        }
      },
    },
    outbound: { getLogAttributes: (attributes, next) => next({ ...attributes, ...fields }) },
  };
}

/**
 * Temporal's interceptors put the messages of errors into spans, and a database's message may quote
 * a row. Who may see Temporal's history is not always who may see traces.
 */
function withoutMessages(exporter: SpanExporter): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(
        spans.map((span) => {
          const silent = { events: { value: [] }, status: { value: { code: span.status.code } } };
          return Object.create(span, silent) as typeof span;
        }),
        done,
      ),
    shutdown: () => exporter.shutdown(),
  };
}

function tracerOf(provider: BasicTracerProvider): Tracer {
  const tracer = provider.getTracer('comporta');
  return {
    span: (name, attributes, body) =>
      tracer.startActiveSpan(name, { attributes: { ...attributes } }, async (span) => {
        try {
          return await body((more) => span.setAttributes({ ...more }));
        } catch (error) {
          span.setStatus({ code: SpanStatusCode.ERROR });
          span.setAttribute(ERROR_CODE, error instanceof ComportaError ? error.code : 'Unexpected');
          throw error;
        } finally {
          span.end();
        }
      }),
  };
}
