import { decodeMessage, diagnostics, nearestName, suggestion } from '@coconet/capabilities';
import type { AnyCapability, CapabilityMessage } from '@coconet/capabilities';
import { ClusterError, formatNetworkId, milliseconds, seconds, SERVICES } from '@coconet/cluster-protocol';
import type {
  ClusterEvent,
  DropReason,
  Duration,
  Instant,
  MemberRuntime,
  NodeReport,
  PeerExplanation,
} from '@coconet/cluster-protocol';
import { Access } from './access.js';
import { CommandLedger } from './command-ledger.js';
import { CommandRouter } from './command-router.js';
import { Courier } from './courier.js';
import { DescriptionServer } from './description-server.js';
import { describeDevice } from './description.js';
import { DeviceListeners } from './device-events.js';
import type { DeviceEvents } from './device-events.js';
import type { DeviceOptions } from './device-options.js';
import { DeviceTree } from './device-tree.js';
import { checkOptions, Notices, openRuntime } from './opening.js';
import type { DeviceSurroundings } from './opening.js';
import type { Outgoing } from './outgoing.js';
import type { DeviceResource, ResourceOptions } from './resource.js';
import { StateStore } from './state-store.js';
import { SubscriptionServer } from './subscription-server.js';
import { answerRead } from './values-answer.js';
import { Vitals } from './vitals.js';

/** Handlers that were aborted by `close` have this long to end. */
const CLOSE_PATIENCE: Duration = seconds(1);

/** A request is answered soon or never. */
const ANSWER_PATIENCE: Duration = seconds(30);

/** The network that a device is in. */
export interface DeviceNetwork {
  /** 32 hexadecimal digits. */
  readonly id: string;
}

/**
 * A running device: offers resources, answers commands and reports what changes, until it is closed.
 * Made by `createDevice`.
 */
export class Device {
  readonly #runtime: MemberRuntime;
  readonly #release: () => Promise<void>;
  readonly #listeners = new DeviceListeners();
  readonly #state: StateStore;
  readonly #ledger: CommandLedger;
  readonly #access: Access;
  readonly #tree: DeviceTree;
  readonly #courier: Courier;
  readonly #subscriptions: SubscriptionServer;
  readonly #descriptions: DescriptionServer;
  readonly #router: CommandRouter;
  readonly #vitals: Vitals;
  readonly #stopListening: () => void;
  #pumpWanted = false;
  #timer: { readonly at: Instant; readonly cancel: () => void } | undefined;
  #closing: Promise<void> | undefined;

  private constructor(
    options: DeviceOptions,
    runtime: MemberRuntime,
    state: StateStore,
    ledger: CommandLedger,
    notices: Notices,
    release: () => Promise<void>,
  ) {
    this.#runtime = runtime;
    this.#release = release;
    this.#state = state;
    this.#ledger = ledger;
    const { host, node } = runtime;
    this.#access = new Access(() => node.nodes());
    this.#tree = new DeviceTree(
      state.origin,
      {
        read: (cells, events, at) => {
          state.keep(cells);
          this.#subscriptions.handleReadings(host.now(), cells, events, at);
          this.#pumpSoon();
        },
        added: resource => {
          this.#subscriptions.handleAdded(resource);
          this.#changed();
        },
        removed: resource => {
          state.forget(resource);
          this.#subscriptions.handleRemoved(resource);
          this.#changed();
        },
        redescribed: () => this.#changed(),
      },
      () => host.wallTime(),
      cell => state.saved(cell),
    );
    this.#courier = new Courier({
      send: (peer, service, bytes, how) => runtime.do((n, now) => n.send(now, peer, service, bytes, how)),
      cancel: (peer, sequence) => runtime.do((n, now) => void n.cancel(now, peer, sequence)),
    });
    this.#subscriptions = new SubscriptionServer(this.#tree, this.#access);
    this.#descriptions = new DescriptionServer(this.#tree, this.#access, () =>
      describeDevice(this.name, options),
    );
    this.#router = new CommandRouter({
      tree: this.#tree,
      access: this.#access,
      ledger,
      courier: this.#courier,
      now: () => host.now(),
      schedule: (delay, action) => host.schedule(delay, action),
      notice: text => notices.tell(text),
    });
    this.#vitals = new Vitals({
      runtime,
      courier: this.#courier,
      resourceIds: () => this.resourceIds,
      work: () => ({ commands: this.#router.size, subscriptions: this.#subscriptions.size }),
    });
    notices.hear(text => this.#listeners.tell('notice', text));
    this.#stopListening = runtime.on(event => this.#take(event));
  }

  /** Opens a device on given surroundings. Throws what `createDevice` throws; then nothing stays open. */
  static async open(options: DeviceOptions, around: DeviceSurroundings): Promise<Device> {
    const { host, store } = around;
    const release = around.release ?? (() => Promise.resolve());
    const notices = new Notices(options.onNotice);
    try {
      checkOptions(options);
      // All that is read comes first: from the moment the runtime is open, somebody must listen.
      const state = await StateStore.open(host, store, text => notices.tell(text));
      const ledger = await CommandLedger.open(store);
      const runtime = await openRuntime(options, around, text => notices.tell(text), ledger);
      return new Device(options, runtime, state, ledger, notices, release);
    } catch (error) {
      await release();
      throw error;
    }
  }

  /** The id of this device in its network. */
  get nodeId(): number {
    return this.#runtime.node.nodeId;
  }

  /** The name under which the network lists this device. */
  get name(): string {
    const self = this.#access.of(this.nodeId);
    return self.name === '' ? this.#runtime.membership.name : self.name;
  }

  /** Datagrams, frames and messages that came since the start and were dropped, by the reason of the cluster protocol. */
  get dropped(): Partial<Readonly<Record<DropReason, number>>> {
    return this.#runtime.node.drops.snapshot();
  }

  get network(): DeviceNetwork {
    return { id: formatNetworkId(this.#runtime.membership.network) };
  }

  /**
   * Offers a resource with these capabilities; commands are supported once they have handlers.
   *
   * @throws {DeviceError} `INVALID_RESOURCE`, `DUPLICATE_RESOURCE`, `LIMIT_REACHED`, `DEVICE_CLOSED`.
   * @example
   * const lamp = device.addResource('lamp', [onOff, level], { name: 'Desk lamp' });
   */
  addResource<const L extends readonly AnyCapability[]>(
    id: string,
    capabilities: L,
    options: ResourceOptions<L> = {},
  ): DeviceResource<L> {
    const resource = this.#tree.add(id, capabilities, options);
    this.#vitals.attach(resource);
    return resource.view<L>();
  }

  /** Takes a resource away for good, its persisted values included. Throws `UNKNOWN_RESOURCE`, `DEVICE_CLOSED`. */
  removeResource(id: string): void {
    this.#tree.remove(id);
    this.#vitals.detach(id);
  }

  /** A resource by its id. Throws `UNKNOWN_RESOURCE`, with the nearest id. */
  resource(id: string): DeviceResource {
    return this.#tree.require(id).view();
  }

  /** Ids of all resources. */
  get resourceIds(): readonly string[] {
    return [...this.#tree.resources.keys()];
  }

  /** All members of the network, this device included. */
  nodes(): readonly NodeReport[] {
    return this.#runtime.node.nodes();
  }

  /** Why the path to another node is what it is. `peer`: its id or its name. Throws `PEER_UNKNOWN`, `NOT_A_MEMBER`. */
  explain(peer: number | string): PeerExplanation {
    const { node, host } = this.#runtime;
    return node.explain(host.now(), typeof peer === 'number' ? peer : this.#idOf(peer));
  }

  /** Calls `listener` whenever that happens. Returns how to stop. */
  on<K extends keyof DeviceEvents>(event: K, listener: (value: DeviceEvents[K]) => void): () => void {
    return this.#listeners.on(event, listener);
  }

  /** Aborts running handlers, writes what is to be kept, says goodbye and closes everything. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const { host } = this.#runtime;
    const ended = this.#router.close();
    this.#vitals.close();
    this.#tree.close();
    let cancel: () => void = () => undefined;
    const patience = new Promise<void>(resolve => {
      cancel = host.schedule(CLOSE_PATIENCE, resolve);
    });
    await Promise.race([ended, patience]);
    cancel();
    this.#pump();
    // What was sent until now leaves in this turn of the event loop, before the goodbye.
    await new Promise<void>(resolve => void host.schedule(milliseconds(0), resolve));
    this.#timer?.cancel();
    this.#stopListening();
    await this.#state.close();
    await this.#ledger.close().catch(() => undefined);
    await this.#runtime.close();
    await this.#release();
  }

  #idOf(name: string): number {
    const nodes = this.nodes();
    const found = nodes.filter(node => node.name === name);
    if (found.length === 1) return found[0]!.nodeId;
    const known = nodes.map(node => node.name);
    throw new ClusterError(
      'PEER_UNKNOWN',
      found.length === 0
        ? `the network has no member '${name}'; ${suggestion(name, nearestName(name, known) === undefined ? known.slice(0, 20) : known)}`
        : `the network has several members '${name}': use one of the ids ${found.map(({ nodeId }) => nodeId).join(', ')}`,
    );
  }

  // ---- what the network tells -----------------------------------------------------------------------------------

  #take(event: ClusterEvent): void {
    switch (event.kind) {
      case 'message':
        if (event.service === SERVICES.capability) this.#message(event);
        break;
      case 'delivered':
      case 'undelivered':
        this.#courier.handleSettled(event.peer, event.sequence, event.kind === 'delivered');
        break;
      case 'connected': {
        this.#sessionEnd(event.peer);
        this.#router.handleConnected(event.peer);
        this.#vitals.refresh();
        const { nodeId, name, kind } = this.#access.of(event.peer);
        if (kind !== 'nmn') this.#listeners.tell('connected', { nodeId, name, path: event.path });
        break;
      }
      case 'disconnected': {
        this.#sessionEnd(event.peer);
        this.#vitals.refresh();
        const { nodeId, name, kind } = this.#access.of(event.peer);
        const { reason, text } = event;
        if (kind !== 'nmn') this.#listeners.tell('disconnected', { nodeId, name, reason, text });
        break;
      }
      case 'path': {
        this.#vitals.refresh();
        const { nodeId, name } = this.#access.of(event.peer);
        this.#listeners.tell('path', { nodeId, name, from: event.from, to: event.to });
        break;
      }
      case 'member':
        this.#member(event.nodeId);
        break;
      case 'nmn':
        this.#listeners.tell('nmn', { state: event.state, text: event.text });
        break;
      case 'expelled':
        this.#listeners.tell('expelled', event.text);
        break;
      // What a device sends may arrive twice: values, descriptions, and statuses, which say the same again.
      case 'inboxChanged':
      case 'inboxKept':
      // Nobody here takes streams: the node refuses them.
      case 'stream':
      case 'streamsClosed':
      case 'unreachable':
      case 'datagram':
      case 'presence':
      case 'management':
      case 'networkState':
      case 'persist':
        return;
    }
    this.#pumpSoon();
  }

  #message(event: Extract<ClusterEvent, { kind: 'message' }>): void {
    const { peer, incarnation, sequence, bytes } = event;
    const message = decodeMessage(bytes);
    if (!message.ok) {
      this.#runtime.node.drops.count('malformed');
      return;
    }
    this.#request(peer, { peer, incarnation, sequence }, message.value);
  }

  #request(
    peer: number,
    id: { readonly peer: number; readonly incarnation: string; readonly sequence: number },
    message: CapabilityMessage,
  ): void {
    switch (message.type) {
      case 'subscribe':
        this.#subscriptions.handleSubscribe(peer, message);
        break;
      case 'unsubscribe':
        this.#subscriptions.handleUnsubscribe(peer, message.subscriptionId);
        break;
      case 'describe':
        this.#descriptions.handleDescribe(peer, message);
        break;
      case 'command':
        this.#router.handleCommand(id, message);
        break;
      case 'cancel':
        this.#router.handleCancel(peer, message);
        break;
      case 'ask':
        this.#router.handleAsk(peer, message);
        break;
      case 'read': {
        if (message.capabilityId === diagnostics.id) this.#vitals.refresh();
        const values = answerRead(this.#tree, this.#access.of(peer), message);
        const options = { expiresIn: ANSWER_PATIENCE };
        try {
          this.#courier.send(peer, values, options, () => undefined);
        } catch {
          // More than a message holds: the peer has to ask for fewer attributes at a time.
          this.#courier.send(
            peer,
            { ...values, code: 'limitReached', entries: [] },
            options,
            () => undefined,
          );
        }
        break;
      }
      // What only devices send is nothing to a device.
      case 'description':
      case 'report':
      case 'status':
      case 'values':
      case 'answer':
      case 'refused':
        this.#runtime.node.drops.count('unexpected');
    }
  }

  #sessionEnd(peer: number): void {
    this.#subscriptions.handleSessionEnd(peer);
    this.#descriptions.handleSessionEnd(peer);
    this.#courier.handleSessionEnd(peer);
  }

  #member(nodeId: number): void {
    const isOther = this.#access.refresh(nodeId, this.#tree.version);
    if (nodeId === this.nodeId) this.#descriptions.handleDeviceChange();
    if (!isOther) return;
    this.#subscriptions.handleRole(nodeId);
    this.#descriptions.handleRole(nodeId);
  }

  // ---- what leaves ----------------------------------------------------------------------------------------------

  #changed(): void {
    this.#descriptions.handleChange();
    this.#pumpSoon();
  }

  // Everything that one turn of the event loop changes leaves together.
  #pumpSoon(): void {
    if (this.#pumpWanted || this.#closing !== undefined) return;
    this.#pumpWanted = true;
    void Promise.resolve().then(() => {
      this.#pumpWanted = false;
      if (this.#closing === undefined) this.#pump();
    });
  }

  #pump(): void {
    const now = this.#runtime.host.now();
    this.#subscriptions.handleTimeout(now);
    for (let next = this.#descriptions.poll(); next; next = this.#descriptions.poll()) this.#send(next);
    for (let next = this.#subscriptions.poll(now); next; next = this.#subscriptions.poll(now))
      this.#send(next);
    this.#arm(this.#subscriptions.pollTimeout());
  }

  #send({ peer, message, lane, settled }: Outgoing): void {
    this.#courier.send(peer, message, { key: lane, endsWithSession: true }, settled);
  }

  #arm(due: Instant | undefined): void {
    if (this.#timer !== undefined && due !== undefined && this.#timer.at <= due) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (due === undefined) return;
    const { host } = this.#runtime;
    const delay = milliseconds(Math.max(0, due - host.now()));
    this.#timer = {
      at: due,
      cancel: host.schedule(delay, () => {
        this.#timer = undefined;
        if (this.#closing === undefined) this.#pump();
      }),
    };
  }
}
