import {
  ClusterError,
  type Duration,
  milliseconds,
  minutes,
  randomFraction,
  seconds,
  type TraceSink,
} from '../base/index.js';
import {
  type HostPort,
  type JoinUri,
  type NodeKind,
  parseJoinUri,
  formatHostPort,
  formatNetworkId,
} from '../network/index.js';
import { SizeFailures } from '../session/index.js';
import { encodeWith, Reader } from '../wire/index.js';
import { ClusterNode } from './cluster-node.js';
import { Cancellation } from './cancellation.js';
import type { LastingMemory, Membership, SavedNode } from './cluster-options.js';
import type { ClusterEvent } from './events.js';
import { checkNetwork, joinNetwork } from './joining.js';
import { encodeHosts, knownHosts, NMN_HOSTS_KEY, resolveAll } from './nmn-hosts.js';
import type { Host, Link, LinkOptions, RunningMachine, Store } from './machine.js';
import { loadKeys, loadMembership, membershipChanges, startNode } from './saved-node.js';
import { type TransportOptions, tuningOf } from './transport-options.js';

/** Waits between tries to join while the NMN does not answer. */
const JOIN_BACKOFF: readonly Duration[] = [1, 2, 4, 8, 15, 30].map(seconds);
/** How often names of the NMN are resolved again and the wall clock is read again. */
const REFRESH: Duration = minutes(60);
/** Events kept for the first listener: a program that never listens is not told later what happened long ago. */
const MAX_UNTOLD = 1_024;
const PORT_KEY = 'node/port';
/** Hosts to which large datagrams fail: see {@link SizeFailures}. */
const NARROW_KEY = 'node/narrow';

/** How to open a member of a network. */
export interface MemberOptions {
  readonly host: Host;
  /** Holds the node; closed by whoever opened it. */
  readonly store: Store;
  /**
   * Used to join while the store holds no membership. Later it must be of the same network, and tells where the NMN is:
   * addresses that are news are kept and tried beside the old ones.
   */
  readonly join?: string | undefined;
  /** Wanted name; the NMN may have another one in the invitation. */
  readonly name?: string | undefined;
  readonly kind: NodeKind;
  /** IP addresses of a host name; an address resolves to itself. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
  readonly links?: LinkOptions;
  readonly allowDocumentationAddresses?: boolean;
  /** How its sessions are, where not as by default. */
  readonly transport?: TransportOptions | undefined;
  /** The program's lasting record of what it received; absent: it keeps none. */
  readonly memory?: LastingMemory;
  /** Something that a person should know and nobody waits for: the NMN is away while joining, a write failed. */
  readonly notice?: (text: string) => void;
  /** Rejects the opening when it resolves: for programs that are interrupted while they wait for an NMN. */
  readonly aborted?: Promise<unknown>;
}

/** A running member: its cluster node in the hands of a host, its changes in a store. */
export class MemberRuntime {
  readonly node: ClusterNode;
  readonly host: Host;
  readonly store: Store;
  readonly membership: Membership;
  /** Hexadecimal: names the messages of this process, with their sequences. */
  readonly incarnation: string;
  /** Where the NMN is tried, as invitations name it. */
  readonly nmnHosts: readonly HostPort[];
  readonly #running: RunningMachine;
  readonly #trace: TraceSink | undefined;
  readonly #listeners = new Set<(event: ClusterEvent) => void>();
  readonly #options: MemberOptions;
  /** What was told before anybody listened; `undefined` since somebody does. */
  #untold: ClusterEvent[] | undefined = [];
  #cancelRefresh: () => void = () => undefined;
  #writes: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(
    options: MemberOptions,
    saved: SavedNode,
    node: ClusterNode,
    running: RunningMachine,
    nmnHosts: readonly HostPort[],
    trace: TraceSink | undefined,
  ) {
    this.#options = options;
    this.nmnHosts = nmnHosts;
    this.host = options.host;
    this.store = options.store;
    this.membership = saved.membership;
    this.incarnation = [...saved.outboxIncarnation].map(byte => byte.toString(16).padStart(2, '0')).join('');
    this.node = node;
    this.#running = running;
    this.#trace = trace;
  }

  /**
   * Opens the member that the store holds, or joins first. Waits for an NMN that does not answer as long as it takes,
   * and says so once. Throws `JOIN_URI_INVALID`, `JOIN_REFUSED`, `WRONG_NETWORK`, `NOT_A_MEMBER`, `STORE_…`, `PORT_IN_USE`,
   * `INVALID_ARGUMENT`.
   */
  static async open(options: MemberOptions): Promise<MemberRuntime> {
    const { host, store } = options;
    const transport = tuningOf(options.transport ?? {});
    const uri = options.join === undefined || options.join === '' ? undefined : parseJoinUri(options.join);
    const membership = (await loadMembership(store)) ?? (await join(options, uri));
    if (uri) checkNetwork(uri, formatNetworkId(membership.network));
    const saved = await startNode(store, host.crypto, host.random, membership);
    const hosts = await knownHosts(options, membership, uri);
    const writes = { narrow: (): void => undefined };
    const sizeFailures = new SizeFailures(() => {
      writes.narrow();
    });
    sizeFailures.restore(host.now(), (await store.read(NARROW_KEY)) ?? new Uint8Array(0));
    const trace = host.trace?.(`node-${membership.nodeId}`);
    const node = new ClusterNode({
      provider: host.crypto,
      random: host.random,
      now: host.now(),
      wall: host.wallTime(),
      saved,
      nmnAddresses: await resolveAll(options, hosts),
      transport,
      sizeFailures,
      trace,
      ...(options.memory && { memory: options.memory }),
      ...(options.allowDocumentationAddresses !== undefined && {
        allowDocumentationAddresses: options.allowDocumentationAddresses,
      }),
    });
    const last = await store.read(PORT_KEY);
    const port = last ? new Reader(last).uint16() : 0;
    const early: ClusterEvent[] = [];
    const sink = { take: (event: ClusterEvent): void => void early.push(event) };
    const links: LinkOptions =
      port > 0 ? { port, whenTaken: 'any', ...options.links } : (options.links ?? {});
    const running = await host
      .run(node, links, event => {
        sink.take(event);
      })
      .catch((error: unknown) => {
        trace?.close();
        throw error;
      });
    const runtime = new MemberRuntime(options, saved, node, running, hosts, trace);
    sink.take = event => {
      runtime.#take(event);
    };
    for (const event of early) runtime.#take(event);
    writes.narrow = (): void => {
      runtime.#take({ kind: 'persist', changes: new Map([[NARROW_KEY, sizeFailures.keep()]]) });
    };
    const bound = running.links[0]?.port;
    if (bound !== undefined && bound !== port) {
      try {
        await store.write(new Map([[PORT_KEY, encodeWith(2, writer => writer.uint16(bound))]]));
      } catch (error) {
        await runtime.close();
        throw error;
      }
    }
    runtime.#scheduleRefresh(hosts);
    return runtime;
  }

  /** The sockets that are open, with the addresses of this machine. */
  get links(): readonly Link[] {
    return this.#running.links;
  }

  /** Whether it was closed: its verbs throw from then on. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Runs a verb of the node now; what it wants to send leaves in this turn of the event loop. */
  do<T>(verb: (node: ClusterNode, now: ReturnType<Host['now']>) => T): T {
    if (this.#closed) throw new ClusterError('INVALID_STATE', 'this node is closed');
    const result = verb(this.node, this.host.now());
    this.#running.turn();
    return result;
  }

  /** Hears of everything the node tells from now on; the first to listen, of everything so far. Returns how to stop. */
  on(listener: (event: ClusterEvent) => void): () => void {
    this.#listeners.add(listener);
    const untold = this.#untold;
    this.#untold = undefined;
    for (const event of untold ?? []) listener(event);
    return () => this.#listeners.delete(listener);
  }

  /** Says goodbye and waits until everything is written. The store stays open. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.do((node, now) => {
      node.close(now);
    });
    this.#closed = true;
    this.#cancelRefresh();
    await this.#running.close();
    this.#trace?.close();
    await this.#writes;
  }

  #take(event: ClusterEvent): void {
    if (event.kind === 'persist') {
      const write = this.store.write(event.changes).catch((error: unknown) => {
        this.#options.notice?.(`the store cannot be written: ${String(error)}`);
      });
      this.#writes = Promise.all([this.#writes, write]).then(() => undefined);
      return;
    }
    if (this.#untold && this.#untold.push(event) > MAX_UNTOLD) this.#untold.shift();
    for (const listener of [...this.#listeners]) listener(event);
  }

  #scheduleRefresh(hosts: readonly HostPort[]): void {
    this.#cancelRefresh = this.host.schedule(REFRESH, () => {
      if (this.#closed) return;
      this.do((node, now) => {
        node.handleClock(now, this.host.wallTime());
      });
      void resolveAll(this.#options, hosts).then(addresses => {
        if (this.#closed) return;
        if (addresses.length > 0)
          this.do((node, now) => {
            node.setNmnAddresses(now, addresses);
          });
        this.#scheduleRefresh(hosts);
      });
    });
  }
}

async function join(options: MemberOptions, uri: JoinUri | undefined): Promise<Membership> {
  const { host, store } = options;
  if (!uri)
    throw new ClusterError(
      'NOT_A_MEMBER',
      'the store holds no membership of a network and there is no join URI: get an invitation with `coconet invite` and give it as `join`',
    );
  const keys = await loadKeys(store, host.crypto, host.random);
  const cancellation = new Cancellation(options.aborted);
  for (let attempt = 0; ; attempt++) {
    const addresses = await resolveAll(options, uri.hosts);
    const wish = { kind: options.kind, name: options.name ?? '' };
    const outcome = await joinNetwork(host, uri, addresses, keys, wish, cancellation);
    if (outcome.kind === 'joined') {
      const { membership, state, secrets } = outcome.joined;
      const changes = membershipChanges(keys, membership, { state, secrets });
      changes.set(NMN_HOSTS_KEY, encodeHosts(uri.hosts));
      await store.write(changes);
      return membership;
    }
    const where = uri.hosts.map(formatHostPort).join(', ');
    if (attempt === 0)
      options.notice?.(`the NMN at ${where} cannot be reached (${outcome.text}); trying again until it can`);
    const base = JOIN_BACKOFF[Math.min(attempt, JOIN_BACKOFF.length - 1)]!;
    await wait(host, cancellation, milliseconds(base * (1 + 0.25 * randomFraction(host.random))));
  }
}

async function wait(host: Host, cancellation: Cancellation, delay: Duration): Promise<void> {
  let cancel: () => void = () => undefined;
  await new Promise<void>(resolve => {
    cancel = host.schedule(delay, resolve);
    cancellation.listen(resolve);
    if (cancellation.cancelled) resolve();
  });
  cancel();
  cancellation.listen();
  if (cancellation.cancelled) throw new ClusterError('CANCELLED', 'called off while waiting for the NMN');
}
