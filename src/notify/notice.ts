/**
 * What people are told of a batch, and the channels that tell them. Quiet is the rule: there is a
 * notice when tables failed, when some that failed work again, and when a table has become stale.
 */
export interface Notice {
  readonly pipeline: string;
  readonly batch: string;
  readonly loaded: number;
  readonly skipped: number;
  /** Grouped by cause, the largest group first. */
  readonly failures: readonly FailureGroup[];
  /** Tables that were told of before and are well again. */
  readonly recovered: readonly string[];
  /** Tables not known to equal their source for longer than the pipeline allows; told of once. */
  readonly stale: readonly StaleTable[];
  /** The batch in the Web UI, where its address is known. */
  readonly link?: string;
}

export interface FailureGroup {
  /** The error's code. */
  readonly code: string;
  readonly tables: readonly { readonly table: string; readonly error: string }[];
}

export interface StaleTable {
  readonly table: string;
  /** ISO 8601; absent for one that was never loaded. */
  readonly verifiedAt?: string;
}

/**
 * What is known of a delivery: `sent`, or `unknown` when the channel was lost before it answered. A
 * notice of unknown fate is not sent again, as nobody wants the same alarm twice.
 */
export type Delivery = 'sent' | 'unknown';

export interface Notifier {
  /** Throws NotificationFailed or ConfigurationInvalid when the notice surely was not delivered. */
  send(notice: Notice): Promise<Delivery>;
  /** Tries what can be tried without telling anybody. Throws as `send` does. */
  check(): Promise<void>;
}
