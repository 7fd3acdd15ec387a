import {
  checkInvitation,
  type Credential,
  type CryptoProvider,
  decodeCertificateOf,
  decodeCredential,
  EXTENSIONS,
  encodeCertificate,
  type InvitationCertificate,
  invitationExtension,
  type InvitationGrant,
  keyIdOf,
  type ManagementContent,
  type ManagementErrorCode,
  MAX_MEMBERS,
  nodeNameProblem,
  roleRank,
  sameBytes,
  type StateRecord,
  verifyClaim,
  type WallTime,
  wallTime,
} from '@coconet/cluster-protocol/core';

import type { MembershipConfig } from '../config.js';
import type { BoundKeys, Invitation } from './invitation.js';
import { hasKeys, type NetworkLedger } from './network-ledger.js';
import type { Turn } from './turn.js';

type Request<T extends ManagementContent['type']> = Extract<ManagementContent, { type: T }>;

/** A session in which a claim proves itself. */
export interface Joiner {
  readonly claimId: Uint8Array;
  /** Proved by the handshake. */
  readonly staticKey: Uint8Array;
}

/** A certificate is renewed at most this often; who asks sooner gets the one it has: one hour. */
const RENEWAL_INTERVAL = 3_600_000;

/**
 * What members and joiners may ask of the NMN of their network, as rules over its ledger. Each answer says why; each may
 * be asked for again after its answer was lost, and is then the same.
 */
export class MembershipRequests {
  readonly #provider: CryptoProvider;
  readonly #config: MembershipConfig;
  readonly #ledger: NetworkLedger;

  constructor(provider: CryptoProvider, config: MembershipConfig, ledger: NetworkLedger) {
    this.#provider = provider;
    this.#config = config;
    this.#ledger = ledger;
  }

  /** A node with a claim wants to become a member (docs/spec/05-network.md, "Joining"). */
  join(turn: Turn, wall: WallTime, joiner: Joiner, request: Request<'join'>): ManagementContent {
    const ledger = this.#ledger;
    const keys: BoundKeys = { signingKey: request.signingKey, staticKey: joiner.staticKey };
    const invitation = ledger.invitations.get(joiner.claimId);
    const wrongName = request.name === '' ? undefined : nodeNameProblem(request.name);
    if (wrongName !== undefined) return refuse('invalid', `the name ${wrongName}`, 'name');
    if (invitation && invitation.kind !== request.kind)
      return refuse(
        'invalid',
        `the invitation is for a ${invitation.kind}, not for a ${request.kind}`,
        'kind',
      );
    if (ledger.state.isRevoked(keys))
      return refuse('notPermitted', 'these keys were revoked in this network');
    const other = ledger.state.members().find(({ credential: { leaf }, nodeId }) => {
      const shared = sameBytes(leaf.staticKey, keys.staticKey) || sameBytes(leaf.signingKey, keys.signingKey);
      return shared && nodeId !== invitation?.nodeId;
    });
    if (other) return refuse('alreadyMember', `these keys are those of the member ${other.name}`);
    if (invitation?.state.kind === 'open' && ledger.state.members().length >= MAX_MEMBERS)
      return refuse('limitReached', `the network has its ${MAX_MEMBERS} members already`);

    const certificate = certificateOf(invitation);
    const proven =
      certificate === undefined ||
      verifyClaim(this.#provider, certificate.claimKey, ledger.stored.network, keys, request.claimSignature);
    const use = ledger.invitations.use(wall, joiner.claimId, keys, proven);
    if (use.changed)
      turn.changes.push({ kind: 'invitation', networkKey: ledger.key, invitation: use.changed });
    if (!use.ok) return refuse(use.code, CLAIM_SENTENCES[use.code]);

    const known = this.#alreadyIssued(use.invitation, keys);
    if (known) return this.#joined(known);
    const { nodeId, kind, role, user } = use.invitation;
    const extensions = certificate
      ? [invitationExtension({ invitation: certificate, claimSignature: request.claimSignature })]
      : [];
    const credential = ledger.issue(
      turn,
      wall,
      { nodeId, kind, role, user, ...keys, extensions },
      joiner.claimId,
    );
    const name = request.name || use.invitation.name || `${kind} ${nodeId}`;
    ledger.publish(turn, wall, { kind: 'member', name, joinedAt: ledger.clock(wall), credential });
    ledger.conclude(turn, wall);
    return this.#joined(credential);
  }

  /** A member wants a certificate with a new life, for the same keys and role. */
  renew(turn: Turn, wall: WallTime, nodeId: number): ManagementContent {
    const ledger = this.#ledger;
    const member = ledger.state.member(nodeId);
    if (!member) return refuse('notPermitted', 'you are no member of this network any more');
    const { leaf, issuers } = member.credential;
    if (issuers.length === 0)
      return refuse(
        'notPermitted',
        'your certificate was signed by the root key; only the root key renews it',
      );
    if (ledger.clock(wall) - leaf.issuedAt < RENEWAL_INTERVAL && ledger.clock(wall) < leaf.notAfter)
      return { type: 'renewed', credential: member.credential };
    const { kind, role, user, signingKey, staticKey } = leaf;
    const extensions = leaf.extensions.filter(({ id }) => id === EXTENSIONS.invitation);
    const claimId = ledger.issued(nodeId)?.claimId ?? new Uint8Array(0);
    const wanted = { nodeId, kind, role, user, signingKey, staticKey, extensions };
    const credential = ledger.issue(turn, wall, wanted, claimId);
    ledger.publish(turn, wall, { kind: 'member', name: member.name, joinedAt: member.joinedAt, credential });
    ledger.conclude(turn, wall);
    return { type: 'renewed', credential };
  }

  /** An owner or admin invites: a guest or plain device on its word, more with its signature. */
  createInvitation(
    turn: Turn,
    wall: WallTime,
    inviter: number,
    request: Request<'createInvitation'>,
  ): ManagementContent {
    const ledger = this.#ledger;
    const caller = ledger.state.member(inviter);
    if (!caller || roleRank(caller.credential.leaf.role) === 0)
      return refuse('notPermitted', 'only owners and admins invite');
    const wrongName = request.name === '' ? undefined : nodeNameProblem(request.name);
    if (wrongName !== undefined) return refuse('invalid', `the name ${wrongName}`, 'name');

    const known = ledger.invitations.get(request.claimId);
    if (known)
      return known.inviter === inviter && this.#provider.equal(known.claimPsk, request.claimPsk)
        ? { type: 'invitationCreated', nodeId: known.nodeId }
        : refuse('invalid', 'this claim is in use already', 'claimId');
    const wanted = this.#wanted(request.grant);
    if ('type' in wanted) return wanted;
    const now = ledger.clock(wall);
    if (wanted.expiresAt <= now) return refuse('invalid', 'the invitation has expired already', 'expiresAt');
    if (wanted.expiresAt > now + this.#config.invitationLife + CLOCK_SLACK) {
      const days = Math.round(this.#config.invitationLife / 86_400_000);
      return refuse('invalid', `an invitation lives ${days} days at most`, 'expiresAt');
    }
    const invitation: Invitation = {
      ...wanted,
      claimId: request.claimId,
      claimPsk: request.claimPsk,
      name: request.name,
      inviter,
      createdAt: now,
      wrongProofs: 0,
      state: { kind: 'open' },
    };
    const added = ledger.invitations.add(now, invitation);
    if (added !== 'added')
      return refuse(
        'limitReached',
        `${this.#config.openInvitations} invitations wait to be used; revoke some first`,
      );
    turn.changes.push({ kind: 'invitation', networkKey: ledger.key, invitation });
    return { type: 'invitationCreated', nodeId: invitation.nodeId };
  }

  /** An owner's or admin's signed revocation, or an owner's signed word that takes one back. */
  revoke(turn: Turn, wall: WallTime, nodeId: number, record: StateRecord): ManagementContent {
    const ledger = this.#ledger;
    if (!ledger.state.member(nodeId))
      return refuse('notPermitted', 'you are no member of this network any more');
    if (record.content.kind !== 'revocation')
      return refuse('invalid', 'this record revokes nobody', 'record');
    const { applied, refused, events } = ledger.state.apply([record]);
    const reason = refused[0]?.reason;
    ledger.merge(turn, applied, events);
    ledger.conclude(turn, wall);
    if (reason === undefined) return { type: 'revoked' };
    const [code, sentence] = REVOCATION_SENTENCES[reason] ?? ['invalid', 'the record does not verify'];
    return refuse(code, sentence, 'record');
  }

  /** A member goes of its own will. */
  leave(turn: Turn, wall: WallTime, nodeId: number): ManagementContent {
    const ledger = this.#ledger;
    const member = ledger.state.member(nodeId);
    if (!member) return { type: 'left' };
    const { leaf } = member.credential;
    if (leaf.role === 'owner')
      return refuse('notPermitted', 'an owner cannot leave; another owner or the root key has to revoke it');
    const now = ledger.clock(wall);
    const { serial, signingKey, staticKey } = leaf;
    const end = { at: now, invitationsUntil: now, withdrawn: false, reason: 'left' };
    ledger.publish(turn, wall, { kind: 'revocation', serial, nodeId, signingKey, staticKey, ...end });
    ledger.conclude(turn, wall);
    return { type: 'left' };
  }

  /** The current network secret, for a member whose own is old. */
  secret(nodeId: number): ManagementContent {
    const { secrets, state } = this.#ledger;
    if (!state.member(nodeId) || !secrets.current)
      return refuse('notPermitted', 'you are no member of this network any more');
    return { type: 'secretIs', ...secrets.current };
  }

  /** What is invited: from the signed invitation, or a free node id and what the grant says. */
  #wanted(
    grant: InvitationGrant,
  ): Pick<Invitation, 'nodeId' | 'kind' | 'role' | 'user' | 'certificate' | 'expiresAt'> | Request<'error'> {
    const ledger = this.#ledger;
    if (grant.type === 'plain') {
      const { kind, role, user, expiresAt } = grant;
      if (kind === 'nmn') return refuse('invalid', 'only the root key puts an NMN in charge', 'kind');
      return { nodeId: ledger.freshNodeId(), kind, role, user, certificate: new Uint8Array(0), expiresAt };
    }
    const { invitation } = grant;
    const { nodeId, kind, role, user, notAfter } = invitation;
    if (kind === 'nmn') return refuse('invalid', 'only the root key puts an NMN in charge', 'kind');
    if (!sameBytes(invitation.network, ledger.stored.network))
      return refuse('invalid', 'the invitation is for another network', 'invitation');
    const inviter = ledger.state
      .members()
      .find(({ credential: { leaf } }) =>
        sameBytes(keyIdOf(this.#provider, leaf.signingKey), invitation.issuer),
      );
    if (!inviter)
      return refuse('notPermitted', 'the invitation is signed by nobody in this network', 'invitation');
    const refusal = checkInvitation(this.#provider, invitation, { certificate: inviter.credential.leaf });
    if (refusal !== undefined)
      return refuse('notPermitted', `the invitation does not count: ${refusal}`, 'invitation');
    if (ledger.isTaken(nodeId)) return refuse('invalid', 'this node id is taken; draw another one', 'nodeId');
    return {
      nodeId,
      kind,
      role,
      user,
      certificate: encodeCertificate(invitation),
      expiresAt: wallTime(notAfter),
    };
  }

  /** The credential that the same node was given for this invitation before. */
  #alreadyIssued(invitation: Invitation, keys: BoundKeys): Credential | undefined {
    const known = this.#ledger.issued(invitation.nodeId);
    const credential = known && decodeCredential(known.credential);
    return credential?.ok && hasKeys(credential.value.leaf, keys) ? credential.value : undefined;
  }

  #joined(credential: Credential): ManagementContent {
    const { nodeId } = credential.leaf;
    const name = this.#ledger.state.member(nodeId)?.name ?? `node ${nodeId}`;
    return { type: 'joined', nodeId, name, credential, ...this.#ledger.welcome() };
  }
}

/** An answer that says no. */
export function refuse(code: ManagementErrorCode, message: string, field?: string): Request<'error'> {
  return field === undefined ? { type: 'error', code, message } : { type: 'error', code, message, field };
}

/** What is answered while the disk refuses to write. */
export const UNAVAILABLE: ManagementContent = refuse(
  'unavailable',
  'the NMN cannot write to its disk at the moment; nothing was done, try again in a minute',
);

/** The clocks of two machines that both believe they are right differ by less than this: five minutes. */
const CLOCK_SLACK = 300_000;

const CLAIM_SENTENCES = {
  claimUnknown: 'there is no such invitation; ask for a new one',
  claimUsed: 'the invitation was used by another node; ask for a new one',
  claimExpired: 'the invitation has expired; ask for a new one',
  claimKilled: 'the invitation was ended; ask for a new one',
} as const;

const REVOCATION_SENTENCES: Readonly<Record<string, readonly [ManagementErrorCode, string] | undefined>> = {
  wrongNetwork: ['invalid', 'the revocation is for another network'],
  authorUnknown: ['notPermitted', 'the revocation is signed by nobody in this network'],
  notPermitted: ['notPermitted', 'its author may not revoke this node'],
  badSignature: ['invalid', 'the signature of the revocation is wrong'],
  older: ['invalid', 'a newer word of the same author about this node is known'],
  superseded: ['notPermitted', 'the word of another author about this node counts more'],
  full: ['limitReached', 'the network holds as many records as it can'],
};

function certificateOf(invitation: Invitation | undefined): InvitationCertificate | undefined {
  if (!invitation || invitation.certificate.length === 0) return undefined;
  const certificate = decodeCertificateOf('invitation', invitation.certificate);
  return certificate.ok ? certificate.value : undefined;
}
