import { after, type Instant, milliseconds } from '../base/index.js';
import type { Target } from './peer-addresses.js';
import {
  CLAIM_ALLOWANCE,
  PROBE_ALLOWANCE,
  PROBE_SPACING,
  PROBE_TIMES,
  ProbeAllowance,
} from './probe-schedule.js';

/** What the probes to one address came to. */
export interface ProbeRecord {
  readonly target: Target;
  /** Probes in the round that runs or ran last. */
  sent: number;
  /** When the next one is due; `undefined`: the round is over for this address. */
  due: Instant | undefined;
  /** Probes since the address became a target. */
  total: number;
  /** Whether the last round was answered; `undefined`: it was never probed or is still waiting. */
  answered: boolean | undefined;
}

/** Sends the probes of a round: a ladder for each address, never two packets at once, never more than the allowances give. */
export class ProbeRound {
  #records: readonly ProbeRecord[] = [];
  readonly #allowance = new ProbeAllowance(PROBE_ALLOWANCE);
  readonly #claims = new ProbeAllowance(CLAIM_ALLOWANCE);
  #lastSent: Instant | undefined;

  get records(): readonly ProbeRecord[] {
    return this.#records;
  }

  /** Replaces the targets; what is known of those that stay stays. Returns those that are new or newly vouched for. */
  setTargets(targets: readonly Target[]): readonly ProbeRecord[] {
    const before = new Map(this.#records.map(record => [record.target.address.key, record]));
    const added: ProbeRecord[] = [];
    this.#records = targets.map(target => {
      const known = before.get(target.address.key);
      const record: ProbeRecord = known
        ? { ...known, target }
        : { target, sent: 0, due: undefined, total: 0, answered: undefined };
      if (!known || (target.vouched && !known.target.vouched)) added.push(record);
      return record;
    });
    return added;
  }

  /** Begins the ladder of every record that `chosen` names, at `at`; the others are left alone. */
  start(at: Instant, chosen: (record: ProbeRecord) => boolean): void {
    for (const record of this.#records) {
      if (!chosen(record)) continue;
      record.sent = 0;
      record.due = at;
      record.answered = undefined;
    }
  }

  stop(): void {
    for (const record of this.#records) record.due = undefined;
  }

  /** The peer answered from there: no more probes in this round, and those sent were wanted. */
  answer(key: string): void {
    const record = this.#records.find(({ target }) => target.address.key === key);
    if (record === undefined) return;
    if (record.answered !== true) {
      this.#allowance.restore(record.sent);
      if (!record.target.vouched) this.#claims.restore(record.sent);
    }
    record.answered = true;
    record.due = undefined;
  }

  /** The target to probe now, if one is due; ladders that `wanted` does not name end here. */
  take(now: Instant, wanted: (record: ProbeRecord) => boolean): Target | undefined {
    if (this.#lastSent !== undefined && now < after(this.#lastSent, PROBE_SPACING)) return undefined;
    for (;;) {
      const record = this.#earliest();
      if (record?.due === undefined || record.due > now) return undefined;
      if (wanted(record) && this.#afford(now, record.target)) {
        this.#send(now, record);
        return record.target;
      }
      record.due = undefined;
    }
  }

  /** When {@link take} may have a target again. */
  get nextAt(): Instant | undefined {
    const due = this.#earliest()?.due;
    if (due === undefined || this.#lastSent === undefined) return due;
    const spaced = after(this.#lastSent, PROBE_SPACING);
    return due < spaced ? spaced : due;
  }

  #send(now: Instant, record: ProbeRecord): void {
    const next = PROBE_TIMES[record.sent + 1];
    // From the last one sent, not from the start: after a late timer the steps are not caught up with in a burst.
    record.due = next === undefined ? undefined : after(now, milliseconds(next - PROBE_TIMES[record.sent]!));
    record.sent++;
    record.total++;
    if (next === undefined) record.answered = false;
    this.#lastSent = now;
  }

  #afford(now: Instant, target: Target): boolean {
    if (!this.#allowance.has(now) || (!target.vouched && !this.#claims.has(now))) return false;
    this.#allowance.take();
    if (!target.vouched) this.#claims.take();
    return true;
  }

  #earliest(): ProbeRecord | undefined {
    let first: ProbeRecord | undefined;
    for (const record of this.#records) {
      if (record.due !== undefined && (first?.due === undefined || record.due < first.due)) first = record;
    }
    return first;
  }
}
