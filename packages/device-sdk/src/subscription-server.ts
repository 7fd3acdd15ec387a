import type { RefusedMessage, SubscribeMessage } from '@coconet/capabilities';
import { DeadlineQueue } from '@coconet/cluster-protocol';
import type { Instant } from '@coconet/cluster-protocol';
import { permits } from './access.js';
import type { Access } from './access.js';
import type { AttributeCell } from './attribute-cell.js';
import { AttributeReporter } from './attribute-reporter.js';
import type { AttributeEvent, DeviceTree } from './device-tree.js';
import type { Outgoing } from './outgoing.js';
import type { Resource } from './resource.js';

/** Subscriptions of one peer: an app has one per screen or automation. */
const MAX_SUBSCRIPTIONS_PER_PEER = 64;

/** Subscriptions of all peers. */
const MAX_SUBSCRIPTIONS = 1_024;

/** Attributes times subscriptions; each costs some 300 bytes, so that all of them stay below 40 MB. */
const MAX_WATCHES = 131_072;

interface Subscription {
  readonly reporter: AttributeReporter;
  /** Its last message is on its way. */
  busy: boolean;
  /** It was replaced, cancelled, or its session ended. */
  over: boolean;
}

/**
 * All subscriptions to this device, as a pure machine: what changes goes in, messages come out of {@link poll}. A
 * subscription lives as long as the session it came in: after that the peer subscribes again and says what it holds.
 */
export class SubscriptionServer {
  readonly #tree: DeviceTree;
  readonly #access: Access;
  readonly #peers = new Map<number, Map<number, Subscription>>();
  readonly #followers = new Map<AttributeCell, Set<Subscription>>();
  readonly #deadlines = new DeadlineQueue<Subscription>();
  /** Those that may have something to say. */
  readonly #ready = new Set<Subscription>();
  readonly #refusals: Outgoing[] = [];
  #count = 0;
  #watches = 0;

  constructor(tree: DeviceTree, access: Access) {
    this.#tree = tree;
    this.#access = access;
  }

  /** Subscriptions there are. */
  get size(): number {
    return this.#count;
  }

  /** The peer wants to follow something. */
  handleSubscribe(peer: number, message: SubscribeMessage): void {
    this.handleUnsubscribe(peer, message.subscriptionId);
    const { role } = this.#access.of(peer);
    if (!permits(role, 'guest')) {
      this.#refuse(peer, message.subscriptionId, 'permissionDenied');
      return;
    }
    const own = this.#peers.get(peer) ?? new Map<number, Subscription>();
    if (own.size >= MAX_SUBSCRIPTIONS_PER_PEER || this.#count >= MAX_SUBSCRIPTIONS) {
      this.#refuse(peer, message.subscriptionId, 'limitReached');
      return;
    }
    const reporter = new AttributeReporter(peer, role, message, this.#tree, this.#access.changedAt(peer));
    if (this.#watches + reporter.size > MAX_WATCHES) {
      this.#refuse(peer, message.subscriptionId, 'limitReached');
      return;
    }
    const subscription: Subscription = { reporter, busy: false, over: false };
    own.set(reporter.id, subscription);
    this.#peers.set(peer, own);
    this.#count++;
    this.#index(subscription, reporter.cells());
    this.#touch(subscription);
  }

  /** The peer wants to follow it no more. */
  handleUnsubscribe(peer: number, id: number): void {
    const own = this.#peers.get(peer);
    const subscription = own?.get(id);
    if (own === undefined || subscription === undefined) return;
    own.delete(id);
    if (own.size === 0) this.#peers.delete(peer);
    this.#end(subscription);
  }

  /** The session with the peer ended, or another one began. */
  handleSessionEnd(peer: number): void {
    for (const subscription of this.#peers.get(peer)?.values() ?? []) this.#end(subscription);
    this.#peers.delete(peer);
  }

  /** The peer's role is another one now. */
  handleRole(peer: number): void {
    const { role } = this.#access.of(peer);
    for (const subscription of [...(this.#peers.get(peer)?.values() ?? [])]) {
      const { reporter } = subscription;
      if (!permits(role, 'guest')) {
        this.handleUnsubscribe(peer, reporter.id);
        this.#refuse(peer, reporter.id, 'permissionDenied');
        continue;
      }
      this.#unindex(subscription);
      reporter.handleRole(role);
      this.#index(subscription, reporter.cells());
      this.#touch(subscription);
    }
  }

  /** Cells of one `set` and events of one `publish`. */
  handleReadings(
    now: Instant,
    cells: readonly AttributeCell[],
    events: readonly AttributeEvent[],
    at: Date,
  ): void {
    const touched = new Set<Subscription>();
    for (const cell of cells)
      for (const subscription of this.#followers.get(cell) ?? []) {
        subscription.reporter.handleReading(now, cell, at);
        touched.add(subscription);
      }
    for (const event of events)
      for (const subscription of this.#followers.get(event.cell) ?? []) {
        subscription.reporter.handleEvent(event);
        touched.add(subscription);
      }
    for (const subscription of touched) this.#touch(subscription);
  }

  /** The device has a resource more. */
  handleAdded(resource: Resource): void {
    for (const subscription of this.#all()) {
      const { reporter } = subscription;
      const cells = reporter.handleAdded(resource);
      if (this.#watches + cells.length > MAX_WATCHES) {
        this.handleUnsubscribe(reporter.peer, reporter.id);
        this.#refuse(reporter.peer, reporter.id, 'limitReached');
        continue;
      }
      this.#index(subscription, cells);
      this.#touch(subscription);
    }
  }

  /** The device has a resource less. */
  handleRemoved(resource: Resource): void {
    for (const subscription of this.#all()) {
      this.#watches -= subscription.reporter.size;
      subscription.reporter.handleRemoved(resource);
      this.#watches += subscription.reporter.size;
      this.#touch(subscription);
    }
    for (const { cells } of resource.capabilities)
      for (const cell of cells.values()) this.#followers.delete(cell);
  }

  /** Early and repeated calls are harmless. */
  handleTimeout(now: Instant): void {
    for (let due = this.#deadlines.takeDue(now); due; due = this.#deadlines.takeDue(now)) {
      due.reporter.handleTimeout(now);
      this.#touch(due);
    }
  }

  /** When {@link handleTimeout} is due. */
  pollTimeout(): Instant | undefined {
    return this.#deadlines.earliest;
  }

  /** The next message to send; `undefined`: there is none now. */
  poll(now: Instant): Outgoing | undefined {
    const refusal = this.#refusals.shift();
    if (refusal !== undefined) return refusal;
    for (const subscription of this.#ready) {
      this.#ready.delete(subscription);
      if (subscription.over || subscription.busy) continue;
      const message = subscription.reporter.nextMessage(now);
      this.#deadlines.set(subscription, subscription.reporter.deadline);
      if (message === undefined) continue;
      subscription.busy = true;
      const { peer, id } = subscription.reporter;
      return {
        peer,
        message,
        lane: `subscription:${id}`,
        settled: delivered => this.#settled(subscription, delivered),
      };
    }
    return undefined;
  }

  #settled(subscription: Subscription, delivered: boolean): void {
    if (subscription.over) return;
    if (!delivered) {
      // A part is missing that will never come: only a new subscription can mend that.
      const { peer, id } = subscription.reporter;
      this.handleUnsubscribe(peer, id);
      this.#refuse(peer, id, 'connectivityError');
      return;
    }
    subscription.busy = false;
    this.#touch(subscription);
  }

  #refuse(peer: number, id: number, code: RefusedMessage['code']): void {
    this.#refusals.push({
      peer,
      message: { type: 'refused', what: 'subscription', id, code },
      lane: undefined,
      settled: () => undefined,
    });
  }

  #touch(subscription: Subscription): void {
    if (subscription.over) return;
    this.#deadlines.set(subscription, subscription.reporter.deadline);
    this.#ready.add(subscription);
  }

  #end(subscription: Subscription): void {
    subscription.over = true;
    this.#count--;
    this.#unindex(subscription);
    this.#deadlines.set(subscription, undefined);
    this.#ready.delete(subscription);
  }

  #index(subscription: Subscription, cells: Iterable<AttributeCell>): void {
    for (const cell of cells) {
      const followers = this.#followers.get(cell);
      if (followers !== undefined) followers.add(subscription);
      else this.#followers.set(cell, new Set([subscription]));
      this.#watches++;
    }
  }

  #unindex(subscription: Subscription): void {
    for (const cell of subscription.reporter.cells()) {
      const followers = this.#followers.get(cell);
      followers?.delete(subscription);
      if (followers?.size === 0) this.#followers.delete(cell);
      this.#watches--;
    }
  }

  #all(): readonly Subscription[] {
    return [...this.#peers.values()].flatMap(own => [...own.values()]);
  }
}
