import { concatBytes, encodeText, malformed, parsed } from '../base/index.js';
import type { Parsed } from '../base/index.js';
import type { CryptoProvider, KeyPair } from '../crypto/provider.js';
import { Reader } from '../wire/reader.js';
import { encodeWith } from '../wire/writer.js';
import {
  MAX_CERTIFICATE_LENGTH,
  decodeCertificateOf,
  encodeCertificate,
  type InvitationCertificate,
} from './certificate.js';
import { EXTENSIONS, MAX_EXTENSION_LENGTH, type Extension } from './extension.js';
import { SIGNATURE_LENGTH, signLabelled, verifyLabelled } from './identity.js';

/** Bytes of a claim secret: 128 random bits, far beyond guessing. */
export const CLAIM_LENGTH = 16;

/** Bytes of a claim id. */
export const CLAIM_ID_LENGTH = 16;

/** Bytes of a claim MAC. */
export const CLAIM_MAC_LENGTH = 32;

/** The public keys with which a node wants to join. */
export interface JoinerKeys {
  /** Ed25519. */
  readonly signingKey: Uint8Array;
  /** X25519. */
  readonly staticKey: Uint8Array;
}

const derive = (crypto: CryptoProvider, length: number, label: string, claim: Uint8Array): Uint8Array =>
  crypto.blake2b(length, concatBytes(encodeText(label), Uint8Array.of(0), claim));

/** The public name of a claim, by which the NMN finds it: tells nothing about the secret. */
export const claimIdOf = (crypto: CryptoProvider, claim: Uint8Array): Uint8Array =>
  derive(crypto, CLAIM_ID_LENGTH, 'coconet claim id v1', claim);

/** The pre-shared key of a `join` handshake. The NMN stores this and the claim id, never the claim. */
export const claimPskOf = (crypto: CryptoProvider, claim: Uint8Array): Uint8Array =>
  derive(crypto, 32, 'coconet claim psk v1', claim);

/** The Ed25519 key that proves, to those who know an invitation only, that the claim was used for certain keys. */
export const claimKeyPairOf = (crypto: CryptoProvider, claim: Uint8Array): KeyPair =>
  crypto.signingKeyPair(derive(crypto, 32, 'coconet claim key v1', claim));

/** What the invited node shows to whoever made the claim: a MAC over the network and its keys. The NMN cannot make it. */
export function claimMacOf(
  crypto: CryptoProvider,
  claim: Uint8Array,
  network: Uint8Array,
  keys: JoinerKeys,
): Uint8Array {
  const macKey = derive(crypto, 32, 'coconet claim mac v1', claim);
  return crypto.blake2b(CLAIM_MAC_LENGTH, concatBytes(network, keys.signingKey, keys.staticKey), macKey);
}

/** Signs the joiner's keys with the key of the claim. The node id is bound by the invitation, which names the claim key. */
export function signClaim(
  crypto: CryptoProvider,
  claim: Uint8Array,
  network: Uint8Array,
  keys: JoinerKeys,
): Uint8Array {
  return signLabelled(crypto, claimKeyPairOf(crypto, claim), 'coconet claim v1', claimed(network, keys));
}

/** Whether `signature` is one of {@link signClaim} under `claimKey`. */
export function verifyClaim(
  crypto: CryptoProvider,
  claimKey: Uint8Array,
  network: Uint8Array,
  keys: JoinerKeys,
  signature: Uint8Array,
): boolean {
  return verifyLabelled(crypto, claimKey, 'coconet claim v1', claimed(network, keys), signature);
}

const claimed = (network: Uint8Array, keys: JoinerKeys): Uint8Array =>
  concatBytes(network, keys.signingKey, keys.staticKey);

/** What the critical extension `invitation` of a membership certificate holds. */
export interface InvitationProof {
  readonly invitation: InvitationCertificate;
  /** {@link signClaim} over the keys of the certificate. */
  readonly claimSignature: Uint8Array;
}

/** The extension that carries an invitation and its proof. */
export function invitationExtension(proof: InvitationProof): Extension {
  const bytes = encodeWith(MAX_EXTENSION_LENGTH, writer =>
    writer.block(encodeCertificate(proof.invitation)).bytes(proof.claimSignature),
  );
  return { id: EXTENSIONS.invitation, critical: true, bytes };
}

/** The inverse of {@link invitationExtension}. */
export function decodeInvitationProof(bytes: Uint8Array): Parsed<InvitationProof> {
  const reader = new Reader(bytes);
  const invitation = decodeCertificateOf('invitation', reader.block(MAX_CERTIFICATE_LENGTH));
  const claimSignature = reader.bytes(SIGNATURE_LENGTH).slice();
  return reader.complete && invitation.ok
    ? parsed({ invitation: invitation.value, claimSignature })
    : malformed;
}
