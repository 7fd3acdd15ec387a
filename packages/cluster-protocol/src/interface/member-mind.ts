import {
  after,
  assert,
  type DropReason,
  type Duration,
  earliest,
  elapsed,
  type Instant,
  minutes,
  seconds,
  type WallTime,
  wallTime,
} from '../base/index.js';
import {
  decodeCredential,
  encodeCredential,
  encodeHandshakePayload,
  type HandshakePayload,
  type ManagementContent,
  type MemberKnowledge,
  type MembershipCertificate,
  NetworkState,
  NO_SECRET,
  renewalTime,
  ReplayGuard,
  SecretRing,
  type SessionKind,
  type SessionPeer,
  type StateEvent,
  StateSync,
  type SyncOutput,
  TrustedTime,
  type VerificationContext,
} from '../network/index.js';
import type { CryptoProvider } from '../crypto/provider.js';
import type { SocketAddress } from '../wire/index.js';
import { Authorship } from './authorship.js';
import type { ClusterNodeOptions, Membership } from './cluster-options.js';
import type { ClusterEvent, MemberReport } from './events.js';
import { encodeAddresses, encodeWallTime, StoreKey } from './saved-node.js';
import { StateAge } from './state-age.js';

/** The lower bound of time is written this often at least, so that a restart loses little of it (05-network, "Time"). */
const TIME_INTERVAL: Duration = minutes(60);
/** Several confirmed handshakes share one write of the replay guard; what a crash loses costs the peer one round trip. */
const REPLAY_DELAY: Duration = seconds(5);

/** What a message of service 1 led to. */
export interface StateNews {
  readonly send: readonly Uint8Array[];
  readonly revoked: readonly number[];
  /** Others should hear of it. */
  readonly changed: boolean;
  readonly refused: DropReason | undefined;
}

/** What a node knows of its network and of itself, and what of that must reach the store. */
export class MemberMind implements MemberKnowledge {
  readonly provider: CryptoProvider;
  readonly network: Uint8Array;
  readonly secrets: SecretRing;
  readonly replays: ReplayGuard;
  readonly time: TrustedTime;
  /** Signs what a person with a role decides. */
  readonly authorship: Authorship;
  readonly #options: ClusterNodeOptions;
  readonly #state: NetworkState;
  readonly #age: StateAge;
  readonly #syncs = new Map<number, StateSync>();
  readonly #events: ClusterEvent[] = [];
  readonly #changes = new Map<string, Uint8Array | undefined>();
  readonly #remembered = new Map<number, readonly SocketAddress[]>();
  /**
   * Members whose record has not come yet, by the certificate of their session: it was verified as the record's would
   * be. Not more than the authority has signed certificates for.
   */
  readonly #introduced = new Map<number, MembershipCertificate>();
  #membership: Membership;
  #own: MembershipCertificate;
  #lastNmnContact: WallTime | undefined;
  #writeReplaysAt: Instant | undefined;
  #writeTimeAt: Instant;

  constructor(options: ClusterNodeOptions) {
    const { provider, now, wall, saved } = options;
    this.#options = options;
    this.provider = provider;
    this.network = saved.membership.network;
    this.#membership = saved.membership;
    this.#own = ownCertificate(saved.membership);
    const anchor = { network: this.network, rootKey: saved.membership.rootKey };
    const state = saved.state && NetworkState.restore(provider, anchor, saved.state);
    this.#state = state?.ok === true ? state.value : new NetworkState(provider, anchor);
    this.#age = new StateAge(this.#state, now);
    this.authorship = new Authorship(provider, saved.keys, this.#state);
    const secrets = saved.secrets && SecretRing.restore(saved.secrets);
    this.secrets = secrets?.ok === true ? secrets.value : new SecretRing();
    this.replays = saved.replays ? ReplayGuard.restore(saved.replays) : new ReplayGuard();
    const time = saved.time && TrustedTime.restore(now, saved.time);
    this.time = time?.ok === true ? time.value : new TrustedTime(now, this.#own.issuedAt);
    this.time.handleClock(now, wall);
    this.#lastNmnContact = saved.lastNmnContact;
    // Our own certificate is signed: a clock that agrees with the time it was issued at counts from the start.
    this.time.observeAuthority(now, this.#own.issuedAt);
    this.#writeTimeAt = after(now, TIME_INTERVAL);
  }

  get nmnNodeId(): number | undefined {
    return this.#state.members().find(({ credential }) => credential.leaf.kind === 'nmn')?.nodeId;
  }

  /** The pre-shared key of `member` sessions that we begin. */
  get currentSecret(): Uint8Array {
    return this.secrets.current?.secret ?? NO_SECRET;
  }

  /** Whether our certificate should be renewed. */
  renewalDue(now: Instant): boolean {
    return this.time.at(now).time >= renewalTime(this.#own);
  }

  /** Everybody that the state names, and who has shown a certificate without being named yet. */
  members(): readonly MemberReport[] {
    const named = this.#state
      .members()
      .map(({ nodeId, name, credential: { leaf } }) => reportMember(nodeId, name, leaf));
    const introduced = [...this.#introduced]
      .filter(([nodeId]) => this.#state.member(nodeId) === undefined)
      .map(([nodeId, leaf]) => reportMember(nodeId, '', leaf));
    return introduced.length === 0 ? named : [...named, ...introduced];
  }

  nameOf(nodeId: number): string {
    return this.#state.member(nodeId)?.name ?? '';
  }

  certificateOf(nodeId: number): MembershipCertificate | undefined {
    return this.#state.member(nodeId)?.credential.leaf ?? this.#introduced.get(nodeId);
  }

  trust(now: Instant): VerificationContext {
    const { offlineGrace } = this.#state;
    const lastNmnContact = this.#lastNmnContact;
    const policy = { offlineGrace, ...(lastNmnContact !== undefined && { lastNmnContact }) };
    return this.#state.trust(this.time.at(now, policy));
  }

  introduce(now: Instant, kind: SessionKind, epoch: number): HandshakePayload {
    const { saved, now: startedAt } = this.#options;
    const { authority, version } = splitVersion(this.#state);
    return {
      kind,
      network: this.network,
      bootCounter: saved.bootCounter,
      uptime: Math.max(0, Math.floor(elapsed(startedAt, now))),
      features: 0,
      epoch,
      authorityNumber: authority,
      stateVersion: version,
      outboxIncarnation: saved.outboxIncarnation,
      inboxIncarnation: saved.inboxIncarnation,
      credential: this.#membership.credential,
      claimId: NOTHING,
      rootKey: NOTHING,
    };
  }

  /** The payload of our message 1. */
  introduction(now: Instant, kind: SessionKind): Uint8Array {
    return encodeHandshakePayload(this.introduce(now, kind, this.secrets.epoch));
  }

  confirm(now: Instant, nodeId: number, said: HandshakePayload): void {
    this.replays.confirm(nodeId, said);
    this.#writeReplaysAt ??= after(now, REPLAY_DELAY);
  }

  /** A session is there: messages of service 1 to begin with. */
  sessionOpened(now: Instant, who: SessionPeer): readonly Uint8Array[] {
    if (who.kind === 'nmn') {
      this.#lastNmnContact = this.time.at(now).time;
      this.#changes.set(StoreKey.contact, encodeWallTime(this.#lastNmnContact));
    }
    // Its certificate verified: the authority signed when it was issued, and it is at least that late.
    if (who.certificate) this.#observe(now, who.certificate.issuedAt);
    if (who.certificate && who.kind !== 'nmn' && this.#state.member(who.nodeId) === undefined)
      this.#introduced.set(who.nodeId, who.certificate);
    const sync = new StateSync(this.#state);
    this.#syncs.set(who.nodeId, sync);
    // A clock that nobody confirmed is stated to nobody: two that are wrong alike would confirm each other.
    const { time, confirmed } = this.time.at(now);
    return sync.start(confirmed ? time : undefined).send;
  }

  sessionClosed(nodeId: number): void {
    this.#syncs.delete(nodeId);
  }

  /** A message of service 1 came. */
  receive(
    now: Instant,
    nodeId: number,
    bytes: Uint8Array,
  ): { readonly news: StateNews; readonly output: SyncOutput } {
    const sync = this.#syncs.get(nodeId);
    const output: SyncOutput = sync?.handleMessage(now, bytes) ?? {
      send: [],
      events: [],
      applied: [],
      dropped: 'unexpected',
    };
    if (output.stated !== undefined) this.time.observeMember(now, output.stated);
    return { output, news: this.#digest(now, output) };
  }

  /** Tells another peer what has just become known. */
  announce(nodeId: number, applied: SyncOutput['applied']): readonly Uint8Array[] {
    return this.#syncs.get(nodeId)?.announce(applied).send ?? [];
  }

  /** An answer of the NMN that changes what we know of ourselves. */
  learnAnswer(now: Instant, content: ManagementContent): void {
    if (content.type === 'secretIs') {
      if (this.secrets.correct(content)) this.#changes.set(StoreKey.secrets, this.secrets.snapshot());
      this.learnSecret(content.epoch, content.secret);
    }
    if (content.type === 'renewed') {
      const { leaf } = content.credential;
      if (leaf.nodeId !== this.#own.nodeId) return;
      this.#own = leaf;
      this.#membership = { ...this.#membership, credential: encodeCredential(content.credential) };
      this.#changes.set(StoreKey.credential, this.#membership.credential);
      this.#observe(now, leaf.issuedAt);
    }
  }

  learnSecret(epoch: number, secret: Uint8Array): void {
    if (this.secrets.add({ epoch, secret })) this.#changes.set(StoreKey.secrets, this.secrets.snapshot());
  }

  /** The newest epoch of the network's secret that the state names. */
  get currentEpoch(): number {
    return this.#state.currentEpoch;
  }

  /** Whether the network's secret has moved on beyond ours. */
  get secretIsOld(): boolean {
    return this.secrets.epoch < this.currentEpoch;
  }

  rememberAddresses(nodeId: number, addresses: readonly SocketAddress[]): void {
    const before = this.#remembered.get(nodeId);
    // Asked after every turn: a list that nobody changed is the same one.
    if (addresses === before || addresses.length === 0) return;
    this.#remembered.set(nodeId, addresses);
    if (before && sameAddresses(before, addresses)) return;
    this.#changes.set(StoreKey.addresses(nodeId), encodeAddresses(addresses));
  }

  handleTimeout(now: Instant): void {
    if (this.#writeReplaysAt !== undefined && this.#writeReplaysAt <= now) {
      this.#writeReplaysAt = undefined;
      this.#changes.set(StoreKey.replays, this.replays.snapshot());
    }
    if (this.#writeTimeAt <= now) {
      this.#writeTimeAt = after(now, TIME_INTERVAL);
      this.#changes.set(StoreKey.time, this.time.snapshot(now));
      this.#checkAge(now); // The clock may have been set.
    }
    const staleAt = this.#age.pollTimeout();
    if (staleAt !== undefined && staleAt <= now) this.#checkAge(now);
  }

  pollTimeout(): Instant | undefined {
    return [this.#writeReplaysAt, this.#age.pollTimeout()].reduce<Instant | undefined>(
      earliest,
      this.#writeTimeAt,
    );
  }

  pollEvent(): ClusterEvent | undefined {
    const event = this.#events.shift();
    if (event || this.#changes.size === 0) return event;
    const changes = new Map(this.#changes);
    this.#changes.clear();
    return { kind: 'persist', changes };
  }

  #digest(now: Instant, output: SyncOutput): StateNews {
    const revoked: number[] = [];
    for (const event of output.events) {
      if (event.kind === 'revoked') revoked.push(event.nodeId);
      if (event.kind === 'revoked' || event.kind === 'memberChanged') this.#introduced.delete(event.nodeId);
      this.#tell(event);
    }
    const { head } = this.#state;
    if (head && output.events.length > 0) {
      this.#observe(now, wallTime(head.issuedAt));
      this.#changes.set(StoreKey.state, this.#state.snapshot());
      this.#checkAge(now);
    }
    return { send: output.send, revoked, changed: output.applied.length > 0, refused: output.dropped };
  }

  /** A time that the authority signed. What raises the lower bound is written at once. */
  #observe(now: Instant, signed: WallTime): void {
    const rises = signed > this.time.lowerBound(now);
    this.time.observeAuthority(now, signed);
    if (rises) this.#changes.set(StoreKey.time, this.time.snapshot(now));
  }

  #checkAge(now: Instant): void {
    const event = this.#age.check(now, this.time.at(now).time);
    if (event) this.#events.push(event);
  }

  #tell(event: StateEvent): void {
    if (event.kind === 'memberChanged' || event.kind === 'reinstated' || event.kind === 'revoked') {
      const member = this.#state.member(event.nodeId);
      this.#events.push({
        kind: 'member',
        nodeId: event.nodeId,
        change: member ? 'changed' : 'removed',
        name: member?.name ?? '',
        nodeKind: member?.credential.leaf.kind,
      });
    }
  }
}

const NOTHING = new Uint8Array(0);

const sameAddresses = (some: readonly SocketAddress[], others: readonly SocketAddress[]): boolean =>
  some.length === others.length && some.every(({ key }, i) => key === others[i]!.key);

const reportMember = (nodeId: number, name: string, leaf: MembershipCertificate): MemberReport => ({
  nodeId,
  name,
  kind: leaf.kind,
  role: leaf.role,
  user: leaf.user,
});

function ownCertificate(membership: Membership): MembershipCertificate {
  const credential = decodeCredential(membership.credential);
  assert(credential.ok, 'the credential in the store is the one that was checked when it was written');
  return credential.value.leaf;
}

const splitVersion = (state: NetworkState): { readonly authority: number; readonly version: number } => {
  const { authorityNumber, version } = state.version;
  return { authority: authorityNumber, version };
};
