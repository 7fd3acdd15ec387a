import { concatBytes, sameBytes, toHex } from '../base/index.js';
import type { WallTime } from '../base/index.js';
import type { CryptoProvider } from '../crypto/provider.js';
import {
  encodeCertificate,
  isSignedBy,
  type AuthorityCertificate,
  type Certificate,
  type InvitationCertificate,
  type MembershipCertificate,
} from './certificate.js';
import { decodeInvitationProof, verifyClaim, type InvitationProof } from './claim.js';
import { encodeCredential, type Credential } from './credential.js';
import { EXTENSIONS } from './extension.js';
import { keyIdOf, roleRank, type NodeKind, type Role } from './identity.js';
import type { TimeView } from './trusted-time.js';

/** Most certificates above the leaf; the root is not counted. */
export const MAX_CHAIN_LENGTH = 4;

/** Why a credential was refused (docs/spec/05-network.md, section 4). */
export const CREDENTIAL_REFUSALS = [
  'malformed',
  'wrongNetwork',
  'wrongKind',
  'wrongNode',
  'wrongKey',
  'chainTooLong',
  'brokenChain',
  'leafAsIssuer',
  'wrongIssuer',
  'authorityRetired',
  'badSignature',
  'unknownCritical',
  'roleNotGranted',
  'inviterUnknown',
  'inviterRevoked',
  'revoked',
  'notYetValid',
  'expired',
] as const;

/** One of {@link CREDENTIAL_REFUSALS}. */
export type CredentialRefusal = (typeof CREDENTIAL_REFUSALS)[number];

/** A credential was refused. */
export interface Refused {
  readonly ok: false;
  readonly refusal: CredentialRefusal;
}

/** The names under which a node may have been revoked; any one is enough. */
export interface Revocable {
  readonly serial?: number;
  readonly nodeId?: number;
  readonly signingKey?: Uint8Array;
  readonly staticKey?: Uint8Array;
}

/** An owner or admin, as the one who reads an invitation knows it. */
export interface Inviter {
  readonly certificate: MembershipCertificate;
  /** Invitations issued later do not count: the inviter was revoked. Absent: it was not. */
  readonly invitationsUntil?: WallTime;
}

/** What the verifier knows. `NetworkState.trust` makes one. */
export interface VerificationContext {
  readonly network: Uint8Array;
  /** Ed25519 public key of the network's root. */
  readonly rootKey: Uint8Array;
  readonly time: TimeView;
  isRevoked(names: Revocable): boolean;
  /** Whether the authority of this number was taken out of service. */
  isRetired(authorityNumber: number): boolean;
  /** The owner or admin whose signing key has this id. */
  inviter(keyId: Uint8Array): Inviter | undefined;
  /** The keys that this node id is known to have; a certificate with others is refused as `wrongKey`. */
  knownKeys?(nodeId: number): { readonly signingKey: Uint8Array; readonly staticKey: Uint8Array } | undefined;
  /** Spares the signatures of credentials seen before. */
  readonly cache?: VerificationCache;
}

/** What the verifier expects of this very credential; absent fields are not compared. */
export interface Expectation {
  readonly nodeId?: number;
  readonly kinds?: readonly NodeKind[];
  /** The static key that the handshake proved. */
  readonly staticKey?: Uint8Array;
}

/** The outcome of {@link verifyCredential}. `graceful`: past its end, but good among members without contact to the NMN. */
export type Verification =
  { readonly ok: true; readonly leaf: MembershipCertificate; readonly graceful: boolean } | Refused;

/** Credentials and invitations whose signatures were found good, by hash; failures are not kept, else strangers would fill it. */
export class VerificationCache {
  readonly #known = new Set<string>();
  readonly #limit: number;

  /** `limit`: entries of about 100 bytes; the oldest makes room. */
  constructor(limit = 1024) {
    this.#limit = limit;
  }

  has(key: string): boolean {
    return this.#known.has(key);
  }

  add(key: string): void {
    const oldest = this.#known.size >= this.#limit ? this.#known.values().next() : undefined;
    if (oldest?.done === false) this.#known.delete(oldest.value);
    this.#known.add(key);
  }
}

const refuse = (refusal: CredentialRefusal): Refused => ({ ok: false, refusal });

/** What {@link verifyChain} found in a credential. */
export interface VerifiedChain {
  readonly ok: true;
  /** Who signed the leaf; absent: the root. */
  readonly authority: AuthorityCertificate | undefined;
  readonly authorities: readonly AuthorityCertificate[];
  /** Present when the leaf carries one; the inviter's signature on it is not checked yet. */
  readonly proof: InvitationProof | undefined;
}

/**
 * Checks what does not change with time: network, chain, signatures, extensions, and that the kind and role are ones
 * the issuer may give. Costs at most 6 signatures.
 */
export function verifyChain(
  crypto: CryptoProvider,
  credential: Credential,
  root: Pick<VerificationContext, 'network' | 'rootKey' | 'cache'>,
): VerifiedChain | Refused {
  const { leaf, issuers } = credential;
  const chain: readonly Certificate[] = [leaf, ...issuers];
  if (chain.some(certificate => !sameBytes(certificate.network, root.network))) return refuse('wrongNetwork');
  if (issuers.length > MAX_CHAIN_LENGTH) return refuse('chainTooLong');
  const authorities: AuthorityCertificate[] = [];
  for (const [above, issuer] of issuers.entries()) {
    if (issuer.type === 'membership') return refuse('leafAsIssuer');
    if (issuer.type !== 'authority' || issuer.extensions.some(({ critical }) => critical))
      return refuse(issuer.type === 'authority' ? 'unknownCritical' : 'wrongIssuer');
    if (issuer.pathLength < above) return refuse('chainTooLong');
    authorities.push(issuer);
  }
  const unknown = leaf.extensions.some(({ id, critical }) => critical && id !== EXTENSIONS.invitation);
  if (unknown) return refuse('unknownCritical');

  const proof = proofOf(leaf);
  if (proof === 'malformed') return refuse('malformed');
  if (authorities.length > 0) {
    if (leaf.kind === 'nmn') return refuse('wrongKind');
    if (roleRank(leaf.role) > 0 && proof === undefined) return refuse('roleNotGranted');
  }
  if (proof !== undefined && !names(proof.invitation, leaf)) return refuse('roleNotGranted');

  const cacheKey =
    root.cache && toHex(crypto.blake2b(32, concatBytes(root.rootKey, encodeCredential(credential))));
  if (cacheKey === undefined || root.cache?.has(cacheKey) !== true) {
    const refusal = checkSignatures(crypto, chain, authorities, root, proof);
    if (refusal !== undefined) return refuse(refusal);
    if (cacheKey !== undefined) root.cache?.add(cacheKey);
  }
  return { ok: true, authority: authorities[0], authorities, proof };
}

function checkSignatures(
  crypto: CryptoProvider,
  chain: readonly Certificate[],
  authorities: readonly AuthorityCertificate[],
  { rootKey, cache }: Pick<VerificationContext, 'rootKey' | 'cache'>,
  proof: InvitationProof | undefined,
): CredentialRefusal | undefined {
  const keys = [...authorities.map(({ signingKey }) => signingKey), rootKey];
  for (const [i, certificate] of chain.entries()) {
    if (sameBytes(certificate.issuer, keyIdOf(crypto, keys[i]!))) continue;
    // The last one claims to be signed by somebody else than the root: the chain may be good, of another tree.
    return i === chain.length - 1 ? 'wrongIssuer' : 'brokenChain';
  }
  // From the root downwards, so that nothing below a forged issuer costs a signature.
  for (let i = chain.length - 1; i >= 0; i--)
    // The leaf is not looked up: a hit on the whole credential has spared it already.
    if (!signedBy(crypto, chain[i]!, keys[i]!, i > 0 ? cache : undefined)) return 'badSignature';
  const leaf = chain[0]!;
  if (proof === undefined || leaf.type !== 'membership') return undefined;
  const { claimKey } = proof.invitation;
  return verifyClaim(crypto, claimKey, leaf.network, leaf, proof.claimSignature) ? undefined : 'badSignature';
}

function proofOf(leaf: MembershipCertificate): InvitationProof | undefined | 'malformed' {
  const extension = leaf.extensions.find(({ id }) => id === EXTENSIONS.invitation);
  if (extension === undefined) return undefined;
  const proof = decodeInvitationProof(extension.bytes);
  return proof.ok && extension.critical ? proof.value : 'malformed';
}

const names = (invitation: InvitationCertificate, leaf: MembershipCertificate): boolean =>
  sameBytes(invitation.network, leaf.network) &&
  invitation.nodeId === leaf.nodeId &&
  invitation.kind === leaf.kind &&
  invitation.role === leaf.role &&
  invitation.user === leaf.user;

/** Whether somebody of role `inviter` may give `granted`: an owner everything, an admin everything below owner. */
export const mayGrant = (inviter: Role, granted: Role): boolean =>
  roleRank(inviter) > 0 && roleRank(inviter) >= roleRank(granted);

/**
 * Whether `inviter` signed this invitation and may grant what it says. An inviter whose certificate has run out since
 * keeps what it gave; one that was revoked keeps what it gave before the moment its revocation names.
 */
export function checkInvitation(
  crypto: CryptoProvider,
  invitation: InvitationCertificate,
  inviter: Inviter,
  cache?: VerificationCache,
): CredentialRefusal | undefined {
  const { certificate, invitationsUntil } = inviter;
  if (!mayGrant(certificate.role, invitation.role)) return 'roleNotGranted';
  if (invitationsUntil !== undefined && invitation.issuedAt > invitationsUntil) return 'inviterRevoked';
  return signedBy(crypto, invitation, certificate.signingKey, cache) ? undefined : 'badSignature';
}

function signedBy(
  crypto: CryptoProvider,
  certificate: Certificate,
  key: Uint8Array,
  cache: VerificationCache | undefined,
): boolean {
  if (cache === undefined) return isSignedBy(crypto, certificate, key);
  const cacheKey = toHex(crypto.blake2b(32, concatBytes(key, encodeCertificate(certificate))));
  if (cache.has(cacheKey)) return true;
  const good = isSignedBy(crypto, certificate, key);
  if (good) cache.add(cacheKey);
  return good;
}

/** Decides whether a node is the member that its credential says. Cheap checks come first, signatures last but time. */
export function verifyCredential(
  crypto: CryptoProvider,
  credential: Credential,
  context: VerificationContext,
  expectation: Expectation = {},
): Verification {
  const { leaf } = credential;
  if (!sameBytes(leaf.network, context.network)) return refuse('wrongNetwork');
  if (expectation.kinds?.includes(leaf.kind) === false) return refuse('wrongKind');
  if (expectation.nodeId !== undefined && expectation.nodeId !== leaf.nodeId) return refuse('wrongNode');
  if (expectation.staticKey && !sameBytes(expectation.staticKey, leaf.staticKey)) return refuse('wrongKey');
  if (context.isRevoked(leaf)) return refuse('revoked');

  const chain = verifyChain(crypto, credential, context);
  if (!chain.ok) return chain;
  if (chain.authorities.some(({ number }) => context.isRetired(number))) return refuse('authorityRetired');
  const known = context.knownKeys?.(leaf.nodeId);
  if (known && !(sameBytes(known.signingKey, leaf.signingKey) && sameBytes(known.staticKey, leaf.staticKey)))
    return refuse('wrongKey');

  if (chain.proof !== undefined) {
    const refusal = judgeInvitation(crypto, chain.proof.invitation, context);
    if (refusal !== undefined) return refuse(refusal);
  }
  let graceful = false;
  for (const { notBefore, notAfter } of [leaf, ...chain.authorities]) {
    const verdict = context.time.judge(notBefore, notAfter);
    if (verdict === 'expired' || verdict === 'notYetValid') return refuse(verdict);
    graceful ||= verdict === 'graceful';
  }
  return { ok: true, leaf, graceful };
}

function judgeInvitation(
  crypto: CryptoProvider,
  invitation: InvitationCertificate,
  context: VerificationContext,
): CredentialRefusal | undefined {
  if (sameBytes(invitation.issuer, keyIdOf(crypto, context.rootKey)))
    return signedBy(crypto, invitation, context.rootKey, context.cache) ? undefined : 'badSignature';
  const inviter = context.inviter(invitation.issuer);
  return inviter ? checkInvitation(crypto, invitation, inviter, context.cache) : 'inviterUnknown';
}
