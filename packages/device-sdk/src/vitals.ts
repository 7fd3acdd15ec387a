import { type AnyCapability, deviceInfo, diagnostics, encodeMessage } from '@coconet/capabilities';
import {
  ClusterError,
  type Duration,
  elapsed,
  type Instant,
  type MemberReport,
  type MemberRuntime,
  type PeerExplanation,
  randomUint32,
  seconds,
} from '@coconet/cluster-protocol';
import type { AttachedCapability } from './attached-capability.js';
import type { CommandContext } from './command-context.js';
import type { Courier } from './courier.js';
import { CommandRefused } from './errors.js';
import { natTypeOf } from './nat-type.js';
import type { Resource } from './resource.js';
import { SDK_VERSION } from './sdk-version.js';
import { runSelfTest } from './self-test.js';

/** The counters of links move all the time; this often they are worth telling. */
const REFRESH: Duration = seconds(30);

/** Peers that `diagnostics.peers` and the report name, those with the most traffic first: 64 entries fit any value. */
const MAX_PEERS = 64;

/** A ping that takes longer counts as lost. */
const PING_PATIENCE: Duration = seconds(2);
const PINGS = 4;

/** Bytes of a ping's message besides its padding, and the most that one datagram of any path carries. */
const PING_BYTES = 8;
const MAX_PING_BYTES = 1_024;

/** Sections of `diagnostics.report`. */
const SECTIONS = ['device', 'network', 'peers', 'drops', 'work'] as const;

/** What the vitals are measured of. */
export interface VitalsSurroundings {
  readonly runtime: MemberRuntime;
  readonly courier: Courier;
  readonly resourceIds: () => readonly string[];
  /** Handlers that run now, and peers that follow values. */
  readonly work: () => { readonly commands: number; readonly subscriptions: number };
}

/** Traffic of a peer when its counters were set back. */
interface Baseline {
  readonly sentBytes: number;
  readonly receivedBytes: number;
  readonly sentPackets: number;
  readonly lostPackets: number;
}

const NOTHING: Baseline = { sentBytes: 0, receivedBytes: 0, sentPackets: 0, lostPackets: 0 };

/**
 * What the SDK itself knows of a device: it fills in `deviceInfo.sdkVersion`, `diagnostics.peers` and
 * `diagnostics.natType`, and answers `selfTest`, `ping`, `resetCounters` and `report` wherever the program offers these
 * capabilities. A handler of the program's own comes first.
 */
export class Vitals {
  readonly #around: VitalsSurroundings;
  readonly #startedAt: Instant;
  readonly #attached = new Map<string, AttachedCapability[]>();
  /** One for each member at most. */
  readonly #baselines = new Map<number, Baseline>();
  #cancelTimer: (() => void) | undefined;
  #closed = false;

  constructor(around: VitalsSurroundings) {
    this.#around = around;
    this.#startedAt = around.runtime.host.now();
  }

  /** A resource was added: what of it is known here is filled in. */
  attach(resource: Resource): void {
    const own: AttachedCapability[] = [];
    for (const capability of resource.capabilities) {
      if (isA(capability, deviceInfo)) capability.set({ sdkVersion: SDK_VERSION });
      if (!isA(capability, diagnostics)) continue;
      this.#answer(capability);
      own.push(capability);
    }
    if (own.length === 0) return;
    this.#attached.set(resource.id, own);
    this.refresh();
    this.#schedule();
  }

  /** A resource was removed. */
  detach(resourceId: string): void {
    this.#attached.delete(resourceId);
    if (this.#attached.size === 0) this.#cancelTimer?.();
  }

  /** Somebody wants to know now, or a link has changed. */
  refresh(): void {
    if (this.#closed || this.#attached.size === 0) return;
    const values = { peers: this.#peers(), natType: this.#natType() };
    for (const capabilities of this.#attached.values())
      for (const capability of capabilities) capability.set(values);
  }

  /** Nothing is measured any more. */
  close(): void {
    this.#closed = true;
    this.#cancelTimer?.();
  }

  #schedule(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#around.runtime.host.schedule(REFRESH, () => {
      this.refresh();
      if (!this.#closed) this.#schedule();
    });
  }

  #answer(capability: AttachedCapability): void {
    const { runtime } = this.#around;
    capability.handle({
      selfTest: async ({ name }: { readonly name?: string }) => ({
        results: await runSelfTest(runtime, name),
      }),
      ping: (wish: PingWish, context: CommandContext) => this.#ping(wish, context),
      resetCounters: () => {
        this.#resetCounters();
        this.refresh();
      },
    });
    capability.answer({
      report: ({ sections }: { readonly sections?: readonly string[] }, { role }: CommandContext) => ({
        report: this.#report(sections, role !== 'guest'),
      }),
    });
  }

  /** Members with which there is a session, those with the most traffic first. */
  #connected(): readonly PeerExplanation[] {
    const { node, host } = this.#around.runtime;
    const traffic = ({ sentBytes, receivedBytes }: PeerExplanation): number => sentBytes + receivedBytes;
    return node
      .nodes()
      .filter(({ self, path }) => !self && path !== undefined)
      .map(({ nodeId }) => node.explain(host.now(), nodeId))
      .sort((a, b) => traffic(b) - traffic(a))
      .slice(0, MAX_PEERS);
  }

  #peers(): readonly Readonly<Record<string, unknown>>[] {
    return this.#connected().map(peer => {
      const { sentBytes, receivedBytes, sentPackets, lostPackets } = this.#since(peer);
      return {
        nodeId: peer.nodeId,
        path: peer.path ?? 'direct',
        ...(peer.rtt !== undefined && { rtt: hundredths(peer.rtt) }),
        loss: sentPackets === 0 ? 0 : hundredths(Math.min(100, (100 * lostPackets) / sentPackets)),
        txBytes: sentBytes,
        rxBytes: receivedBytes,
        mtu: peer.mtu,
      };
    });
  }

  /** What a link has carried since its counters were set back; a session that began later counts from its own zero. */
  #since(peer: PeerExplanation): Baseline {
    const before = this.#baselines.get(peer.nodeId) ?? NOTHING;
    const { sentBytes, receivedBytes, sentPackets, lostPackets } =
      peer.sentPackets < before.sentPackets ? NOTHING : before;
    return {
      sentBytes: Math.max(0, peer.sentBytes - sentBytes),
      receivedBytes: Math.max(0, peer.receivedBytes - receivedBytes),
      sentPackets: Math.max(0, peer.sentPackets - sentPackets),
      lostPackets: Math.max(0, peer.lostPackets - lostPackets),
    };
  }

  #resetCounters(): void {
    this.#baselines.clear();
    for (const { nodeId, sentBytes, receivedBytes, sentPackets, lostPackets } of this.#connected())
      this.#baselines.set(nodeId, { sentBytes, receivedBytes, sentPackets, lostPackets });
  }

  #natType(): ReturnType<typeof natTypeOf> {
    const { runtime } = this.#around;
    return natTypeOf(runtime.links, this.#nmn()?.seenAs ?? []);
  }

  #nmn(): PeerExplanation | undefined {
    const { node, host } = this.#around.runtime;
    const nmn = node.nodes().find(({ kind }) => kind === 'nmn');
    return nmn && node.explain(host.now(), nmn.nodeId);
  }

  /** `whole`: with addresses, which are for owners and admins (catalogue, capability 58). */
  #report(sections: readonly string[] = SECTIONS, whole: boolean): Readonly<Record<string, unknown>> {
    const wrong = sections.find(name => !(SECTIONS as readonly string[]).includes(name));
    if (wrong !== undefined)
      throw new CommandRefused(
        'invalid',
        `there is no section '${wrong}'; there are ${SECTIONS.join(', ')}`,
        {
          field: 'sections',
        },
      );
    const { runtime, resourceIds, work } = this.#around;
    const { node, host, membership, links } = runtime;
    const nodes = node.nodes();
    const nmn = this.#nmn();
    const all: Readonly<Record<(typeof SECTIONS)[number], () => unknown>> = {
      device: () => ({
        nodeId: node.nodeId,
        name: membership.name,
        sdkVersion: SDK_VERSION,
        runningFor: Math.round(elapsed(this.#startedAt, host.now()) / 1_000),
        resources: resourceIds().length,
      }),
      network: () => ({
        nmn: nmn?.nmn ?? 'away',
        members: nodes.length,
        online: nodes.filter(({ online }) => online).length,
        natType: this.#natType(),
        ...(whole && {
          seenAs: (nmn?.seenAs ?? []).map(({ key }) => key),
          sockets: links.map(({ family, port }) => `IPv${family} ${port}`),
        }),
      }),
      peers: () =>
        this.#connected().map(({ nodeId, path, scope, rtt, sentence, waitingMessages }) => ({
          nodeId,
          ...(path !== undefined && { path }),
          ...(scope !== undefined && { scope }),
          ...(rtt !== undefined && { rtt: hundredths(rtt) }),
          waitingMessages,
          ...(whole && { why: sentence }),
        })),
      drops: () => node.drops.snapshot(),
      work,
    };
    const wanted = SECTIONS.filter(name => sections.includes(name));
    return Object.fromEntries(wanted.map(name => [name, all[name]()]));
  }

  async #ping(
    { nodeId, count = PINGS, size = 0 }: PingWish,
    { signal }: CommandContext,
  ): Promise<PingResult> {
    const { node } = this.#around.runtime;
    if (size > MAX_PING_BYTES)
      throw new CommandRefused('invalid', `size is ${size}; a ping has at most ${MAX_PING_BYTES} bytes`, {
        field: 'size',
      });
    const member: MemberReport | undefined = node.nodes().find(each => each.nodeId === nodeId);
    if (member === undefined || nodeId === node.nodeId)
      throw new CommandRefused(
        'notFound',
        member === undefined ? `the network has no member #${nodeId}` : `#${nodeId} is this device itself`,
        { field: 'nodeId' },
      );
    const rtt: number[] = [];
    let sent = 0;
    for (; sent < count && !signal.aborted; sent++) {
      const round = await this.#pingOnce(nodeId, size, signal);
      if (round !== undefined) rtt.push(hundredths(round));
    }
    return { rtt, loss: sent === 0 ? 0 : hundredths((100 * (sent - rtt.length)) / sent) };
  }

  /** ms until the receipt of a message; `undefined`: none came. */
  async #pingOnce(nodeId: number, size: number, signal: AbortSignal): Promise<number | undefined> {
    const { courier, runtime } = this.#around;
    const { host } = runtime;
    const id = randomUint32(host.random);
    // Neither has an effect anywhere: nobody has a subscription or a question of that number.
    const bytes =
      size <= PING_BYTES
        ? encodeMessage({ type: 'unsubscribe', subscriptionId: id })
        : encodeMessage({
            type: 'answer',
            requestId: id,
            code: 'success',
            response: [new Uint8Array(size - PING_BYTES)],
          });
    const began = host.now();
    let cleanUp: () => void = () => undefined;
    try {
      return await new Promise<number | undefined>(resolve => {
        const giveUp = (): void => resolve(undefined);
        signal.addEventListener('abort', giveUp, { once: true });
        cleanUp = () => signal.removeEventListener('abort', giveUp);
        courier.sendBytes(nodeId, bytes, { expiresIn: PING_PATIENCE, priority: 0 }, delivered =>
          resolve(delivered ? elapsed(began, host.now()) : undefined),
        );
      });
    } catch (error) {
      if (error instanceof ClusterError) return undefined;
      throw error;
    } finally {
      cleanUp();
    }
  }
}

interface PingWish {
  readonly nodeId: number;
  readonly count?: number;
  /** Bytes. */
  readonly size?: number;
}

interface PingResult {
  /** ms, one for each that was answered. */
  readonly rtt: readonly number[];
  /** % */
  readonly loss: number;
}

// A vendor's capability may have the same name; the id is what counts.
const isA = (capability: AttachedCapability, definition: AnyCapability): boolean =>
  capability.definition.id === definition.id;

const hundredths = (value: number): number => Math.round(value * 100) / 100;
