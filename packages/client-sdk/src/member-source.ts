import { decodeMessage, encodeMessage, isClientMessage } from '@coconet/capabilities';
import type { ClientMessage, DeviceMessage, RefusedMessage } from '@coconet/capabilities';
import {
  assert,
  ClusterError,
  type ClusterEvent,
  type ClusterNode,
  type Duration,
  elapsed,
  fromHex,
  type Instant,
  type MemberRuntime,
  milliseconds,
  type NodeReport,
  randomUint32,
  type Role,
  seconds,
  SERVICES,
  toHex,
} from '@coconet/cluster-protocol';
import { formatNetworkId } from '@coconet/cluster-protocol/core';
import { Administrator } from './administrator.js';
import { messageOf } from './call-message.js';
import { CommandCalls, deadlineOf, type Outcome } from './command-call.js';
import { DescriptionReader } from './description.js';
import { ClientError, CommandError, isFailure } from './errors.js';
import type { DropCounts, Invitation, InvitationWish, NodeExplanation } from './network.js';
import type { DevicePicture, NetworkView } from './network-view.js';
import { explanationOf, nodeInfoOf } from './node-info.js';
import type {
  CallControl,
  CallRequest,
  NetworkSource,
  Patience,
  SelfReport,
  WatchRequest,
  WatchSink,
} from './source.js';
import { Subscription } from './subscription.js';

/** A message about the present is of no use after this. */
const STALE_AFTER: Duration = seconds(30);
/** A device that could not serve a subscription is asked again after this. */
const RESUBSCRIBE_DELAY: Duration = seconds(1);
/** What the NMN says about presence follows its session within this, or there is nothing to say. */
const PRESENCE_DELAY: Duration = milliseconds(300);

const CAPABILITY = SERVICES.capability;

interface Following {
  readonly nodeId: number;
  readonly subscription: Subscription;
  readonly sink: WatchSink;
}

interface Ping {
  readonly nodeId: number;
  readonly requestId: number | undefined;
  readonly sequence: number;
  readonly answered: () => void;
}

/** A network through the node in this process: translates between what an app wants and the capability service. */
export class MemberSource implements NetworkSource {
  readonly shared = false;
  readonly self: SelfReport;
  readonly #runtime: MemberRuntime;
  readonly #view: NetworkView;
  readonly #administrator: Administrator;
  readonly #incarnation: Uint8Array;
  readonly #calls: CommandCalls;
  readonly #connected = new Set<number>();
  readonly #descriptions = new Map<number, DescriptionReader>();
  readonly #following = new Map<number, Following>();
  readonly #pings = new Set<Ping>();
  readonly #expelled: (text: string) => void;
  /** Ids of requests and subscriptions: begin anywhere, so that what an earlier process asked is not taken for ours. */
  #lastId: number;
  #dirty = false;
  #newsRequest: number | undefined;
  #closed = false;
  #alarm: { readonly at: Instant; readonly callOff: () => void } | undefined;

  /** `expelled`: called when this node is no member any more. */
  constructor(
    runtime: MemberRuntime,
    view: NetworkView,
    options: { readonly expelled: (text: string) => void },
  ) {
    this.#runtime = runtime;
    this.#view = view;
    this.#expelled = options.expelled;
    this.#administrator = new Administrator(runtime);
    const { node, host, membership } = runtime;
    this.self = {
      networkId: formatNetworkId(membership.network),
      nodeId: node.nodeId,
      name: membership.name,
      role: ownRole(node.nodes()),
    };
    const incarnation = fromHex(runtime.incarnation);
    assert(incarnation !== undefined, 'an incarnation is hexadecimal');
    this.#incarnation = incarnation;
    this.#lastId = randomUint32(host.random);
    this.#calls = new CommandCalls({
      withdraw: (peer, sequence) => this.#do((each, now) => each.cancel(now, peer, sequence)?.sent),
      received: (peer, sequence) => this.#do((each, now) => each.received(now, peer, sequence)),
      sendCancel: (peer, sequence, expiresIn) =>
        this.#send(peer, { type: 'cancel', incarnation: this.#incarnation, sequence }, { expiresIn }),
    });
    this.#refresh();
    runtime.on(event => {
      this.#take(event);
    });
  }

  async call(request: CallRequest, control: CallControl): Promise<Outcome> {
    const { signal, timeout, onProgress, onLateOutcome } = control;
    if (this.#closed) return local('cancelled', 'the network was closed');
    if (signal?.aborted === true) return local('cancelled', 'it was called off before it was sent');
    const { host } = this.#runtime;
    const { nodeId } = request;
    const requestId = request.kind === 'command' ? undefined : this.#newId();
    const bytes = encodeMessage(messageOf(request, requestId ?? 0, timeout));
    let abort: () => void = () => undefined;
    try {
      return await new Promise<Outcome>((settle, fail) => {
        try {
          this.#runtime.do((node, now) => {
            const once = request.kind === 'command' && !request.idempotent;
            const sequence = node.send(now, nodeId, CAPABILITY, bytes, {
              ...(timeout !== Infinity && { expiresIn: milliseconds(timeout) }),
              once,
            });
            const deadline = deadlineOf(now, timeout);
            const connected = this.#connected.has(nodeId);
            this.#calls.start({
              peer: nodeId,
              sequence,
              requestId,
              once,
              deadline,
              connected,
              settle,
              onProgress,
              onLateOutcome,
            });
            abort = (): void => {
              this.#calls.abort(host.now(), nodeId, sequence);
              this.#arm();
            };
          });
          signal?.addEventListener('abort', abort, { once: true });
          this.#arm();
        } catch (error) {
          if (error instanceof ClusterError && error.code === 'NOT_A_MEMBER')
            settle(local('deviceUnreachable', error.message));
          else fail(error instanceof Error ? error : new Error(String(error)));
        }
      });
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  watch({ nodeId, ...wish }: WatchRequest, sink: WatchSink): () => void {
    if (this.#closed) return () => undefined;
    const id = this.#newId();
    const subscription = new Subscription(id, wish);
    this.#following.set(id, { nodeId, subscription, sink });
    this.#subscribe(nodeId, subscription);
    return () => {
      if (this.#following.delete(id)) this.#unsubscribe(nodeId, id);
    };
  }

  async dropped(): Promise<DropCounts> {
    return this.#runtime.node.drops.snapshot();
  }

  async explain(nodeId: number): Promise<NodeExplanation> {
    return this.#runtime.do((node, now) => explanationOf(node.explain(now, nodeId)));
  }

  async ping(nodeId: number, { timeout, signal }: Patience): Promise<number | null> {
    const { host } = this.#runtime;
    const isDevice = this.#view.nodes.get(nodeId)?.kind === 'device';
    const held = this.#descriptions.get(nodeId)?.held;
    const requestId = this.#newId();
    // A device answers; of other nodes it is the receipt that counts.
    const message: ClientMessage = isDevice
      ? { type: 'describe', requestId, ...(held && { since: versionOf(held) }) }
      : { type: 'unsubscribe', subscriptionId: requestId };
    const began = host.now();
    let ping: Ping | undefined;
    let callOff: () => void = () => undefined;
    let abort: () => void = () => undefined;
    try {
      return await new Promise<number | null>((resolve, reject) => {
        abort = (): void => {
          reject(new ClientError('CANCELLED', 'the ping was called off', { cause: signal?.reason }));
        };
        if (signal?.aborted === true) {
          abort();
          return;
        }
        signal?.addEventListener('abort', abort, { once: true });
        callOff = host.schedule(milliseconds(timeout), () => {
          resolve(null);
        });
        this.#runtime.do((node, now) => {
          const expiresIn = milliseconds(timeout);
          const sequence = node.send(now, nodeId, CAPABILITY, encodeMessage(message), {
            expiresIn,
            priority: 0,
          });
          const answered = (): void => {
            resolve(elapsed(began, host.now()));
          };
          ping = { nodeId, requestId: isDevice ? requestId : undefined, sequence, answered };
          this.#pings.add(ping);
        });
      });
    } finally {
      callOff();
      signal?.removeEventListener('abort', abort);
      if (ping) this.#pings.delete(ping);
    }
  }

  invite(wish: InvitationWish, patience: Patience): Promise<Invitation> {
    return this.#administrator.invite(wish, patience);
  }

  revoke(nodeId: number, reason: string, patience: Patience): Promise<void> {
    return this.#administrator.revoke(nodeId, reason, patience);
  }

  leave(patience: Patience): Promise<void> {
    return this.#administrator.leave(patience);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#calls.close(this.#runtime.host.now(), 'the network was closed');
    this.#closed = true;
    this.#alarm?.callOff();
    this.#administrator.end(new ClientError('NETWORK_CLOSED', 'the network was closed'));
    await this.#runtime.close();
  }

  // ---- what the node tells --------------------------------------------------------------------------------------

  #take(event: ClusterEvent): void {
    if (this.#closed) return;
    const now = this.#runtime.host.now();
    switch (event.kind) {
      case 'message':
        if (event.service === CAPABILITY) this.#message(now, event.peer, event.bytes);
        break;
      case 'delivered':
        this.#calls.handleDelivered(event.peer, event.sequence);
        for (const ping of this.#pings)
          if (ping.requestId === undefined && ping.nodeId === event.peer && ping.sequence === event.sequence)
            ping.answered();
        break;
      case 'undelivered':
        this.#calls.handleUndelivered(now, event.peer, event.sequence, event.sent, event.reason);
        break;
      case 'connected':
        this.#connectedTo(event.peer, event.inbox);
        break;
      case 'inboxChanged':
        this.#calls.handleMemoryLost(now, event.peer, event.undecided);
        break;
      case 'inboxKept':
        this.#calls.handleMemoryKept(event.peer);
        break;
      case 'disconnected':
        this.#connected.delete(event.peer);
        this.#descriptions.get(event.peer)?.handleSessionEnd();
        this.#setDevice(event.peer, { connected: false, unreachable: event.text || event.reason });
        this.#markDirty();
        break;
      case 'unreachable':
        this.#calls.handleUnreachable(now, event.peer, event.text, event.retryIn !== undefined);
        this.#setDevice(event.peer, { connected: false, unreachable: event.text });
        break;
      case 'nmn':
        if (event.state === 'connected') this.#nmnConnected();
        else this.#view.setCondition({ nmn: 'away', presenceKnown: true });
        break;
      // Nobody here takes streams: the node refuses them.
      case 'stream':
      case 'streamsClosed':
        break;
      case 'presence':
      case 'member':
      case 'path':
        this.#markDirty();
        break;
      case 'management':
        if (event.requestId === this.#newsRequest)
          this.#view.setCondition({ ...this.#view.condition, presenceKnown: true });
        this.#administrator.handleAnswer(event.requestId, event.content);
        break;
      case 'expelled':
        this.#administrator.end(new ClientError('EXPELLED', event.text));
        this.#expelled(event.text);
        break;
      case 'datagram':
      case 'networkState':
      case 'persist':
        break;
    }
    this.#arm();
  }

  #connectedTo(peer: number, inbox: string): void {
    this.#connected.add(peer);
    this.#calls.handleConnected(peer, inbox);
    this.#markDirty();
    if (!this.#isDevice(peer)) this.#refresh();
    if (!this.#isDevice(peer)) return;
    this.#setDevice(peer, { connected: true, unreachable: undefined });
    this.#describe(peer, true);
    for (const { nodeId, subscription } of this.#following.values())
      if (nodeId === peer) this.#subscribe(peer, subscription);
  }

  #nmnConnected(): void {
    const { presenceKnown } = this.#view.condition;
    this.#view.setCondition({ nmn: 'connected', presenceKnown });
    // The NMN answers behind its news of who is a member and who is there: with its answer, both are known.
    if (!presenceKnown)
      this.#newsRequest = this.#runtime.do((node, now) => node.request(now, { type: 'secret' }));
    if (!presenceKnown)
      this.#runtime.host.schedule(PRESENCE_DELAY, () => {
        if (!this.#closed) this.#view.setCondition({ ...this.#view.condition, presenceKnown: true });
      });
    // What could not be reached without the NMN is tried again now.
    for (const device of this.#view.devices.values())
      if (!device.connected && device.unreachable !== undefined)
        this.#setDevice(device.nodeId, { unreachable: undefined });
  }

  #message(now: Instant, peer: number, bytes: Uint8Array): void {
    const decoded = decodeMessage(bytes);
    if (!decoded.ok || isClientMessage(decoded.value) || !this.#isDevice(peer)) return;
    const message = decoded.value as DeviceMessage;
    switch (message.type) {
      case 'description': {
        for (const ping of this.#pings)
          if (ping.nodeId === peer && ping.requestId === message.requestId) ping.answered();
        const described = this.#reader(peer).handleDescription(message);
        if (described.kind === 'gap') this.#describe(peer, false);
        if (described.kind === 'described')
          this.#setDevice(peer, { description: described.description, unreachable: undefined });
        return;
      }
      case 'report':
        this.#report(peer, message);
        return;
      case 'status':
        if (toHex(message.incarnation) === this.#runtime.incarnation)
          this.#calls.handleStatus(now, peer, message);
        return;
      case 'values': {
        const { requestId, code, entries } = message;
        this.#calls.handleAnswer(now, peer, requestId, { code, answered: true, entries });
        return;
      }
      case 'answer': {
        const { type: _type, requestId, ...rest } = message;
        this.#calls.handleAnswer(now, peer, requestId, { ...rest, answered: true });
        return;
      }
      case 'refused':
        this.#refused(now, peer, message);
    }
  }

  #report(peer: number, message: Extract<DeviceMessage, { type: 'report' }>): void {
    const following = this.#following.get(message.subscriptionId);
    if (following?.nodeId !== peer) {
      // It has not heard yet that nobody listens any more.
      this.#unsubscribe(peer, message.subscriptionId);
      return;
    }
    const reported = following.subscription.handleReport(message);
    if (reported.kind === 'values') following.sink.values(reported.batch);
    if (reported.kind === 'resubscribe') this.#subscribe(peer, following.subscription);
  }

  #refused(now: Instant, peer: number, { what, id, code }: RefusedMessage): void {
    if (what === 'request') {
      const again = this.#descriptions.get(peer)?.handleRefusal(id);
      if (again === undefined) this.#calls.handleAnswer(now, peer, id, { code, answered: true });
      else this.#describeLater(peer, again, code);
      return;
    }
    const following = this.#following.get(id);
    if (following?.nodeId !== peer) return;
    if (code === 'connectivityError' || code === 'busy') {
      this.#runtime.host.schedule(RESUBSCRIBE_DELAY, () => {
        if (!this.#closed && this.#following.has(id)) this.#subscribe(peer, following.subscription);
      });
      return;
    }
    this.#following.delete(id);
    following.sink.refused(
      new CommandError(
        isFailure(code) ? code : 'unknown',
        `the device does not let itself be watched: ${code}`,
        {
          answered: true,
        },
      ),
    );
  }

  // ---- what the node is told ------------------------------------------------------------------------------------

  #subscribe(peer: number, subscription: Subscription): void {
    // Without a session there is nothing to ask; the next one asks by itself.
    if (this.#connected.has(peer))
      this.#send(peer, subscription.subscribe(), subscriptionOptions(subscription.id));
  }

  #unsubscribe(peer: number, subscriptionId: number): void {
    if (this.#connected.has(peer) && !this.#closed)
      this.#send(peer, { type: 'unsubscribe', subscriptionId }, subscriptionOptions(subscriptionId));
  }

  #describe(peer: number, resume: boolean): void {
    const held = resume ? this.#reader(peer).held : undefined;
    const requestId = this.#newId();
    this.#reader(peer).handleAsked(requestId);
    this.#send(
      peer,
      { type: 'describe', requestId, ...(held && { since: versionOf(held) }) },
      { expiresIn: STALE_AFTER, supersedes: 'describe' },
    );
  }

  #describeLater(peer: number, delay: Duration, code: RefusedMessage['code']): void {
    this.#setDevice(peer, { unreachable: `it does not describe itself: ${code}` });
    this.#runtime.host.schedule(delay, () => {
      if (!this.#closed && this.#connected.has(peer)) this.#describe(peer, true);
    });
  }

  #send(
    peer: number,
    message: ClientMessage,
    options: { readonly expiresIn: Duration; readonly supersedes?: string },
  ): void {
    this.#do((node, now) => {
      try {
        node.send(now, peer, CAPABILITY, encodeMessage(message), options);
      } catch (error) {
        // A member that has just gone, or one that takes nothing any more: its next session begins anew.
        if (!(error instanceof ClusterError)) throw error;
      }
    });
  }

  #do<T>(verb: (node: ClusterNode, now: Instant) => T): T {
    return this.#runtime.do(verb);
  }

  // ---- the picture ----------------------------------------------------------------------------------------------

  // All events of one turn lead to one look at the members.
  #markDirty(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    void Promise.resolve().then(() => {
      this.#dirty = false;
      if (!this.#closed) this.#refresh();
    });
  }

  #refresh(): void {
    const { node } = this.#runtime;
    const nodes = node.nodes();
    this.#view.setNodes(nodes.map(nodeInfoOf));
    for (const nodeId of this.#descriptions.keys())
      if (!this.#view.nodes.has(nodeId)) this.#descriptions.delete(nodeId);
    for (const { nodeId, kind, self } of nodes) {
      if (kind !== 'device' || self || this.#descriptions.has(nodeId)) continue;
      this.#descriptions.set(nodeId, new DescriptionReader());
      this.#setDevice(nodeId, {});
      this.#do((each, now) => {
        each.connect(now, nodeId);
      });
    }
  }

  #isDevice(peer: number): boolean {
    return this.#descriptions.has(peer) || this.#view.nodes.get(peer)?.kind === 'device';
  }

  #reader(peer: number): DescriptionReader {
    const reader = this.#descriptions.get(peer) ?? new DescriptionReader();
    this.#descriptions.set(peer, reader);
    return reader;
  }

  #setDevice(nodeId: number, change: Partial<DevicePicture>): void {
    if (!this.#isDevice(nodeId)) return;
    const { connected = false, unreachable, description } = this.#view.devices.get(nodeId) ?? {};
    this.#view.setDevice({ connected, unreachable, description, ...change, nodeId });
  }

  #newId(): number {
    this.#lastId = (this.#lastId + 1) >>> 0;
    return this.#lastId;
  }

  #arm(): void {
    if (this.#closed) return;
    const { host } = this.#runtime;
    const at = this.#calls.pollTimeout();
    if (at === this.#alarm?.at) return;
    this.#alarm?.callOff();
    this.#alarm =
      at === undefined
        ? undefined
        : {
            at,
            callOff: host.schedule(milliseconds(Math.max(0, elapsed(host.now(), at))), () => {
              this.#alarm = undefined;
              this.#calls.handleTimeout(host.now());
              this.#arm();
            }),
          };
  }
}

const local = (code: 'cancelled' | 'deviceUnreachable', message: string): Outcome => ({
  code,
  answered: false,
  message,
});

const subscriptionOptions = (id: number): { readonly expiresIn: Duration; readonly supersedes: string } => ({
  expiresIn: STALE_AFTER,
  supersedes: `subscription:${id}`,
});

const versionOf = ({
  stateIncarnation,
  version,
}: {
  readonly stateIncarnation: Uint8Array;
  readonly version: number;
}): { readonly stateIncarnation: Uint8Array; readonly version: number } => ({ stateIncarnation, version });

const ownRole = (nodes: readonly NodeReport[]): Role => nodes.find(({ self }) => self)?.role ?? 'none';
