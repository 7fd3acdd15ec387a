import {
  assert,
  type AuthorityCertificate,
  type Credential,
  type CryptoProvider,
  decodeCertificateOf,
  decodeCredential,
  decodeHead,
  decodeRecord,
  encodeCredential,
  encodeHead,
  encodeRecord,
  type Extension,
  judgeTime,
  type KeyPair,
  type MembershipCertificate,
  NetworkState,
  type NodeKind,
  randomBytes,
  randomNodeId,
  type RandomSource,
  randomSerial,
  type RecordContent,
  recordKey,
  ReplayGuard,
  type Role,
  SecretRing,
  signHead,
  signMembership,
  signRecord,
  type StateEvent,
  type StateHead,
  type StateRecord,
  type StateVersion,
  type TimeView,
  toHex,
  type WallTime,
  wallTime,
  type Welcome,
  MAX_SNAPSHOT_LENGTH,
} from '@coconet/cluster-protocol/core';

import type { MembershipConfig } from '../config.js';
import { NmnError } from '../errors.js';
import { Invitations } from './invitations.js';
import type { NetworkContents, StorageChange, StoredMember, StoredNetwork } from './storage-change.js';
import { Turn } from './turn.js';
import { VersionCounter, type VersionState } from './version-counter.js';

/** What a ledger works with. */
export interface LedgerSurroundings {
  readonly provider: CryptoProvider;
  readonly random: RandomSource;
  readonly config: MembershipConfig;
}

/** What a new certificate says of its node. */
export interface LeafWanted {
  readonly nodeId: number;
  readonly kind: NodeKind;
  readonly signingKey: Uint8Array;
  readonly staticKey: Uint8Array;
  readonly user: string;
  readonly role: Role;
  readonly extensions: readonly Extension[];
}

/**
 * The memory of one network: its state, its invitations, its secrets, what was issued, and the key that signs for it.
 * Whatever changes it goes into a {@link Turn} as well, so that memory and disk tell the same.
 */
export class NetworkLedger {
  readonly stored: StoredNetwork;
  readonly nmnCredential: Credential;
  readonly state: NetworkState;
  readonly invitations: Invitations;
  readonly secrets: SecretRing = new SecretRing();
  readonly replays: ReplayGuard = new ReplayGuard();
  readonly versions: VersionCounter;
  readonly #surroundings: LedgerSurroundings;
  readonly #authority: AuthorityCertificate;
  readonly #signingKey: KeyPair;
  readonly #members = new Map<number, StoredMember>();

  /** Throws `DATABASE_DAMAGED` when what was kept cannot be read. */
  constructor(surroundings: LedgerSurroundings, contents: NetworkContents, versionState: VersionState) {
    const { provider, random, config } = surroundings;
    const { network: stored, records, head } = contents;
    const authority = decodeCertificateOf('authority', stored.authorityCertificate);
    const nmnCredential = decodeCredential(stored.nmnCredential);
    if (!authority.ok || !nmnCredential.ok) throw damaged(stored);
    this.#surroundings = surroundings;
    this.stored = stored;
    this.#authority = authority.value;
    this.nmnCredential = nmnCredential.value;
    this.#signingKey = provider.signingKeyPair(stored.signingSeed);
    this.state = new NetworkState(provider, { network: stored.network, rootKey: stored.rootKey });
    this.state.apply(
      records.map(({ bytes }) => {
        const record = decodeRecord(bytes);
        if (!record.ok) throw damaged(stored);
        return record.value;
      }),
    );
    const decoded = head && decodeHead(head);
    if (decoded?.ok) this.state.applyHead(decoded.value);
    this.invitations = new Invitations(provider, random, config.openInvitations, contents.invitations);
    for (const member of contents.members) this.#members.set(member.nodeId, member);
    for (const [epoch, secret] of [...contents.secrets].sort(([a], [b]) => a - b))
      this.secrets.add({ epoch, secret });
    this.versions = new VersionCounter(random, contents.version, versionState);
    this.versions.observe(this.ownVersion(this.state.latestOrder));
  }

  get key(): string {
    return this.stored.key;
  }

  get authorityNumber(): number {
    return this.stored.authorityNumber;
  }

  /** Civil time as this network may believe it: never before anything that was signed for it. */
  clock(wall: WallTime): WallTime {
    const signed = this.state.head?.issuedAt ?? this.stored.createdAt;
    return wallTime(Math.floor(Math.max(wall, signed)));
  }

  /** For judging certificates: strictly, because this is the NMN that renews them. */
  time(wall: WallTime): TimeView {
    const time = this.clock(wall);
    return {
      time,
      confirmed: true,
      judge: (notBefore, notAfter) => {
        const verdict = judgeTime(time, true, { notBefore, notAfter });
        return verdict === 'graceful' ? 'expired' : verdict;
      },
    };
  }

  /** What was issued to a node, if anything was. */
  issued(nodeId: number): StoredMember | undefined {
    return this.#members.get(nodeId);
  }

  /** A node id that no member, former member or invitation has. */
  freshNodeId(): number {
    for (;;) {
      const nodeId = randomNodeId(this.#surroundings.random);
      if (!this.isTaken(nodeId)) return nodeId;
    }
  }

  isTaken(nodeId: number): boolean {
    return (
      this.#members.has(nodeId) ||
      this.state.trust(this.time(this.stored.createdAt)).knownKeys?.(nodeId) !== undefined ||
      this.state.isRevoked({ nodeId }) ||
      this.invitations.list().some(invitation => invitation.nodeId === nodeId) ||
      this.nmnCredential.leaf.nodeId === nodeId
    );
  }

  /** Signs a membership and remembers to whom. */
  issue(turn: Turn, wall: WallTime, wanted: LeafWanted, claimId: Uint8Array): Credential {
    const { provider, random, config } = this.#surroundings;
    const now = this.clock(wall);
    const leaf = signMembership(provider, this.#signingKey, {
      ...wanted,
      network: this.stored.network,
      issuedAt: now,
      notBefore: now,
      notAfter: wallTime(now + config.certificateLife),
      serial: randomSerial(random),
      stateVersion: this.state.version,
    });
    const credential = { leaf, issuers: [this.#authority] };
    this.remember(turn, now, credential, claimId);
    return credential;
  }

  /** Keeps what a node was given. */
  remember(turn: Turn, now: WallTime, credential: Credential, claimId: Uint8Array): void {
    const { nodeId, serial } = credential.leaf;
    const admittedAt = this.#members.get(nodeId)?.admittedAt ?? now;
    const member = { nodeId, claimId, serial, admittedAt, credential: encodeCredential(credential) };
    this.#members.set(nodeId, member);
    turn.changes.push({ kind: 'member', networkKey: this.key, member });
  }

  /** Signs a record and takes it over. */
  publish(turn: Turn, wall: WallTime, content: RecordContent): void {
    const record = signRecord(this.#surroundings.provider, this.#signingKey, {
      network: this.stored.network,
      order: this.#nextOrder(),
      issuedAt: this.clock(wall),
      content,
    });
    const { applied, refused, events } = this.state.apply([record]);
    assert(refused.length === 0, `our own record is not refused (${refused[0]?.reason ?? ''})`);
    this.#keep(turn, applied, events);
  }

  /** Takes over records that somebody else signed. Refusals are the caller's to tell. */
  merge(turn: Turn, applied: readonly StateRecord[], events: readonly StateEvent[]): void {
    for (const { order } of applied) this.versions.observe(this.ownVersion(order));
    this.#keep(turn, applied, events);
    for (const event of events) {
      if (event.kind !== 'memberChanged') continue;
      const ended = this.invitations.endIfOpen(event.nodeId);
      if (ended) turn.changes.push({ kind: 'invitation', networkKey: this.key, invitation: ended });
    }
  }

  /**
   * Ends a turn that changed the state: after a revocation a new secret, so that the revoked node's knowledge of the old
   * one opens nothing; then a head over everything.
   */
  conclude(turn: Turn, wall: WallTime): void {
    if (turn.records.length === 0) return;
    const revoked = turn.events.some(event => event.kind === 'revoked');
    // A restored backup may know of an epoch whose secret it has lost.
    if (revoked || this.state.currentEpoch > this.secrets.epoch) this.rollSecret(turn, wall);
    this.signHead(turn, wall);
  }

  /** A new network secret, known to nobody yet. */
  rollSecret(turn: Turn, wall: WallTime): void {
    const epoch = Math.max(this.state.currentEpoch, this.secrets.epoch) + 1;
    const secret = randomBytes(this.#surroundings.random, 32);
    this.secrets.add({ epoch, secret });
    turn.changes.push({ kind: 'secret', networkKey: this.key, epoch, secret });
    turn.changes.push({ kind: 'secretsBefore', networkKey: this.key, epoch: epoch - 1 });
    this.publish(turn, wall, { kind: 'secretEpoch', epoch });
  }

  /** The signed word on how the state looks now. */
  signHead(turn: Turn, wall: WallTime): void {
    const now = this.clock(wall);
    const head = signHead(this.#surroundings.provider, this.#signingKey, {
      network: this.stored.network,
      order: this.#nextOrder(),
      issuedAt: now,
      nextUpdateBy: wallTime(now + this.#surroundings.config.headLife),
      digests: this.state.digests,
    });
    const { refusal, events } = this.state.applyHead(head);
    assert(refusal === undefined, `our own head is not refused (${refusal ?? ''})`);
    turn.events.push(...events);
    turn.changes.push(this.headChange(head), {
      kind: 'counter',
      networkKey: this.key,
      name: 'version',
      value: this.versions.last,
    });
  }

  /** To keep a head. */
  headChange(head: StateHead): StorageChange {
    return { kind: 'head', networkKey: this.key, bytes: encodeHead(head) };
  }

  /** When the head should be signed anew: at half of its life. `undefined`: now. */
  headDueAt(): WallTime | undefined {
    const head = this.state.head;
    return head && wallTime(head.issuedAt + (head.nextUpdateBy - head.issuedAt) / 2);
  }

  /** Drops the invitations that nobody can use any more. */
  forgetExpired(wall: WallTime): Turn {
    const turn = new Turn();
    for (const claimId of this.invitations.removeExpired(this.clock(wall)))
      turn.changes.push({ kind: 'invitationRemoved', networkKey: this.key, claimId });
    return turn;
  }

  /** What a new member needs besides its credential. */
  welcome(): Welcome {
    const current = this.secrets.current;
    assert(current !== undefined, 'a network has a secret from its creation on');
    return {
      rootKey: this.stored.rootKey,
      epoch: current.epoch,
      secret: current.secret,
      state: this.state.snapshot(MAX_SNAPSHOT_LENGTH),
    };
  }

  #keep(turn: Turn, applied: readonly StateRecord[], events: readonly StateEvent[]): void {
    for (const record of applied) {
      const { authorityNumber, version } = record.order;
      const kept = { name: recordName(record), authorityNumber, version, bytes: encodeRecord(record) };
      turn.changes.push({ kind: 'record', networkKey: this.key, record: kept });
    }
    turn.records.push(...applied);
    turn.events.push(...events);
  }

  #nextOrder(): StateVersion {
    this.versions.observe(this.ownVersion(this.state.latestOrder));
    return { authorityNumber: this.authorityNumber, version: this.versions.next() };
  }

  /** The version of an order of our own authority; 0 for another one's, whose numbers are not ours. */
  ownVersion(order: StateVersion): number {
    return order.authorityNumber === this.authorityNumber ? order.version : 0;
  }
}

/** Records of one name replace each other: same kind, key, author and direction. */
export function recordName({ content, author }: StateRecord): string {
  const opposite =
    (content.kind === 'authority' && content.retired) || (content.kind === 'revocation' && content.withdrawn);
  return `${content.kind}:${toHex(recordKey(content))}:${toHex(author)}${opposite ? '!' : ''}`;
}

/** Whether two certificates are of the same node: same keys. */
export const hasKeys = (
  leaf: MembershipCertificate,
  keys: { readonly signingKey: Uint8Array; readonly staticKey: Uint8Array },
): boolean =>
  toHex(leaf.signingKey) === toHex(keys.signingKey) && toHex(leaf.staticKey) === toHex(keys.staticKey);

const damaged = (stored: StoredNetwork): NmnError =>
  new NmnError(
    'DATABASE_DAMAGED',
    `what is kept of the network ${stored.key} cannot be read; restore a backup`,
  );
