import type {
  Entry,
  ReportMessage,
  StateVersion,
  SubscribeMessage,
  SubscriptionFilter,
} from '@coconet/capabilities';
import { sameBytes } from '@coconet/cluster-protocol';

/** Entries of one report in parts; more than every attribute of the largest device. */
const MAX_COLLECTED = 131_072;

/** What is wanted of a device. */
export interface SubscriptionWish {
  readonly filter: SubscriptionFilter;
  /** ms */
  readonly minInterval?: number | undefined;
  readonly maxInterval?: number | undefined;
}

/** Values that belong together. */
export interface ValueBatch {
  readonly stateIncarnation: Uint8Array;
  /** Everything there is, instead of what changed. */
  readonly snapshot: boolean;
  readonly entries: readonly Entry[];
  /** Ids of resources that are no longer there. */
  readonly removed: readonly string[];
}

/** What a report led to. `resubscribe`: something is missing; the next `subscribe` mends it. */
export type Reported =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'values'; readonly batch: ValueBatch }
  | { readonly kind: 'resubscribe' };

const NOTHING: Reported = { kind: 'nothing' };

/**
 * One subscription at one device, as a pure machine: it knows up to which version it holds everything, notices gaps, and
 * says in every new session from where to go on. A report counts when it is whole, not before.
 */
export class Subscription {
  readonly id: number;
  readonly #wish: SubscriptionWish;
  #held: StateVersion | undefined;
  #parts: ReportMessage[] = [];

  constructor(id: number, wish: SubscriptionWish) {
    this.id = id;
    this.#wish = wish;
  }

  /** What to send at the beginning of a session, and after `resubscribe`. */
  subscribe(): SubscribeMessage {
    this.#parts = [];
    const { filter, minInterval, maxInterval } = this.#wish;
    return {
      type: 'subscribe',
      subscriptionId: this.id,
      filter,
      ...(this.#held && { resume: this.#held }),
      ...(minInterval !== undefined && { minInterval }),
      ...(maxInterval !== undefined && { maxInterval }),
    };
  }

  /** A report with this subscription's id. */
  handleReport(report: ReportMessage): Reported {
    const [first] = this.#parts;
    if (first && !isSameReport(first, report)) {
      // Parts of two reports never mix; the older one is what an earlier session left on its way.
      if (isOlder(report, first)) return NOTHING;
      this.#parts = [];
    }
    this.#parts.push(report);
    if (this.#parts.reduce((sum, { entries }) => sum + entries.length, 0) > MAX_COLLECTED) {
      this.#parts = [];
      return NOTHING;
    }
    if (!report.last) return NOTHING;
    const parts = this.#parts;
    this.#parts = [];
    return this.#take(report, parts);
  }

  #take(report: ReportMessage, parts: readonly ReportMessage[]): Reported {
    const { stateIncarnation, version, fromVersion, snapshot } = report;
    const held = this.#held;
    const isSameLife = held !== undefined && sameBytes(held.stateIncarnation, stateIncarnation);
    if (!snapshot) {
      if (!isSameLife) {
        this.#held = undefined;
        return { kind: 'resubscribe' };
      }
      if (fromVersion > held.version) return { kind: 'resubscribe' };
    }
    if (!isSameLife || version > held.version) this.#held = { stateIncarnation, version };
    return {
      kind: 'values',
      batch: {
        stateIncarnation,
        snapshot,
        entries: parts.flatMap(({ entries }) => entries),
        removed: parts.flatMap(({ removed }) => removed ?? []),
      },
    };
  }
}

const isSameReport = (a: ReportMessage, b: ReportMessage): boolean =>
  a.version === b.version &&
  a.fromVersion === b.fromVersion &&
  a.snapshot === b.snapshot &&
  sameBytes(a.stateIncarnation, b.stateIncarnation);

const isOlder = (a: ReportMessage, b: ReportMessage): boolean =>
  a.version < b.version && sameBytes(a.stateIncarnation, b.stateIncarnation);
