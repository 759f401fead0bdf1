/**
 * Where a writer's bytes go, in order. From the call on the bytes belong to the sink: the caller
 * changes them no more. `write` resolves when the sink can take the next ones.
 */
export interface ByteSink {
  write(bytes: Buffer): Promise<void>;
}
