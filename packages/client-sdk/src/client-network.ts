import { type AnyCapability, CapabilityRegistry, standardRegistry } from '@coconet/capabilities';
import type { Role } from '@coconet/cluster-protocol';
import {
  ambiguous,
  matching,
  nearest,
  nodeOf,
  parseAddress,
  parseNode,
  showNode,
  unknownNode,
} from './address.js';
import {
  ADMIN_TIMEOUT,
  checkTimeout,
  PING_INTERVAL,
  PING_TIMEOUT,
  READY_TIMEOUT,
  RESOURCE_TIMEOUT,
} from './client-options.js';
import { ClientError } from './errors.js';
import { type FollowedEntry, Following } from './following.js';
import type {
  Administration,
  Network,
  NodeChange,
  DropCounts,
  NodeExplanation,
  NodeInfo,
  PingOptions,
  PingReply,
  WaitOptions,
} from './network.js';
import type { NetworkView } from './network-view.js';
import { mapBatches, NewestQueue } from './newest-queue.js';
import { attributeReportOf } from './reading.js';
import { addressOf } from './resource-info.js';
import { type HandleWorld, ResourceHandle, type ResourcePlace } from './resource-handle.js';
import type { AttributeReport, Resource, ResourceWatchOptions, TypedResource } from './resource.js';
import type { NetworkSource } from './source.js';
import type { SubscriptionWish } from './subscription.js';
import { pause, type Timers, waitFor } from './waiting.js';

/** What a network is made of. */
export interface ClientNetworkParts {
  readonly source: NetworkSource;
  readonly view: NetworkView;
  readonly timers: Timers;
  readonly registry?: CapabilityRegistry | undefined;
}

interface FoundResource extends ResourcePlace {
  readonly handle: ResourceHandle;
}

/** A network in the hands of an app, whoever holds the node. */
export class ClientNetwork implements Network, HandleWorld {
  readonly source: NetworkSource;
  readonly view: NetworkView;
  readonly admin: Administration;
  registry: CapabilityRegistry;
  readonly #timers: Timers;
  readonly #ended = new AbortController();
  readonly #queues = new Set<{ end(error?: Error): void }>();

  constructor({ source, view, timers, registry }: ClientNetworkParts) {
    this.source = source;
    this.view = view;
    this.#timers = timers;
    this.registry = registry ?? standardRegistry;
    this.admin = {
      createInvitation: async (wish, options) =>
        this.source.invite(wish, this.#patience(options, ADMIN_TIMEOUT)),
      revoke: async (node, reason = '', options) =>
        this.source.revoke(this.node(node).nodeId, reason, this.#patience(options, ADMIN_TIMEOUT)),
      leave: async options => this.source.leave(this.#patience(options, ADMIN_TIMEOUT)),
    };
  }

  get networkId(): string {
    return this.source.self.networkId;
  }

  get nodeId(): number {
    return this.source.self.nodeId;
  }

  get name(): string {
    return this.view.nodes.get(this.nodeId)?.name ?? this.source.self.name;
  }

  get role(): Role {
    return this.view.nodes.get(this.nodeId)?.role ?? this.source.self.role;
  }

  get nmn(): 'connected' | 'away' {
    return this.view.condition.nmn;
  }

  get shared(): boolean {
    return this.source.shared;
  }

  nodes(): readonly NodeInfo[] {
    return [...this.view.nodes.values()];
  }

  node(node: string | number): NodeInfo {
    return nodeOf(this.nodes(), parseNode(node));
  }

  async *watchNodes({ signal }: Pick<WaitOptions, 'signal'> = {}): AsyncGenerator<
    NodeChange,
    void,
    undefined
  > {
    this.#ended.signal.throwIfAborted();
    if (signal?.aborted === true) return;
    const told = new Map<number, NodeInfo>();
    const queue = this.#queue<number>(() => stop(), signal);
    const stop = this.view.on(change => {
      if (change.kind === 'node') queue.put([[String(change.nodeId), change.nodeId]]);
    });
    queue.put([...this.view.nodes.keys()].map(nodeId => [String(nodeId), nodeId]));
    const changeOf = (nodeId: number): NodeChange[] => {
      const before = told.get(nodeId);
      const node = this.view.nodes.get(nodeId);
      if (node === before) return [];
      if (node) told.set(nodeId, node);
      else told.delete(nodeId);
      if (node) return [{ change: before ? 'changed' : 'added', node }];
      return before ? [{ change: 'removed', node: before }] : [];
    };
    // Looked at one by one: what changes while the reader is busy is told as it then is.
    for await (const nodeIds of mapBatches(queue, items => items))
      for (const nodeId of nodeIds) yield* changeOf(nodeId);
  }

  resources(): readonly Resource[] {
    return this.#places().map(({ handle }) => handle);
  }

  async ready(options: WaitOptions = {}): Promise<void> {
    const { timeout, signal } = this.#patience(options, READY_TIMEOUT);
    const ended = this.#ended.signal;
    await waitFor(this.#timers, this.view, () => (this.view.complete ? true : undefined), {
      timeout,
      signal,
      ended,
    });
  }

  resource<const L extends readonly AnyCapability[]>(
    address: string,
    capabilities: L,
    options?: WaitOptions,
  ): Promise<TypedResource<L>>;
  resource(address: string, options?: WaitOptions): Promise<Resource>;
  async resource(
    address: string,
    second: readonly AnyCapability[] | WaitOptions = {},
    third: WaitOptions = {},
  ): Promise<Resource> {
    const capabilities = isList(second) ? second : undefined;
    const handle = await this.#find(address, isList(second) ? third : second);
    if (!capabilities) return handle;
    this.#learn(capabilities);
    return handle.typed(capabilities);
  }

  async *watch(
    options: ResourceWatchOptions & { readonly node?: string | number | undefined } = {},
  ): AsyncGenerator<readonly AttributeReport[], void, undefined> {
    const { node, capabilities, minInterval, maxInterval, signal } = options;
    if (signal?.aborted === true) return;
    const wanted = node === undefined ? undefined : this.node(node).nodeId;
    const ids = capabilities?.map(name => this.registry.require(name).id);
    const wish = {
      filter: ids ? { capabilities: ids } : {},
      ...(minInterval !== undefined && { minInterval }),
      ...(maxInterval !== undefined && { maxInterval }),
    };
    const following = this.#follow(wish, signal, () => stop());
    const stop = this.view.on(change => {
      if (change.kind === 'device' && (wanted ?? change.nodeId) === change.nodeId)
        following.follow(change.nodeId);
      if (change.kind === 'node' && !this.view.nodes.has(change.nodeId)) following.forget(change.nodeId);
    });
    for (const nodeId of this.view.devices.keys())
      if ((wanted ?? nodeId) === nodeId) following.follow(nodeId);
    yield* mapBatches(following.queue, items =>
      items.flatMap(
        item =>
          attributeReportOf(this.registry, addressOf(this.view, item.nodeId, item.entry.resourceId), item) ??
          [],
      ),
    );
  }

  /** Begins to follow one device. */
  follow(
    nodeId: number,
    wish: SubscriptionWish,
    signal: AbortSignal | undefined,
  ): NewestQueue<FollowedEntry> {
    const following = this.#follow(wish, signal, () => undefined);
    following.follow(nodeId);
    return following.queue;
  }

  async dropped(): Promise<DropCounts> {
    return this.source.dropped();
  }

  async explain(node: string | number): Promise<NodeExplanation> {
    const { nodeId, self, name } = this.node(node);
    if (self)
      throw new ClientError('INVALID_OPTION', `${name} is this node itself: there is no path to explain`);
    return this.source.explain(nodeId);
  }

  async *ping(node: string | number, options: PingOptions = {}): AsyncGenerator<PingReply, void, undefined> {
    const { count = 4, interval = PING_INTERVAL, signal } = options;
    const { nodeId, self, name } = this.node(node);
    if (self) throw new ClientError('INVALID_OPTION', `${name} is this node itself`);
    const timeout = checkTimeout(options.timeout ?? PING_TIMEOUT);
    const signals = [this.#ended.signal, ...(signal ? [signal] : [])];
    for (let sequence = 1; sequence <= count; sequence++) {
      if (sequence > 1 && !(await pause(this.#timers, interval, ...signals))) return;
      if (signals.some(({ aborted }) => aborted)) return;
      const rtt = await this.source.ping(nodeId, { timeout, signal }).catch((error: unknown) => {
        if (error instanceof ClientError && error.code === 'CANCELLED') return undefined;
        throw error;
      });
      if (rtt === undefined) return;
      yield { sequence, rtt, path: this.view.nodes.get(nodeId)?.path ?? null };
    }
  }

  async close(): Promise<void> {
    this.#end(new ClientError('NETWORK_CLOSED', 'the network was closed'), undefined);
    await this.source.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** This node is no member any more. */
  handleExpelled(text: string): void {
    const error = new ClientError('EXPELLED', `this node is no member of the network any more: ${text}`);
    this.#end(error, error);
  }

  #end(reason: ClientError, error: ClientError | undefined): void {
    this.#ended.abort(reason);
    for (const queue of this.#queues) queue.end(error);
  }

  async #find(written: string, options: WaitOptions): Promise<ResourceHandle> {
    const { device, resourceId } = parseAddress(written);
    const { timeout, signal } = this.#patience(options, RESOURCE_TIMEOUT);
    const found = await waitFor(
      this.#timers,
      this.view,
      () => {
        const devices = matching(this.nodes(), device).filter(({ kind }) => kind === 'device');
        if (devices.length > 1) throw ambiguous(devices, showNode(device), `/${resourceId}`);
        const [one] = devices;
        const description = one && this.view.devices.get(one.nodeId)?.description?.resources.get(resourceId);
        return description && { nodeId: one.nodeId, description };
      },
      { timeout, signal, ended: this.#ended.signal },
    );
    if (!found) throw this.#notFound(written);
    const { nodeId, description } = found;
    return new ResourceHandle(this, { nodeId, resourceId }, description);
  }

  #notFound(written: string): ClientError {
    const { device, resourceId } = parseAddress(written);
    const nodes = this.nodes();
    const [node] = matching(nodes, device);
    if (!node) {
      const devices = nodes.filter(({ kind }) => kind === 'device');
      return new ClientError('UNKNOWN_NODE', unknownNode(devices, device));
    }
    if (node.kind !== 'device')
      return new ClientError('UNKNOWN_RESOURCE', `${node.name} is a ${node.kind} and has no resources`);
    const picture = this.view.devices.get(node.nodeId);
    if (!picture?.description) {
      const reason = picture?.unreachable ?? 'it did not tell its resources in time';
      return new ClientError(
        'DEVICE_UNREACHABLE',
        `the device ${showNode(device)} cannot be asked: ${reason}`,
      );
    }
    const known = [...picture.description.resources.keys()];
    return new ClientError(
      'UNKNOWN_RESOURCE',
      `${showNode(device)} has no resource '${resourceId}'; ${nearest(resourceId, known)}`,
    );
  }

  #places(): readonly FoundResource[] {
    return [...this.view.devices.values()].flatMap(({ nodeId, description }) =>
      [...(description?.resources.values() ?? [])].map(resource => {
        const place = { nodeId, resourceId: resource.resourceId };
        return { ...place, handle: new ResourceHandle(this, place, resource) };
      }),
    );
  }

  // What a program names once is known to its generic calls as well.
  #learn(capabilities: readonly AnyCapability[]): void {
    const fresh = capabilities.filter(
      ({ id, name }) => this.registry.byId(id) === undefined && this.registry.byName(name) === undefined,
    );
    if (fresh.length > 0) this.registry = new CapabilityRegistry([...this.registry, ...fresh]);
  }

  #follow(wish: SubscriptionWish, signal: AbortSignal | undefined, onStop: () => void): Following {
    this.#ended.signal.throwIfAborted();
    const following = new Following(this.source, wish, signal, () => {
      this.#queues.delete(following.queue);
      onStop();
    });
    if (!following.queue.isOver()) this.#queues.add(following.queue);
    return following;
  }

  #queue<V>(onStop: () => void, signal: AbortSignal | undefined): NewestQueue<V> {
    const queue: NewestQueue<V> = new NewestQueue<V>(() => {
      this.#queues.delete(queue);
      onStop();
    }, signal);
    this.#queues.add(queue);
    return queue;
  }

  #patience(
    { timeout, signal }: WaitOptions = {},
    usual: number,
  ): { timeout: number; signal: AbortSignal | undefined } {
    this.#ended.signal.throwIfAborted();
    return { timeout: checkTimeout(timeout ?? usual), signal };
  }
}

const isList = (value: readonly AnyCapability[] | WaitOptions): value is readonly AnyCapability[] =>
  Array.isArray(value);
