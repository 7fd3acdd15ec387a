import type { AttributeDefinition } from '../model/attribute.js';
import { sameValue } from '../model/same-value.js';

/** When one attribute is reported to one subscriber: the catalogue's rules 1 to 6 as numbers. */
export interface ReportRule {
  /** ms; 0 = none. */
  readonly minInterval: number;
  /** ms; 0 = never without a change. */
  readonly maxInterval: number;
  /** Smallest difference between numbers that counts; `undefined`: any. */
  readonly reportableChange: number | undefined;
  /** Changes are reported at once, whatever the minimum interval. */
  readonly alarm: boolean;
  /** Sent as it comes and never kept. */
  readonly event: boolean;
}

/** What a subscriber wants of all its attributes. */
export interface SubscriptionIntervals {
  readonly minInterval?: number;
  readonly maxInterval?: number;
}

/** What one attribute does for one subscriber. Times (`now`, `at`) are ms of one monotonic clock. */
export interface ReportState {
  /** The newest value, reported or not. */
  readonly value: unknown;
  /** When it was read; `null`: never. */
  readonly lastUpdated: Date | null;
  /** It was read since the process started; otherwise it comes from a store and is stale. */
  readonly fresh: boolean;
  /** What the subscriber was told last. */
  readonly reported: { readonly value: unknown; readonly at: number } | undefined;
  /** A change waits for the end of the minimum interval. */
  readonly pending: boolean;
}

/** What to send. */
export interface AttributeReport {
  readonly value: unknown;
  readonly lastUpdated: Date | null;
  readonly realtime: boolean;
}

/** The state after a step, and what to send now, if anything. */
export interface ReportStep {
  readonly state: ReportState;
  readonly report: AttributeReport | undefined;
}

/** A new reading of an attribute. */
export interface AttributeUpdate {
  readonly value: unknown;
  /** Wall-clock time of the reading. */
  readonly lastUpdated: Date;
}

/**
 * The rule of an attribute for a subscriber. The larger minimum counts: a device protects itself, a subscriber its link.
 * The subscriber's maximum takes the place of the attribute's, but is never below the minimum.
 */
export function reportRule(attribute: AttributeDefinition, wanted: SubscriptionIntervals = {}): ReportRule {
  const event = attribute.delivery === 'event';
  const minInterval = Math.max(attribute.minReportInterval, wanted.minInterval ?? 0);
  const maxInterval = wanted.maxInterval ?? attribute.maxReportInterval;
  return {
    minInterval,
    // An event is not state: there is nothing that could be said again.
    maxInterval: event || maxInterval === 0 ? 0 : Math.max(maxInterval, minInterval),
    reportableChange: attribute.reportableChange,
    alarm: attribute.alarm,
    event,
  };
}

/** Before anything was read or told: the value from a store, or the definition's default. */
export const initialReportState = (value: unknown = null, lastUpdated: Date | null = null): ReportState => ({
  value,
  lastUpdated,
  fresh: false,
  reported: undefined,
  pending: false,
});

/** Whether the difference is worth a report; to and from "not known" always is. */
function isReportable(rule: ReportRule, reported: unknown, value: unknown): boolean {
  if (rule.reportableChange !== undefined) {
    if (typeof value === 'number' && typeof reported === 'number')
      return Math.abs(value - reported) >= rule.reportableChange;
    if (typeof value === 'bigint' && typeof reported === 'bigint')
      return Math.abs(Number(value - reported)) >= rule.reportableChange;
  }
  return !sameValue(reported, value);
}

function tell(state: ReportState, now: number, realtime: boolean): ReportStep {
  return {
    state: { ...state, reported: { value: state.value, at: now }, pending: false },
    report: { value: state.value, lastUpdated: state.lastUpdated, realtime },
  };
}

/** The hardware was read: reports now, later, or not at all. */
export function onReading(
  rule: ReportRule,
  state: ReportState,
  update: AttributeUpdate,
  now: number,
): ReportStep {
  const { value, lastUpdated } = update;
  if (rule.event) return { state, report: { value, lastUpdated, realtime: true } };
  const newest: ReportState = { ...state, value, lastUpdated, fresh: true };
  const { reported } = state;
  if (reported === undefined) return tell(newest, now, true);
  if (!state.pending && !isReportable(rule, reported.value, value))
    return { state: newest, report: undefined };
  if (rule.alarm || now - reported.at >= rule.minInterval) return tell(newest, now, true);
  return { state: { ...newest, pending: true }, report: undefined };
}

/** A subscriber begins, or comes back: it is told the value there is, as stale. Events have none. */
export function onSnapshot(rule: ReportRule, state: ReportState, now: number): ReportStep {
  return rule.event ? { state, report: undefined } : tell(state, now, false);
}

/** Time has passed: the end of the minimum interval or of the maximum one. Harmless when nothing is due. */
export function onTime(rule: ReportRule, state: ReportState, now: number): ReportStep {
  const due = nextDeadline(rule, state);
  if (due === undefined || now < due) return { state, report: undefined };
  // A value that was only replayed so far is no news, even as a heartbeat.
  return tell(state, now, state.fresh);
}

/** When {@link onTime} has something to do; `undefined`: not before the next reading. */
export function nextDeadline(rule: ReportRule, state: ReportState): number | undefined {
  if (state.reported === undefined) return undefined;
  if (state.pending) return state.reported.at + rule.minInterval;
  return rule.maxInterval === 0 ? undefined : state.reported.at + rule.maxInterval;
}
