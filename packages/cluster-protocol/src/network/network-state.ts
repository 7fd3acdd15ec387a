import { milliseconds, malformed, parsed, sameBytes, toHex } from '../base/index.js';
import type { Duration, Parsed, WallTime } from '../base/index.js';
import type { CryptoProvider } from '../crypto/provider.js';
import { Reader } from '../wire/reader.js';
import { encodeWith, type Writer } from '../wire/writer.js';
import { isSignedBy, type AuthorityCertificate } from './certificate.js';
import { readFlag } from './code-list.js';
import {
  MAX_HEAD_LENGTH,
  decodeHead,
  encodeHead,
  isHeadSignedBy,
  type StateDigests,
  type StateHead,
} from './head.js';
import { compareHeld, holdRecord, isHeldOf, leafOf, rankOf, type HeldRecord } from './held-record.js';
import { keyIdOf } from './identity.js';
import {
  MAX_RECORD_LENGTH,
  decodeRecord,
  isRecordSignedBy,
  type MemberContent,
  type StateRecord,
} from './record.js';
import { RecordTable } from './record-table.js';
import { conflictAbout, differences, type StateEvent } from './state-event.js';
import { readDirectory, viewState, type Directory, type StateView } from './state-view.js';
import { NO_VERSION, compareVersions, type StateVersion } from './state-version.js';
import { DEFAULT_OFFLINE_GRACE, type TimeView } from './trusted-time.js';
import {
  VerificationCache,
  checkInvitation,
  verifyChain,
  type Revocable,
  type VerificationContext,
} from './verify.js';

/** Name of the setting that holds the offline grace in milliseconds, 48 bits. */
export const OFFLINE_GRACE_SETTING = 'offlineGrace';

/** Why a record was not taken over (docs/spec/05-network.md, section 5). */
export const RECORD_REFUSALS = [
  /** Of another network. */
  'wrongNetwork',
  /** The author is nobody known (yet); the record waits. */
  'authorUnknown',
  /** The inviter of the member it names is nobody known (yet); the record waits. */
  'inviterUnknown',
  /** The author may not state this. */
  'notPermitted',
  'badSignature',
  /** The certificate or credential inside does not verify. */
  'badCertificate',
  /** A newer record of the same author about the same thing is held. */
  'older',
  /** It is held, but another author's record about the same thing wins. */
  'superseded',
  /** It names a member that is revoked. */
  'revoked',
  /** It gives other keys to a node id that is taken. */
  'keyChanged',
  /** A bound is reached. */
  'full',
] as const;

/** One of {@link RECORD_REFUSALS}. */
export type RecordRefusal = (typeof RECORD_REFUSALS)[number];

/** Why a head was not taken over. */
export type HeadRefusal = 'wrongNetwork' | 'authorUnknown' | 'notPermitted' | 'badSignature' | 'older';

/** The outcome of {@link NetworkState.apply}. */
export interface Applied {
  /** Records that count now and did not before. */
  readonly applied: readonly StateRecord[];
  readonly refused: readonly { readonly record: StateRecord; readonly reason: RecordRefusal }[];
  readonly events: readonly StateEvent[];
}

/** Which network a state belongs to. */
export interface NetworkAnchor {
  readonly network: Uint8Array;
  /** Ed25519 public key of the root; the network id pins it. */
  readonly rootKey: Uint8Array;
}

/** A member in good standing. */
export interface Member extends MemberContent {
  readonly nodeId: number;
}

/** The text of a snapshot's first byte. */
const SNAPSHOT_FORMAT = 1;

/**
 * What one node knows of its network: signed records, merged by rules that give the same result in whatever order and
 * grouping the records come. Every signature is checked here, whoever delivered the record.
 */
export class NetworkState {
  readonly network: Uint8Array;
  readonly rootKey: Uint8Array;
  readonly #crypto: CryptoProvider;
  readonly #rootKeyId: string;
  readonly #table = new RecordTable();
  readonly #cache = new VerificationCache();
  #directory: Directory;
  #view: StateView;
  #head: StateHead | undefined;

  constructor(crypto: CryptoProvider, { network, rootKey }: NetworkAnchor) {
    this.#crypto = crypto;
    this.network = network;
    this.rootKey = rootKey;
    this.#rootKeyId = toHex(keyIdOf(crypto, rootKey));
    this.#directory = readDirectory(crypto, rootKey, []);
    this.#view = viewState(crypto, rootKey, []);
  }

  /** The state that {@link snapshot} wrote. Signatures are checked again; what does not verify is left out. */
  static restore(crypto: CryptoProvider, anchor: NetworkAnchor, bytes: Uint8Array): Parsed<NetworkState> {
    const reader = new Reader(bytes);
    const format = reader.uint8();
    const head = readFlag(reader) ? decodeHead(reader.block(MAX_HEAD_LENGTH)) : undefined;
    const count = reader.varint();
    const records: StateRecord[] = [];
    for (let i = 0; i < count && !reader.failed; i++) {
      const record = decodeRecord(reader.block(MAX_RECORD_LENGTH));
      if (!record.ok) return malformed;
      records.push(record.value);
    }
    if (!reader.complete || format !== SNAPSHOT_FORMAT || head?.ok === false) return malformed;
    const state = new NetworkState(crypto, anchor);
    state.apply(records);
    if (head) state.applyHead(head.value);
    return parsed(state);
  }

  /**
   * Takes over records from anybody. Events tell what the change means; records already held are passed over in
   * silence. Costs up to 6 signature checks for a record that is new.
   */
  apply(records: readonly StateRecord[]): Applied {
    const refused = new Map<StateRecord, RecordRefusal>();
    const events: StateEvent[] = [];
    const stored: HeldRecord[] = [];
    let queue: readonly StateRecord[] = records;
    while (queue.length > 0) {
      let opened = false;
      for (const record of queue) {
        refused.delete(record);
        const outcome = this.#insert(record, events);
        if (outcome === 'known') continue;
        if (typeof outcome === 'string') refused.set(record, outcome);
        else {
          stored.push(outcome);
          opened ||= opensDoors(outcome);
        }
      }
      queue = opened ? this.#table.takeWaiting() : [];
    }
    if (stored.length === 0) return { applied: [], refused: listOf(refused), events };

    const before = this.#view;
    const effectiveBefore = new Set(before.effective);
    this.#view = viewState(this.#crypto, this.rootKey, this.#table.slots());
    if (this.#head && this.#view.retired.has(this.#head.order.authorityNumber)) this.#head = undefined;
    const effective = new Set(this.#view.effective);
    for (const held of stored) if (!effective.has(held)) refused.set(held.record, this.#whyNot(held));
    return {
      applied: this.#view.effective.filter(held => !effectiveBefore.has(held)).map(({ record }) => record),
      refused: listOf(refused),
      events: [...events, ...differences(before, this.#view)],
    };
  }

  /** Takes over a head that is newer than the one held. */
  applyHead(head: StateHead): { readonly refusal?: HeadRefusal; readonly events: readonly StateEvent[] } {
    const held = this.#head;
    if (!sameBytes(head.network, this.network)) return { refusal: 'wrongNetwork', events: [] };
    const order = held ? compareVersions(head.order, held.order) : 1;
    if (held && order === 0 && sameBytes(encodeHead(head), encodeHead(held))) return { events: [] };
    if (order < 0) return { refusal: 'older', events: [] };
    const author = this.#directory.authorities.get(toHex(head.author));
    if (author === undefined) return { refusal: 'authorUnknown', events: [] };
    const { authorityNumber } = head.order;
    if (author.number !== authorityNumber || this.isRetired(authorityNumber))
      return { refusal: 'notPermitted', events: [] };
    if (!isHeadSignedBy(this.#crypto, head, author.signingKey))
      return { refusal: 'badSignature', events: [] };
    if (held && order === 0) {
      const conflict: StateEvent = { kind: 'conflict', about: 'head', order: head.order };
      const hash = (of: StateHead): string => toHex(this.#crypto.blake2b(32, encodeHead(of)));
      if (hash(head) < hash(held)) return { refusal: 'older', events: [conflict] };
      this.#head = head;
      return { events: [conflict, { kind: 'headChanged', order: head.order }] };
    }
    this.#head = head;
    return { events: [{ kind: 'headChanged', order: head.order }] };
  }

  /** The newest head of an authority in service. */
  get head(): StateHead | undefined {
    return this.#head;
  }

  /** Where this state stands in the order of changes: the version of its head. */
  get version(): StateVersion {
    return this.#head?.order ?? NO_VERSION;
  }

  /** The highest order of any record that counts or of the head: whoever signs next goes above it. */
  get latestOrder(): StateVersion {
    return this.#view.effective.reduce(
      (latest, { record }) => (compareVersions(record.order, latest) > 0 ? record.order : latest),
      this.version,
    );
  }

  /** Digests over the records held now. */
  get digests(): StateDigests {
    return this.#view.digests;
  }

  /** Whether the records held are exactly those that the head describes. */
  get complete(): boolean {
    return this.#head !== undefined && sameDigests(this.#head.digests, this.digests);
  }

  /** Whether the authority should have been heard from by `time`. Without any head: true. */
  stale(time: WallTime): boolean {
    return this.#head === undefined || time > this.#head.nextUpdateBy;
  }

  /** Members in good standing, by node id. */
  members(): readonly Member[] {
    return [...this.#view.members]
      .map(([nodeId, content]) => ({ nodeId, ...content }))
      .sort((a, b) => a.nodeId - b.nodeId);
  }

  member(nodeId: number): Member | undefined {
    const content = this.#view.members.get(nodeId);
    return content && { nodeId, ...content };
  }

  /** Names need not be unique; compared letter by letter. */
  membersByName(name: string): readonly Member[] {
    return this.members().filter(member => member.name === name);
  }

  /** Whether any of the names is one of a revoked node. */
  isRevoked(names: Revocable): boolean {
    return this.#view.revoked.has(names);
  }

  isRetired(authorityNumber: number): boolean {
    return this.#view.retired.has(authorityNumber);
  }

  /** Authorities in service, the newest last. */
  authorities(): readonly AuthorityCertificate[] {
    return [...this.#view.authorities.values()]
      .filter(({ number }) => !this.isRetired(number))
      .sort((a, b) => a.number - b.number);
  }

  /** Number of the current network secret; 0 before the first. */
  get currentEpoch(): number {
    return this.#view.epoch;
  }

  /** The value of a setting of the network. */
  setting(name: string): Uint8Array | undefined {
    return this.#view.settings.get(name);
  }

  /** The network's offline grace; the default when none was set. */
  get offlineGrace(): Duration {
    const value = this.setting(OFFLINE_GRACE_SETTING);
    if (value === undefined) return DEFAULT_OFFLINE_GRACE;
    const reader = new Reader(value);
    const grace = reader.uint48();
    return reader.complete ? milliseconds(grace) : DEFAULT_OFFLINE_GRACE;
  }

  /** What `verifyCredential` needs to judge the members of this network at one moment. Follows later changes of the state. */
  trust(time: TimeView, cache: VerificationCache = this.#cache): VerificationContext {
    return {
      network: this.network,
      rootKey: this.rootKey,
      time,
      cache,
      isRevoked: names => this.isRevoked(names),
      isRetired: number => this.isRetired(number),
      inviter: keyId => {
        const name = toHex(keyId);
        const standing = this.#view.standings.get(name);
        if (standing === undefined) return undefined;
        const invitationsUntil = this.#view.invitationsUntil(name);
        return { certificate: standing.leaf, ...(invitationsUntil !== undefined && { invitationsUntil }) };
      },
      knownKeys: nodeId => this.#view.leaves.get(nodeId),
    };
  }

  /** The records that count and are ordered after `order`, those first on which others depend. */
  changesSince(order: StateVersion): readonly StateRecord[] {
    return this.records().filter(record => compareVersions(record.order, order) > 0);
  }

  /** All records that count, those first on which others depend; of one section only if asked. */
  records(section?: keyof StateDigests): readonly StateRecord[] {
    return this.#inOrder()
      .filter(held => section === undefined || isHeldOf(held, 'member') === (section === 'directory'))
      .map(({ record }) => record);
  }

  /**
   * Head and records in bytes: equal for equal states. With `limit` (bytes) as many records as fit, those first that
   * protect; the head then shows the reader that something is missing.
   */
  snapshot(limit: number = Number.MAX_SAFE_INTEGER): Uint8Array {
    const head = this.#head && encodeHead(this.#head);
    let size = 1 + 1 + (head ? 2 + head.length : 0) + 8;
    const fitting = this.#inOrder().filter(({ encoded }) => {
      const fits = size + 2 + encoded.length <= limit;
      if (fits) size += 2 + encoded.length;
      return fits;
    });
    return encodeWith(size, (writer: Writer) => {
      writer.uint8(SNAPSHOT_FORMAT).uint8(head ? 1 : 0);
      if (head) writer.block(head);
      writer.varint(fitting.length);
      for (const { encoded } of fitting) writer.block(encoded);
    });
  }

  #inOrder(): readonly HeldRecord[] {
    // Authorities speak for everything, owners and admins for revocations; plain members come last.
    const group = (held: HeldRecord): number =>
      isHeldOf(held, 'authority')
        ? 0
        : !isHeldOf(held, 'member')
          ? 3
          : rankOf(held) === 2
            ? 1
            : rankOf(held) === 1
              ? 2
              : 4;
    return [...this.#view.effective].sort((a, b) => group(a) - group(b));
  }

  #insert(record: StateRecord, events: StateEvent[]): HeldRecord | RecordRefusal | 'known' {
    if (!sameBytes(record.network, this.network)) return 'wrongNetwork';
    const draft = holdRecord(this.#crypto, record);
    const rival = this.#table.rivalOf(draft);
    if (rival && sameBytes(rival.hash, draft.hash)) return 'known';
    if (rival && compareHeld(draft, rival) < 0) {
      const isTie = compareVersions(record.order, rival.record.order) === 0;
      if (isTie && this.#check(record).ok) events.push(conflictAbout(record));
      return 'older';
    }

    const checked = this.#check(record);
    if (!checked.ok) {
      if (checked.refusal === 'authorUnknown' || checked.refusal === 'inviterUnknown')
        this.#table.wait(draft);
      return checked.refusal;
    }
    const held = { ...draft, invitation: checked.invitation };
    // Several authors may revoke the same node; everything else is said by one at a time.
    const tied = this.#table
      .slot(held.slot)
      .some(
        other => compareVersions(other.record.order, record.order) === 0 && !isHeldOf(other, 'revocation'),
      );
    if (tied) events.push(conflictAbout(record));
    if (!this.#table.yieldsKeys(held)) {
      events.push(conflictAbout(record));
      return 'keyChanged';
    }
    if (!this.#table.store(held, this.#view.revoked)) return 'full';
    if (opensDoors(held)) this.#directory = readDirectory(this.#crypto, this.rootKey, this.#table.slots());
    return held;
  }

  /** Everything about a record that does not change when others come: who signed it, and that what is inside verifies. */
  #check(
    record: StateRecord,
  ):
    | { readonly ok: true; readonly invitation: HeldRecord['invitation'] }
    | { readonly ok: false; readonly refusal: RecordRefusal } {
    const { content } = record;
    const refuse = (refusal: RecordRefusal): { readonly ok: false; readonly refusal: RecordRefusal } => ({
      ok: false,
      refusal,
    });
    const key = this.#authorKey(record);
    if (typeof key === 'string') return refuse(key);
    if (!isRecordSignedBy(this.#crypto, record, key)) return refuse('badSignature');
    if (content.kind === 'authority') {
      const { certificate } = content;
      const good =
        sameBytes(certificate.network, this.network) &&
        !certificate.extensions.some(({ critical }) => critical) &&
        isSignedBy(this.#crypto, certificate, this.rootKey);
      return good ? { ok: true, invitation: undefined } : refuse('badCertificate');
    }
    if (content.kind !== 'member') return { ok: true, invitation: undefined };

    const chain = verifyChain(this.#crypto, content.credential, {
      network: this.network,
      rootKey: this.rootKey,
      cache: this.#cache,
    });
    if (!chain.ok) return refuse('badCertificate');
    const invitation = chain.proof?.invitation;
    if (invitation === undefined) return { ok: true, invitation };
    const issuer = toHex(invitation.issuer);
    if (issuer === this.#rootKeyId)
      return isSignedBy(this.#crypto, invitation, this.rootKey)
        ? { ok: true, invitation }
        : refuse('badCertificate');
    const inviter = this.#directory.standings.get(issuer);
    if (inviter === undefined) return refuse('inviterUnknown');
    const refusal = checkInvitation(this.#crypto, invitation, { certificate: inviter.leaf }, this.#cache);
    // An admin may be an owner in a record that is still to come.
    if (refusal === 'roleNotGranted') return refuse('inviterUnknown');
    return refusal === undefined ? { ok: true, invitation } : refuse('badCertificate');
  }

  #authorKey({ author, content, order }: StateRecord): Uint8Array | 'authorUnknown' | 'notPermitted' {
    const name = toHex(author);
    if (name === this.#rootKeyId) return this.rootKey;
    const standing = this.#directory.standings.get(name);
    if (standing)
      return content.kind === 'member' || content.kind === 'secretEpoch'
        ? 'notPermitted'
        : standing.leaf.signingKey;
    // An authority may publish its own certificate: the root's signature on it is checked, so nothing else is needed.
    const isOwn =
      content.kind === 'authority' &&
      sameBytes(author, keyIdOf(this.#crypto, content.certificate.signingKey));
    const authority = isOwn ? content.certificate : this.#directory.authorities.get(name);
    if (authority === undefined) return 'authorUnknown';
    const overrules =
      (content.kind === 'authority' && content.retired) ||
      (content.kind === 'revocation' && content.withdrawn);
    return order.authorityNumber !== authority.number || overrules ? 'notPermitted' : authority.signingKey;
  }

  #whyNot(held: HeldRecord): RecordRefusal {
    const leaf = leafOf(held);
    if (leaf && this.#view.revoked.has(leaf)) return 'revoked';
    const winner = this.#view.effective.find(({ slot }) => slot === held.slot);
    return winner && compareHeld(winner, held) > 0 ? 'superseded' : 'notPermitted';
  }
}

/** Whether others' records may be judged now that could not be before. */
const opensDoors = (held: HeldRecord): boolean => isHeldOf(held, 'authority') || rankOf(held) > 0;

/** Whether both sections are the same. */
export const sameDigests = (a: StateDigests, b: StateDigests): boolean =>
  sameBytes(a.security, b.security) && sameBytes(a.directory, b.directory);

/** The value of the setting {@link OFFLINE_GRACE_SETTING}. */
export const encodeOfflineGrace = (grace: Duration): Uint8Array =>
  encodeWith(6, writer => writer.uint48(grace));

const listOf = (
  refused: ReadonlyMap<StateRecord, RecordRefusal>,
): readonly { readonly record: StateRecord; readonly reason: RecordRefusal }[] =>
  [...refused].map(([record, reason]) => ({ record, reason }));
