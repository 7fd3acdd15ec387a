import { ClusterError, type RandomSource, type WallTime, wallTime } from '../base/index.js';
import type { CryptoProvider } from '../crypto/provider.js';
import {
  claimKeyPairOf,
  type InvitationCertificate,
  type NetworkState,
  type NodeKeys,
  type NodeKind,
  randomNodeId,
  randomSerial,
  type Role,
  signInvitation,
  signRecord,
  type StateRecord,
} from '../network/index.js';

/** What a person with a role signs with the key of this node (docs/spec/05-network.md, sections 3 and 5). */
export class Authorship {
  readonly #provider: CryptoProvider;
  readonly #keys: NodeKeys;
  readonly #state: NetworkState;

  constructor(provider: CryptoProvider, keys: NodeKeys, state: NetworkState) {
    this.#provider = provider;
    this.#keys = keys;
    this.#state = state;
  }

  /** A record that cuts a member off. Throws `NOT_A_MEMBER`. Whether the own role suffices is for its readers to judge. */
  revocation(wall: WallTime, nodeId: number, reason: string): StateRecord {
    const member = this.#state.member(nodeId);
    if (!member)
      throw new ClusterError('NOT_A_MEMBER', `the network has no member #${nodeId}, or it was revoked`);
    const { serial, signingKey, staticKey } = member.credential.leaf;
    const at = this.#time(wall);
    const { authorityNumber, version } = this.#state.latestOrder;
    return signRecord(this.#provider, this.#keys.signing, {
      network: this.#state.network,
      order: { authorityNumber, version: version + 1 },
      issuedAt: at,
      content: {
        kind: 'revocation',
        serial,
        nodeId,
        signingKey,
        staticKey,
        at,
        invitationsUntil: at,
        withdrawn: false,
        reason,
      },
    });
  }

  /** The signed word that whoever holds `claim` may have a role, which an NMN could not give. */
  invitation(
    random: RandomSource,
    wall: WallTime,
    wanted: {
      readonly claim: Uint8Array;
      readonly kind: NodeKind;
      readonly role: Role;
      readonly user: string;
      readonly notAfter: WallTime;
    },
  ): InvitationCertificate {
    const { claim, kind, role, user, notAfter } = wanted;
    return signInvitation(this.#provider, this.#keys.signing, {
      network: this.#state.network,
      nodeId: randomNodeId(random),
      claimKey: claimKeyPairOf(this.#provider, claim).publicKey,
      kind,
      role,
      user,
      issuedAt: this.#time(wall),
      notAfter,
      serial: randomSerial(random),
    });
  }

  // Never before anything that was signed: a wrong clock must not make the word look older than what it answers.
  #time(wall: WallTime): WallTime {
    return wallTime(Math.floor(Math.max(wall, this.#state.head?.issuedAt ?? 0)));
  }
}
