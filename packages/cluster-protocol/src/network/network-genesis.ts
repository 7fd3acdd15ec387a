import { days, randomBytes, wallTime } from '../base/index.js';
import type { RandomSource, WallTime } from '../base/index.js';
import type { CryptoProvider, KeyPair } from '../crypto/provider.js';
import { signAuthority, signMembership, type AuthorityCertificate } from './certificate.js';
import type { Credential } from './credential.js';
import { createNodeKeys, randomNodeId, randomSerial, type NodeKeys } from './identity.js';
import { networkIdOf } from './network-id.js';
import { NO_VERSION } from './state-version.js';

/** Life of what the root signs, for an NMN and for the first owner: long, because the root key may lie in a safe. */
export const AUTHORITY_LIFE: number = days(3652);

/** What exists when a network was made, before any NMN knows of it. */
export interface NetworkGenesis {
  /** The root key pair. It is written to a file of the creator's choice and needed again only to replace an NMN. */
  readonly root: KeyPair;
  readonly network: Uint8Array;
  readonly ownerKeys: NodeKeys;
  /** The first owner's membership, signed by the root itself. */
  readonly ownerCredential: Credential;
}

/** Who creates a network. */
export interface GenesisOptions {
  /** Name of the person, for the owner's certificate; at most 64 bytes. */
  readonly user: string;
  readonly now: WallTime;
  /** The first owner's keys; new ones are made where there are none. */
  readonly ownerKeys?: NodeKeys;
}

/** Makes a network: its root key and its first owner, a client. All of it stays in the caller's process. */
export function createNetwork(
  crypto: CryptoProvider,
  random: RandomSource,
  { user, now, ownerKeys = createNodeKeys(crypto, random) }: GenesisOptions,
): NetworkGenesis {
  const root = crypto.signingKeyPair(randomBytes(random, 32));
  const network = networkIdOf(crypto, root.publicKey);
  const leaf = signMembership(crypto, root, {
    network,
    nodeId: randomNodeId(random),
    kind: 'client',
    signingKey: ownerKeys.signing.publicKey,
    staticKey: ownerKeys.static.publicKey,
    user,
    role: 'owner',
    issuedAt: now,
    notBefore: now,
    // Only the root key could renew it, and that may lie in a safe: it lives as long as what else the root signs.
    notAfter: wallTime(now + AUTHORITY_LIFE),
    serial: randomSerial(random),
    stateVersion: NO_VERSION,
    extensions: [],
  });
  return { root, network, ownerKeys, ownerCredential: { leaf, issuers: [] } };
}

/** The public keys of an NMN that is to serve a network. */
export interface NmnKeys {
  /** Ed25519; made by the NMN for this network alone. */
  readonly authorityKey: Uint8Array;
  /** X25519. */
  readonly staticKey: Uint8Array;
}

/** What the root signs to put an NMN in charge. */
export interface NmnAuthorization {
  readonly authority: AuthorityCertificate;
  /** The NMN's own membership, of kind `nmn`, signed by the root. */
  readonly nmnCredential: Credential;
}

/** Puts an NMN in charge of a network; `number` is 1 for the first one and never used twice. */
export function authorizeNmn(
  crypto: CryptoProvider,
  random: RandomSource,
  root: KeyPair,
  nmn: NmnKeys,
  { number, now }: { readonly number: number; readonly now: WallTime },
): NmnAuthorization {
  const network = networkIdOf(crypto, root.publicKey);
  const life = { issuedAt: now, notBefore: now, notAfter: wallTime(now + AUTHORITY_LIFE) };
  const authority = signAuthority(crypto, root, {
    network,
    number,
    signingKey: nmn.authorityKey,
    staticKey: nmn.staticKey,
    pathLength: 0,
    ...life,
    extensions: [],
  });
  const leaf = signMembership(crypto, root, {
    network,
    nodeId: randomNodeId(random),
    kind: 'nmn',
    signingKey: nmn.authorityKey,
    staticKey: nmn.staticKey,
    user: '',
    role: 'none',
    ...life,
    serial: randomSerial(random),
    stateVersion: NO_VERSION,
    extensions: [],
  });
  return { authority, nmnCredential: { leaf, issuers: [] } };
}
