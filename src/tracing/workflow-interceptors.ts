/**
 * Temporal's own interceptors, for a workflow bundle that takes part in traces. They double its
 * size, so the bundle without tracing goes without them.
 */
export const TRACING_INTERCEPTORS =
  require.resolve('@temporalio/interceptors-opentelemetry/lib/workflow-interceptors');
