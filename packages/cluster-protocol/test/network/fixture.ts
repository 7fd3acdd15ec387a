import { instant, wallTime } from '../../src/base/index.js';
import type { WallTime } from '../../src/base/index.js';
import type { CryptoProvider, KeyPair } from '../../src/crypto/provider.js';
import {
  TrustedTime,
  authorizeNmn,
  createNetwork,
  createNodeKeys,
  claimKeyPairOf,
  invitationExtension,
  randomSerial,
  signClaim,
  signHead,
  signInvitation,
  signMembership,
  signRecord,
} from '../../src/network/index.js';
import type {
  Credential,
  InvitationFields,
  MembershipFields,
  NetworkState,
  NodeKeys,
  NodeKind,
  RecordContent,
  RevocationContent,
  Role,
  StateHead,
  StateRecord,
  TimeView,
} from '../../src/network/index.js';
import { createCryptoProvider } from '../../src/nodejs/crypto-provider.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';

export const crypto: CryptoProvider = await createCryptoProvider();

/** 2026-03-01T00:00:00Z: when all test networks are made. */
export const BIRTH: WallTime = wallTime(1_772_323_200_000);

const DAY = 86_400_000;
export const daysLater = (days: number): WallTime => wallTime(BIRTH + days * DAY);

/** A confirmed clock that reads `time`. */
export function timeAt(time: WallTime): TimeView {
  const trusted = new TrustedTime(instant(0));
  trusted.handleClock(instant(0), time);
  trusted.observeMember(instant(0), time);
  return trusted.at(instant(0));
}

/** The same, of a node that heard from its NMN just now. */
export function timeInTouchAt(time: WallTime): TimeView {
  const trusted = new TrustedTime(instant(0));
  trusted.handleClock(instant(0), time);
  trusted.observeMember(instant(0), time);
  return trusted.at(instant(0), { lastNmnContact: time });
}

/** A node with its keys and credential. */
export interface TestNode {
  readonly nodeId: number;
  readonly name: string;
  readonly keys: NodeKeys;
  readonly credential: Credential;
}

/** A network with an NMN and its first owner, and the means to sign anything in it. */
export class TestNetwork {
  readonly random: SeededRandom;
  readonly genesis: ReturnType<typeof createNetwork>;
  readonly authorityKeys: KeyPair;
  readonly authorization: ReturnType<typeof authorizeNmn>;
  readonly owner: TestNode;
  #version = 0;

  constructor(seed = 1) {
    this.random = new SeededRandom(seed);
    this.genesis = createNetwork(crypto, this.random, { user: 'Ada', now: BIRTH });
    const nmn = createNodeKeys(crypto, this.random);
    this.authorityKeys = nmn.signing;
    this.authorization = authorizeNmn(
      crypto,
      this.random,
      this.genesis.root,
      { authorityKey: nmn.signing.publicKey, staticKey: nmn.static.publicKey },
      { number: 1, now: BIRTH },
    );
    const { ownerKeys: keys, ownerCredential: credential } = this.genesis;
    this.owner = { nodeId: credential.leaf.nodeId, name: 'Ada phone', keys, credential };
  }

  get network(): Uint8Array {
    return this.genesis.network;
  }

  get rootKey(): Uint8Array {
    return this.genesis.root.publicKey;
  }

  get anchor(): { network: Uint8Array; rootKey: Uint8Array } {
    return { network: this.network, rootKey: this.rootKey };
  }

  membership(keys: NodeKeys, fields: Partial<MembershipFields> = {}): MembershipFields {
    return {
      network: this.network,
      nodeId: this.random.uint32() || 1,
      kind: 'device',
      signingKey: keys.signing.publicKey,
      staticKey: keys.static.publicKey,
      user: '',
      role: 'none',
      issuedAt: BIRTH,
      notBefore: BIRTH,
      notAfter: daysLater(180),
      serial: randomSerial(this.random),
      stateVersion: { authorityNumber: 1, version: 1 },
      extensions: [],
      ...fields,
    };
  }

  /** A member that the authority admits. */
  admit(name: string, fields: Partial<MembershipFields> = {}): TestNode {
    const keys = createNodeKeys(crypto, this.random);
    const leaf = signMembership(crypto, this.authorityKeys, this.membership(keys, fields));
    return { nodeId: leaf.nodeId, name, keys, credential: { leaf, issuers: [this.authorization.authority] } };
  }

  /** A member whose role an owner or admin signed in an invitation. */
  invite(
    name: string,
    role: Role,
    inviter: KeyPair = this.owner.keys.signing,
    changes: {
      invitation?: Partial<InvitationFields>;
      leaf?: Partial<MembershipFields>;
      kind?: NodeKind;
    } = {},
  ): TestNode {
    const claim = new Uint8Array(16);
    this.random.fill(claim);
    const keys = createNodeKeys(crypto, this.random);
    const plain = this.membership(keys, { role, kind: changes.kind ?? 'client', user: name });
    const invitation = signInvitation(crypto, inviter, {
      network: this.network,
      nodeId: plain.nodeId,
      claimKey: claimKeyPairOf(crypto, claim).publicKey,
      kind: plain.kind,
      role,
      user: plain.user,
      issuedAt: BIRTH,
      notAfter: daysLater(1),
      serial: randomSerial(this.random),
      ...changes.invitation,
    });
    const joiner = { signingKey: plain.signingKey, staticKey: plain.staticKey };
    const claimSignature = signClaim(crypto, claim, this.network, joiner);
    const leaf = signMembership(crypto, this.authorityKeys, {
      ...plain,
      extensions: [invitationExtension({ invitation, claimSignature })],
      ...changes.leaf,
    });
    return { nodeId: leaf.nodeId, name, keys, credential: { leaf, issuers: [this.authorization.authority] } };
  }

  /** A record by the authority unless another author is given; versions count up. */
  record(
    content: RecordContent,
    {
      author = this.authorityKeys,
      version = ++this.#version,
      authorityNumber = 1,
      network = this.network,
    } = {},
  ): StateRecord {
    const order = { authorityNumber, version };
    return signRecord(crypto, author, { network, order, issuedAt: BIRTH, content });
  }

  authorityRecord(): StateRecord {
    return this.record({ kind: 'authority', certificate: this.authorization.authority, retired: false });
  }

  memberRecord({ name, credential }: TestNode, by: Parameters<TestNetwork['record']>[1] = {}): StateRecord {
    return this.record({ kind: 'member', name, joinedAt: BIRTH, credential }, by);
  }

  revocation({ credential: { leaf } }: TestNode, fields: Partial<RevocationContent> = {}): RevocationContent {
    return {
      kind: 'revocation',
      serial: leaf.serial,
      nodeId: leaf.nodeId,
      signingKey: leaf.signingKey,
      staticKey: leaf.staticKey,
      at: daysLater(2),
      invitationsUntil: daysLater(2),
      withdrawn: false,
      reason: 'lost',
      ...fields,
    };
  }

  head(state: NetworkState, version: number, fields: Partial<StateHead> = {}): StateHead {
    return signHead(crypto, this.authorityKeys, {
      network: this.network,
      order: { authorityNumber: 1, version },
      issuedAt: BIRTH,
      nextUpdateBy: daysLater(7),
      digests: state.digests,
      ...fields,
    });
  }

  /** The records of a network with an owner and `nodes`. */
  founding(...nodes: readonly TestNode[]): StateRecord[] {
    return [this.authorityRecord(), ...[this.owner, ...nodes].map(node => this.memberRecord(node))];
  }
}
