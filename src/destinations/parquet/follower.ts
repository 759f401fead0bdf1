import type { DataFile, PublishedState, PublishRequest } from '../destination';

/** A load whose files lie in the lake, and that is about to become a table's present state. */
export interface NextState {
  readonly request: PublishRequest;
  /** The state that it replaces. */
  readonly before: Pick<PublishedState, 'run' | 'publishedAt' | 'files'> | undefined;
  /** Of the state to come. Those of the load itself are there too, at the paths of the request. */
  readonly files: readonly DataFile[];
  readonly publishedAt: string;
}

/** A table elsewhere that is made equal to each state of the lake's before that is published. */
export interface TableFollower {
  /** What it throws ends the publication. What it returns becomes part of the state. */
  follow(next: NextState): Promise<Pick<PublishedState, 'bytesBilled'>>;
}
