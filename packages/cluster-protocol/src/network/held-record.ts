import { compareBytes, toHex } from '../base/index.js';
import type { CryptoProvider } from '../crypto/provider.js';
import type { InvitationCertificate, MembershipCertificate } from './certificate.js';
import { roleRank } from './identity.js';
import { RECORD_KINDS, encodeRecord, recordKey, type RecordContent, type StateRecord } from './record.js';
import { compareVersions } from './state-version.js';

/** A record whose signature was checked, with what comparisons need. */
export interface HeldRecord<C extends RecordContent = RecordContent> {
  readonly record: StateRecord & { readonly content: C };
  readonly encoded: Uint8Array;
  readonly hash: Uint8Array;
  /** Kind and key: records of one slot replace each other. */
  readonly slot: string;
  /** Author, and what must not be replaced by its opposite: of each, a slot keeps the newest. */
  readonly strand: string;
  /** Hexadecimal key id of the author. */
  readonly author: string;
  /** The invitation inside a member's credential. */
  readonly invitation: InvitationCertificate | undefined;
}

/** Prepares a record for comparison. */
export function holdRecord(
  crypto: CryptoProvider,
  record: StateRecord,
  invitation?: InvitationCertificate,
): HeldRecord {
  const { content } = record;
  const encoded = encodeRecord(record);
  const author = toHex(record.author);
  const opposite =
    (content.kind === 'authority' && content.retired) || (content.kind === 'revocation' && content.withdrawn);
  return {
    record,
    encoded,
    hash: crypto.blake2b(32, encoded),
    slot: `${RECORD_KINDS.indexOf(content.kind)}:${toHex(recordKey(content))}`,
    strand: opposite ? `${author}!` : author,
    author,
    invitation,
  };
}

/** Whether a held record is of one kind. */
export function isHeldOf<K extends RecordContent['kind']>(
  held: HeldRecord,
  kind: K,
): held is HeldRecord<Extract<RecordContent, { kind: K }>> {
  return held.record.content.kind === kind;
}

/** The certificate that a member record is about. */
export const leafOf = (held: HeldRecord): MembershipCertificate | undefined =>
  held.record.content.kind === 'member' ? held.record.content.credential.leaf : undefined;

/** How much the role in a member record weighs; 0 for all other records. */
export const rankOf = (held: HeldRecord): 0 | 1 | 2 => {
  const leaf = leafOf(held);
  return leaf ? roleRank(leaf.role) : 0;
};

/**
 * The written rule by which one of two records of a slot wins: a member record that proves a higher role, then the
 * newer order, then the greater BLAKE2b-256 of the encoding. Positive when `a` wins.
 */
export const compareHeld = (a: HeldRecord, b: HeldRecord): number =>
  rankOf(a) - rankOf(b) || compareVersions(a.record.order, b.record.order) || compareBytes(a.hash, b.hash);

/** The one that wins by {@link compareHeld}. */
export const winnerOf = <H extends HeldRecord>(candidates: Iterable<H>): H | undefined => {
  let winner: H | undefined;
  for (const candidate of candidates) if (!winner || compareHeld(candidate, winner) > 0) winner = candidate;
  return winner;
};
