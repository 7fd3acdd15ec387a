import { concatBytes, toHex, wallTime } from '../base/index.js';
import type { WallTime } from '../base/index.js';
import type { CryptoProvider } from '../crypto/provider.js';
import type { AuthorityCertificate, InvitationCertificate, MembershipCertificate } from './certificate.js';
import { DIGEST_LENGTH, type StateDigests } from './head.js';
import { compareHeld, isHeldOf, leafOf, rankOf, winnerOf, type HeldRecord } from './held-record.js';
import { keyIdOf, roleRank } from './identity.js';
import type { MemberContent, RevocationContent } from './record.js';
import { RevokedNodes, namesOf } from './revoked-nodes.js';
import { compareVersions } from './state-version.js';

/** An owner or admin as the held records prove it, whatever became of it later. */
export interface Standing {
  readonly leaf: MembershipCertificate;
  /** Absent: the root signed it. */
  readonly invitation: InvitationCertificate | undefined;
}

/** What a set of held records means. A pure function of the set: the order in which they came leaves no trace. */
export interface StateView {
  /** The records that count, in order of kind and key. */
  readonly effective: readonly HeldRecord[];
  readonly digests: StateDigests;
  /** Members in good standing: neither revoked nor invited by somebody whose invitations do not count. */
  readonly members: ReadonlyMap<number, MemberContent>;
  /** The keys of every node id that a member record ever named, cut off or not. */
  readonly leaves: ReadonlyMap<number, MembershipCertificate>;
  readonly revoked: RevokedNodes;
  /** Numbers of authorities out of service. */
  readonly retired: ReadonlySet<number>;
  /** Authorities by hexadecimal key id, retired ones too. */
  readonly authorities: ReadonlyMap<string, AuthorityCertificate>;
  /** Owners and admins by hexadecimal key id, revoked ones too. */
  readonly standings: ReadonlyMap<string, Standing>;
  readonly epoch: number;
  readonly settings: ReadonlyMap<string, Uint8Array>;
  /** Until when invitations of the owner or admin with this key id count; absent: without end. */
  invitationsUntil(keyId: string): WallTime | undefined;
}

/** Who is who in a set of records, before anything else is judged. */
export interface Directory {
  readonly rootKeyId: string;
  readonly authorities: ReadonlyMap<string, AuthorityCertificate>;
  readonly standings: ReadonlyMap<string, Standing>;
}

/** Collects authorities, owners and admins. Standing is never lost by a later record, only overridden by a revocation. */
export function readDirectory(
  crypto: CryptoProvider,
  rootKey: Uint8Array,
  slots: Iterable<Iterable<HeldRecord>>,
): Directory {
  const authorities = new Map<string, AuthorityCertificate>();
  const standings = new Map<string, Standing>();
  for (const slot of slots) {
    const candidates = [...slot];
    for (const held of candidates)
      if (isHeldOf(held, 'authority')) {
        const { certificate } = held.record.content;
        authorities.set(toHex(keyIdOf(crypto, certificate.signingKey)), certificate);
      }
    const best = winnerOf(candidates);
    const leaf = best && leafOf(best);
    if (leaf && roleRank(leaf.role) > 0)
      standings.set(toHex(keyIdOf(crypto, leaf.signingKey)), { leaf, invitation: best.invitation });
  }
  return { rootKeyId: toHex(keyIdOf(crypto, rootKey)), authorities, standings };
}

/** The highest rank of a node that a record's author may revoke; −1: nobody. */
function revocableRank(directory: Directory, author: string): number {
  if (author === directory.rootKeyId) return 2;
  const standing = directory.standings.get(author);
  if (standing) return standing.leaf.role === 'owner' ? 2 : 0;
  return directory.authorities.has(author) ? 1 : -1;
}

const isOwner = (directory: Directory, author: string): boolean =>
  directory.standings.get(author)?.leaf.role === 'owner';

interface Judged {
  readonly revoked: RevokedNodes;
  readonly effective: readonly HeldRecord[];
}

/**
 * Revocations count whatever became of their author since, or a thief's victims would come back with the thief's own
 * revocation. Withdrawals count from authors that are not revoked themselves; which those are depends on the
 * withdrawals, so begin with everybody revoked and let the root's word, then that of each freed owner, free others
 * until nothing changes.
 */
function judgeRevocations(directory: Directory, slots: readonly HeldRecord<RevocationContent>[][]): Judged {
  const ranks = new Map<string, number>();
  for (const { leaf } of directory.standings.values())
    for (const name of namesOf({ ...leaf, serial: 0 }))
      ranks.set(name, Math.max(ranks.get(name) ?? 0, roleRank(leaf.role)));
  const rankOfTarget = (target: RevocationContent): number =>
    Math.max(0, ...namesOf({ ...target, serial: 0 }).map(name => ranks.get(name) ?? 0));

  const cases = slots.map(slot => ({
    revocation: winnerOf(
      slot.filter(
        ({ record: { content }, author }) =>
          !content.withdrawn && rankOfTarget(content) <= revocableRank(directory, author),
      ),
    ),
    withdrawals: slot.filter(({ record }) => record.content.withdrawn),
  }));
  let revoked = new RevokedNodes(cases.flatMap(({ revocation }) => revocation?.record.content ?? []));
  for (;;) {
    const before = revoked;
    const counts = ({ author }: HeldRecord): boolean => {
      const standing = directory.standings.get(author);
      return author === directory.rootKeyId || (isOwner(directory, author) && !before.has(standing!.leaf));
    };
    const effective = cases.flatMap(({ revocation, withdrawals }) => {
      const withdrawal = winnerOf(withdrawals.filter(counts));
      if (!revocation) return withdrawal ?? [];
      const taken = withdrawal && compareVersions(withdrawal.record.order, revocation.record.order) > 0;
      return taken ? withdrawal : revocation;
    });
    const inForce = effective.map(({ record }) => record.content).filter(({ withdrawn }) => !withdrawn);
    revoked = new RevokedNodes(inForce);
    if (inForce.length === before.all.length) return { revoked, effective };
  }
}

/** Judges a whole set of held records, grouped by slot. */
export function viewState(
  crypto: CryptoProvider,
  rootKey: Uint8Array,
  slots: readonly (readonly HeldRecord[])[],
): StateView {
  const directory = readDirectory(crypto, rootKey, slots);
  const { rootKeyId, authorities, standings } = directory;
  const revocations = judgeRevocations(
    directory,
    slots.map(slot => slot.filter(held => isHeldOf(held, 'revocation'))).filter(slot => slot.length > 0),
  );
  const { revoked } = revocations;

  const cutoffs = new Map<string, WallTime | undefined>();
  const invitationsUntil = (keyId: string): WallTime | undefined => {
    if (cutoffs.has(keyId)) return cutoffs.get(keyId);
    cutoffs.set(keyId, wallTime(0)); // Whoever is invited in a circle was invited by nobody.
    const standing = standings.get(keyId);
    const cutoff =
      standing === undefined || !isInvited(standing.invitation)
        ? wallTime(0)
        : revoked.find(standing.leaf)?.invitationsUntil;
    cutoffs.set(keyId, cutoff);
    return cutoff;
  };
  const isInvited = (invitation: InvitationCertificate | undefined): boolean => {
    if (invitation === undefined) return true;
    const inviter = toHex(invitation.issuer);
    const until = inviter === rootKeyId ? undefined : invitationsUntil(inviter);
    return until === undefined || invitation.issuedAt <= until;
  };
  const isActiveMember = (keyId: string): boolean => {
    const standing = standings.get(keyId);
    return standing !== undefined && !revoked.has(standing.leaf) && isInvited(standing.invitation);
  };

  const retired = new Set<number>();
  const retirements = new Map<string, HeldRecord>();
  for (const held of slots.flat())
    if (isHeldOf(held, 'authority') && held.record.content.retired) {
      const { author } = held;
      if (author !== rootKeyId && !(isOwner(directory, author) && isActiveMember(author))) continue;
      retired.add(held.record.content.certificate.number);
      const other = retirements.get(held.slot);
      if (!other || compareHeld(held, other) > 0) retirements.set(held.slot, held);
    }
  const isActive = (author: string): boolean => {
    const authority = authorities.get(author);
    if (author === rootKeyId) return true;
    return authority ? !retired.has(authority.number) : isActiveMember(author);
  };

  const effective: HeldRecord[] = [...revocations.effective];
  const members = new Map<number, MemberContent>();
  const leaves = new Map<number, MembershipCertificate>();
  const settings = new Map<string, Uint8Array>();
  let epoch = 0;
  for (const slot of slots) {
    const best = winnerOf(slot);
    if (!best || best.record.content.kind === 'revocation') continue;
    const winner = isHeldOf(best, 'authority')
      ? (retirements.get(best.slot) ?? winnerOf(slot.filter(held => !held.strand.endsWith('!'))))
      : rankOf(best) > 0
        ? best // Proof of an owner's or admin's standing is kept for good: their revocations hang on it.
        : winnerOf(slot.filter(({ author }) => isActive(author)));
    if (!winner) continue;
    const { content } = winner.record;
    if (content.kind === 'member') {
      const { leaf } = content.credential;
      leaves.set(leaf.nodeId, leaf);
      const cutOff = revoked.has(leaf);
      if (!cutOff && isInvited(winner.invitation)) members.set(leaf.nodeId, content);
      if (cutOff && rankOf(winner) === 0) continue;
    }
    if (content.kind === 'secretEpoch') epoch = content.epoch;
    if (content.kind === 'setting') settings.set(content.name, content.value);
    effective.push(winner);
  }
  // A slot's text begins with the kind and goes on with the key in hexadecimal, which keeps the order of bytes.
  effective.sort((a, b) => (a.slot < b.slot ? -1 : 1));
  const digests = digestOf(crypto, effective);
  return {
    effective,
    digests,
    members,
    leaves,
    revoked,
    retired,
    authorities,
    standings,
    epoch,
    settings,
    invitationsUntil,
  };
}

function digestOf(crypto: CryptoProvider, effective: readonly HeldRecord[]): StateDigests {
  const section = (directory: boolean): Uint8Array =>
    crypto.blake2b(
      DIGEST_LENGTH,
      concatBytes(
        ...effective.filter(held => isHeldOf(held, 'member') === directory).map(({ encoded }) => encoded),
      ),
    );
  return { security: section(false), directory: section(true) };
}
