/** What a method refuses with: the number of a gRPC status, or an error's name as AWS has it. */
export class Refusal extends Error {
  constructor(
    readonly code: number | string,
    message: string,
  ) {
    super(message);
  }
}

/** What goes wrong with the next calls of a method. */
export type Fault =
  /** The call does nothing. */
  | { readonly kind: 'refused'; readonly with: Refusal }
  /** The call does nothing and is answered with this. */
  | { readonly kind: 'answered'; readonly answer: unknown }
  /** The call does all it should, and the connection is cut in place of an answer. */
  | { readonly kind: 'answer lost' }
  /** The call does all it should, and its answer waits. */
  | { readonly kind: 'answer held'; readonly arrived: () => void; readonly until: Promise<void> }
  /** The call waits before it does anything. */
  | { readonly kind: 'held'; readonly arrived: () => void; readonly until: Promise<void> };

/** A call that waits at the server. */
export interface HeldCall {
  /** Resolves when the call has come, or has done what it should. */
  readonly arrived: Promise<void>;
  release(): void;
}

/** What is to go wrong, by method; used up in the order in which it was asked for. */
export class Faults {
  private readonly waiting = new Map<string, Fault[]>();

  /** @param times how many calls in a row. */
  add(method: string, fault: Fault, times = 1): void {
    const known = this.waiting.get(method) ?? [];
    this.waiting.set(method, [...known, ...Array.from({ length: times }, () => fault)]);
  }

  /** The call waits before it does anything. */
  hold(method: string): HeldCall {
    return this.addHeld(method, 'held');
  }

  /** The call does all it should, and its answer waits. */
  holdAnswer(method: string): HeldCall {
    return this.addHeld(method, 'answer held');
  }

  private addHeld(method: string, kind: 'held' | 'answer held'): HeldCall {
    let release = () => {};
    let arrived = () => {};
    const until = new Promise<void>((resolve) => (release = resolve));
    const call = new Promise<void>((resolve) => (arrived = resolve));
    this.add(method, { kind, arrived, until });
    return { arrived: call, release };
  }

  /** How many have not happened yet. */
  pending(): number {
    return [...this.waiting.values()].flat().length;
  }

  /** Waits where the call is held. */
  async next(method: string): Promise<Exclude<Fault, { kind: 'held' }> | undefined> {
    const fault = this.waiting.get(method)?.shift();
    if (fault?.kind !== 'held') return fault;
    fault.arrived();
    await fault.until;
    return undefined;
  }
}

/** Waits where the answer of a call that has done its work is held. */
export async function answerMayGo(fault: Fault | undefined): Promise<void> {
  if (fault?.kind !== 'answer held') return;
  fault.arrived();
  await fault.until;
}
