import { splitDescription } from '@coconet/capabilities';
import type { DescribeMessage, DescriptionMessage, DeviceDescription } from '@coconet/capabilities';
import { permits } from './access.js';
import type { Access } from './access.js';
import { describeResource } from './description.js';
import type { DeviceTree } from './device-tree.js';
import type { Outgoing } from './outgoing.js';

/** Requests of one peer that wait for the answer to an earlier one; a client has one, or two after a reconnect. */
const MAX_REQUESTS = 8;

/** What one peer was told, and asks. */
interface Listener {
  readonly requests: DescribeMessage[];
  parts: DescriptionMessage[];
  /** Everything up to this version was told; `undefined`: nothing yet. */
  told: number | undefined;
  /** The device itself is another one than was told, by its name or so. */
  deviceChanged: boolean;
  busy: boolean;
  over: boolean;
}

/** Answers what this device is, and tells whoever has asked when that changes, until its session ends. Pure. */
export class DescriptionServer {
  readonly #tree: DeviceTree;
  readonly #access: Access;
  readonly #device: () => DeviceDescription;
  readonly #listeners = new Map<number, Listener>();
  readonly #ready = new Set<number>();
  readonly #refusals: Outgoing[] = [];

  constructor(tree: DeviceTree, access: Access, device: () => DeviceDescription) {
    this.#tree = tree;
    this.#access = access;
    this.#device = device;
  }

  /** The peer asks. */
  handleDescribe(peer: number, message: DescribeMessage): void {
    const allowed = permits(this.#access.of(peer).role, 'guest');
    const listener = this.#listeners.get(peer) ?? {
      requests: [],
      parts: [],
      told: undefined,
      deviceChanged: false,
      busy: false,
      over: false,
    };
    if (!allowed || listener.requests.length >= MAX_REQUESTS) {
      this.#refusals.push({
        peer,
        message: {
          type: 'refused',
          what: 'request',
          id: message.requestId,
          code: allowed ? 'busy' : 'permissionDenied',
        },
        lane: undefined,
        settled: () => undefined,
      });
      return;
    }
    this.#listeners.set(peer, listener);
    listener.requests.push(message);
    this.#ready.add(peer);
  }

  /** Resources have come, gone or changed. */
  handleChange(): void {
    for (const peer of this.#listeners.keys()) this.#ready.add(peer);
  }

  /** The device itself has changed. */
  handleDeviceChange(): void {
    for (const listener of this.#listeners.values()) listener.deviceChanged = true;
    this.handleChange();
  }

  /** The peer may see more or less than before. */
  handleRole(peer: number): void {
    const listener = this.#listeners.get(peer);
    if (listener === undefined) return;
    if (!permits(this.#access.of(peer).role, 'guest')) {
      this.handleSessionEnd(peer);
      return;
    }
    listener.told = undefined;
    this.#ready.add(peer);
  }

  /** The session with the peer ended: it asks again in the next one. */
  handleSessionEnd(peer: number): void {
    const listener = this.#listeners.get(peer);
    if (listener !== undefined) listener.over = true;
    this.#listeners.delete(peer);
    this.#ready.delete(peer);
  }

  /** The next message to send; `undefined`: there is none now. */
  poll(): Outgoing | undefined {
    const refusal = this.#refusals.shift();
    if (refusal !== undefined) return refusal;
    for (const peer of this.#ready) {
      this.#ready.delete(peer);
      const listener = this.#listeners.get(peer);
      if (listener === undefined || listener.busy) continue;
      const message = this.#next(peer, listener);
      if (message === undefined) continue;
      listener.busy = true;
      return {
        peer,
        message,
        lane: 'description',
        settled: delivered => this.#settled(peer, listener, delivered),
      };
    }
    return undefined;
  }

  #settled(peer: number, listener: Listener, delivered: boolean): void {
    if (listener.over) return;
    listener.busy = false;
    if (!delivered) {
      listener.parts = [];
      listener.told = undefined;
    }
    this.#ready.add(peer);
  }

  #next(peer: number, listener: Listener): DescriptionMessage | undefined {
    if (listener.parts.length === 0) {
      const request = listener.requests.shift();
      const { told, deviceChanged } = listener;
      if (request === undefined && told === this.#tree.version && !deviceChanged) return undefined;
      const { since } = request ?? {};
      const known =
        since !== undefined &&
        since.version >= this.#access.changedAt(peer) &&
        this.#tree.canResume(since.stateIncarnation, since.version)
          ? since.version
          : undefined;
      const message = this.#describe(peer, request?.requestId, request === undefined ? told : known);
      listener.told = this.#tree.version;
      listener.deviceChanged = false;
      const isNews =
        deviceChanged || told === undefined || message.resources.length + message.removed.length > 0;
      // Where only values have changed there is nothing to describe.
      if (request === undefined && !isNews) return undefined;
      listener.parts = [...splitDescription(message)];
    }
    return listener.parts.shift();
  }

  #describe(peer: number, requestId: number | undefined, since: number | undefined): DescriptionMessage {
    const { role } = this.#access.of(peer);
    const { incarnation, version } = this.#tree;
    const resources = [...this.#tree.resources.values()].filter(
      resource => since === undefined || resource.version > since,
    );
    return {
      type: 'description',
      ...(requestId !== undefined && { requestId }),
      stateIncarnation: incarnation,
      version,
      full: since === undefined,
      last: true,
      device: this.#device(),
      resources: resources.map(resource => describeResource(resource, role)),
      removed: since === undefined ? [] : this.#tree.removedSince(since),
    };
  }
}
