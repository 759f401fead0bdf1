/**
 * One call, one answer: what is worth repeating is repeated by the runner, which looks first, where
 * the client would wait ten minutes unseen. The milliseconds are enough for a submission, which
 * looks at the cluster before it answers.
 */
export const CALL_OPTIONS = { retry: null, timeout: 60_000 } as const;
