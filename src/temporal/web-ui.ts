/** Where the development server has its Web UI. */
const LOCAL_UI = 'http://localhost:8233';

/**
 * Address of Temporal's Web UI without a slash at its end: as given, else from TEMPORAL_UI_ADDRESS,
 * else what is usual for the server (a local one, Temporal Cloud). Undefined where nobody can know.
 */
export function webUiAddress(
  given: string | undefined,
  environment: NodeJS.ProcessEnv,
  serverAddress: string,
): string | undefined {
  const address = given ?? (environment['TEMPORAL_UI_ADDRESS'] || usualAddress(serverAddress));
  return address?.replace(/\/+$/, '');
}

function usualAddress(serverAddress: string): string | undefined {
  const host = serverAddress.replace(/:\d+$/, '');
  if (['localhost', '127.0.0.1', '[::1]'].includes(host)) return LOCAL_UI;
  return /\.(?:tmprl\.cloud|api\.temporal\.io)$/.test(host)
    ? 'https://cloud.temporal.io'
    : undefined;
}

/** The page of one workflow: of the given run, or of its latest. */
export function workflowLink(
  ui: string,
  namespace: string,
  workflowId: string,
  runId?: string,
): string {
  const run = runId === undefined ? '' : `/${encodeURIComponent(runId)}/history`;
  return `${ui}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}${run}`;
}

/** The page of one schedule. */
export function scheduleLink(ui: string, namespace: string, scheduleId: string): string {
  return `${ui}/namespaces/${encodeURIComponent(namespace)}/schedules/${encodeURIComponent(scheduleId)}`;
}
