import {
  initialReportState,
  nextDeadline,
  onReading,
  onSnapshot,
  onTime,
  reportRule,
  splitReport,
} from '@coconet/capabilities';
import type {
  Entry,
  ReportMessage,
  ReportRule,
  ReportState,
  SubscribeMessage,
  SubscriptionIntervals,
} from '@coconet/capabilities';
import { DeadlineQueue } from '@coconet/cluster-protocol';
import type { Instant } from '@coconet/cluster-protocol';
import { permits } from './access.js';
import type { PeerRole } from './access.js';
import type { AttributeCell } from './attribute-cell.js';
import type { AttributeEvent, DeviceTree } from './device-tree.js';
import type { Resource } from './resource.js';

/** Events that wait for one slow subscriber; then the oldest is dropped, because an old event helps nobody. */
const MAX_EVENTS = 256;

/** Removed resources that wait to be told; more than that, and everything is told anew. */
const MAX_REMOVED = 256;

/** One attribute as one subscriber has been told of it. */
interface Watch {
  readonly cell: AttributeCell;
  readonly rule: ReportRule;
  state: ReportState;
  /** Version of the cell when it was told last; −1: never. */
  toldVersion: number;
  /** What is to be told is news and no replay. */
  realtime: boolean;
}

/** How a subscription begins. */
type Opening =
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'resume'; readonly version: number }
  | { readonly kind: 'done' };

/**
 * One subscription of one peer: decides for each attribute when it is due (the report policy), and makes reports of
 * what is. A report's version says: everything up to here was told, but for what the minimum interval or the reportable
 * change holds back, which keeps the version below its own.
 */
export class AttributeReporter {
  readonly id: number;
  readonly peer: number;
  /** Events dropped because the subscriber was too slow. */
  droppedEvents = 0;
  readonly #tree: DeviceTree;
  readonly #subscription: SubscribeMessage;
  readonly #intervals: SubscriptionIntervals;
  readonly #watches = new Map<AttributeCell, Watch>();
  readonly #due = new Set<Watch>();
  readonly #deadlines = new DeadlineQueue<Watch>();
  readonly #removed = new Set<string>();
  #events: Entry[] = [];
  #parts: ReportMessage[] = [];
  #role: PeerRole;
  #opening: Opening;
  #told = 0;

  constructor(
    peer: number,
    role: PeerRole,
    subscription: SubscribeMessage,
    tree: DeviceTree,
    rightsSince: number,
  ) {
    const { subscriptionId, minInterval, maxInterval, resume } = subscription;
    this.id = subscriptionId;
    this.peer = peer;
    this.#role = role;
    this.#tree = tree;
    this.#subscription = subscription;
    this.#intervals = {
      ...(minInterval !== undefined && { minInterval }),
      ...(maxInterval !== undefined && { maxInterval }),
    };
    const resumable =
      resume !== undefined &&
      resume.version >= rightsSince &&
      tree.canResume(resume.stateIncarnation, resume.version);
    this.#opening = resumable ? { kind: 'resume', version: resume.version } : { kind: 'snapshot' };
    for (const resource of tree.resources.values()) this.#follow(resource);
  }

  /** Attributes it follows. */
  get size(): number {
    return this.#watches.size;
  }

  /** The cells it follows. */
  cells(): Iterable<AttributeCell> {
    return this.#watches.keys();
  }

  /** When {@link handleTimeout} has something to do. */
  get deadline(): Instant | undefined {
    return this.#deadlines.earliest;
  }

  /** A cell it follows was set. */
  handleReading(now: Instant, cell: AttributeCell, at: Date): void {
    const watch = this.#watches.get(cell);
    // The opening tells the newest values anyway, as what they are then: a replay.
    if (watch === undefined || this.#opening.kind !== 'done') return;
    this.#step(watch, onReading(watch.rule, watch.state, { value: cell.value, lastUpdated: at }, now));
  }

  /** Something happened that it follows. */
  handleEvent({ cell, wire, at, version }: AttributeEvent): void {
    if (!this.#watches.has(cell)) return;
    if (this.#events.length >= MAX_EVENTS) {
      this.#events.shift();
      this.droppedEvents++;
    }
    this.#events.push({
      ...cell.address,
      attributeId: cell.attribute.id,
      value: wire,
      realtime: true,
      lastUpdated: at,
      version,
    });
  }

  /** The device has a resource more. Returns the cells that are followed now. */
  handleAdded(resource: Resource): readonly AttributeCell[] {
    this.#removed.delete(resource.id);
    const followed = this.#follow(resource);
    if (this.#opening.kind === 'done') for (const cell of followed) this.#due.add(this.#watches.get(cell)!);
    return followed;
  }

  /** The device has a resource less. */
  handleRemoved(resource: Resource): void {
    for (const { cells } of resource.capabilities)
      for (const cell of cells.values()) {
        const watch = this.#watches.get(cell);
        if (watch === undefined) continue;
        this.#watches.delete(cell);
        this.#due.delete(watch);
        this.#deadlines.set(watch, undefined);
      }
    if (!this.#wantsResource(resource.id)) return;
    this.#removed.add(resource.id);
    if (this.#removed.size > MAX_REMOVED) this.#startOver();
  }

  /** The peer may see more or less than before: it is told everything anew. */
  handleRole(role: PeerRole): void {
    this.#role = role;
    this.#watches.clear();
    this.#due.clear();
    while (this.#deadlines.earliest !== undefined) this.#deadlines.takeDue(this.#deadlines.earliest);
    for (const resource of this.#tree.resources.values()) this.#follow(resource);
    this.#startOver();
  }

  /** Minimum and maximum intervals have passed. */
  handleTimeout(now: Instant): void {
    for (let watch = this.#deadlines.takeDue(now); watch; watch = this.#deadlines.takeDue(now))
      this.#step(watch, onTime(watch.rule, watch.state, now));
  }

  /** The next message to send, if there is anything to say. To be asked again only when the last one has arrived. */
  nextMessage(now: Instant): ReportMessage | undefined {
    if (this.#parts.length === 0) {
      const report = this.#nextReport(now);
      if (report !== undefined) this.#parts = [...splitReport(report)];
    }
    return this.#parts.shift();
  }

  #nextReport(now: Instant): ReportMessage | undefined {
    const opening = this.#opening;
    if (opening.kind === 'done' && this.#due.size + this.#events.length + this.#removed.size === 0)
      return undefined;
    const fromVersion = opening.kind === 'resume' ? opening.version : this.#told;
    const removed =
      opening.kind === 'resume'
        ? this.#tree.removedSince(opening.version).filter(id => this.#wantsResource(id))
        : opening.kind === 'snapshot'
          ? []
          : [...this.#removed];
    const entries = [
      ...(opening.kind === 'done' ? this.#takeDue(now) : this.#takeOpening(now, opening)),
      ...this.#events,
    ];
    this.#events = [];
    this.#removed.clear();
    this.#told = this.#watermark();
    return {
      type: 'report',
      subscriptionId: this.id,
      stateIncarnation: this.#tree.incarnation,
      fromVersion: opening.kind === 'snapshot' ? 0 : fromVersion,
      version: this.#told,
      snapshot: opening.kind === 'snapshot',
      last: true,
      entries,
      ...(removed.length > 0 && { removed }),
    };
  }

  #takeDue(now: Instant): readonly Entry[] {
    const entries: Entry[] = [];
    for (const watch of this.#due) entries.push(this.#tell(now, watch, watch.realtime));
    this.#due.clear();
    return entries;
  }

  #takeOpening(now: Instant, opening: Opening): readonly Entry[] {
    const entries: Entry[] = [];
    for (const watch of this.#watches.values()) {
      if (watch.rule.event) continue;
      const known = opening.kind === 'resume' && watch.cell.version <= opening.version;
      const entry = this.#tell(now, watch, false);
      if (!known) entries.push(entry);
    }
    this.#opening = { kind: 'done' };
    return entries;
  }

  // However long ago it became due: what is sent is the newest value.
  #tell(now: Instant, watch: Watch, realtime: boolean): Entry {
    const { cell, rule } = watch;
    const newest: ReportState = {
      ...watch.state,
      value: cell.value,
      lastUpdated: cell.lastUpdated,
      fresh: cell.fresh,
    };
    watch.state = onSnapshot(rule, newest, now).state;
    watch.toldVersion = cell.version;
    watch.realtime = false;
    this.#deadlines.set(watch, nextDeadline(rule, watch.state) as Instant | undefined);
    return cell.entry(realtime);
  }

  #step(watch: Watch, step: ReturnType<typeof onTime>): void {
    watch.state = step.state;
    if (step.report !== undefined) {
      watch.realtime ||= step.report.realtime;
      this.#due.add(watch);
    }
    this.#deadlines.set(watch, nextDeadline(watch.rule, watch.state) as Instant | undefined);
  }

  #watermark(): number {
    let version = this.#tree.version;
    for (const { cell, toldVersion, rule } of this.#watches.values())
      if (!rule.event && cell.version > toldVersion) version = Math.min(version, cell.version - 1);
    return version;
  }

  #startOver(): void {
    this.#opening = { kind: 'snapshot' };
    this.#removed.clear();
    this.#events = [];
    this.#parts = [];
  }

  #wantsResource(id: string): boolean {
    return this.#subscription.filter.resources?.includes(id) ?? true;
  }

  #follow(resource: Resource): readonly AttributeCell[] {
    if (!this.#wantsResource(resource.id)) return [];
    const wanted = this.#subscription.filter.capabilities;
    const followed: AttributeCell[] = [];
    for (const { definition, cells } of resource.capabilities) {
      if (wanted?.includes(definition.id) === false) continue;
      for (const cell of cells.values()) {
        if (!permits(this.#role, cell.attribute.minimumRole)) continue;
        this.#watches.set(cell, {
          cell,
          rule: reportRule(cell.attribute, this.#intervals),
          state: initialReportState(cell.value, cell.lastUpdated),
          toldVersion: -1,
          realtime: false,
        });
        followed.push(cell);
      }
    }
    return followed;
  }
}
