import { malformed, parsed } from '../base/index.js';
import type { Parsed } from '../base/index.js';
import { Reader } from '../wire/reader.js';
import { encodeWith } from '../wire/writer.js';
import {
  MAX_CERTIFICATE_LENGTH,
  decodeCertificate,
  decodeCertificateOf,
  encodeCertificate,
  type Certificate,
  type MembershipCertificate,
} from './certificate.js';

/** Longest encoded credential: with a name it still fits the body of a member record. */
export const MAX_CREDENTIAL_LENGTH = 1920;

/** What a node shows to prove its membership: its certificate, and the certificates of those who stand behind it. */
export interface Credential {
  readonly leaf: MembershipCertificate;
  /**
   * Who signed the leaf, who signed that one, and so on; the network's root key, which signed the last, is implied. Empty
   * when the root signed the leaf itself. A decoded credential may hold certificates here that may not issue:
   * `verifyCredential` refuses them.
   */
  readonly issuers: readonly Certificate[];
}

/** The one encoding of a credential. */
export function encodeCredential(credential: Credential): Uint8Array {
  return encodeWith(MAX_CREDENTIAL_LENGTH, writer => {
    writer.block(encodeCertificate(credential.leaf)).uint8(credential.issuers.length);
    for (const issuer of credential.issuers) writer.block(encodeCertificate(issuer));
  });
}

/** The inverse of {@link encodeCredential}; nothing is verified yet. */
export function decodeCredential(bytes: Uint8Array): Parsed<Credential> {
  if (bytes.length > MAX_CREDENTIAL_LENGTH) return malformed;
  const reader = new Reader(bytes);
  const leaf = decodeCertificateOf('membership', reader.block(MAX_CERTIFICATE_LENGTH));
  const count = reader.uint8();
  const issuers: Certificate[] = [];
  for (let i = 0; i < count && !reader.failed; i++) {
    const issuer = decodeCertificate(reader.block(MAX_CERTIFICATE_LENGTH));
    if (!issuer.ok) return malformed;
    issuers.push(issuer.value);
  }
  return reader.complete && leaf.ok ? parsed({ leaf: leaf.value, issuers }) : malformed;
}
