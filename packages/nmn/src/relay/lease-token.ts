import { concatBytes, type CryptoProvider, encodeText } from '@coconet/cluster-protocol/core';
import {
  MAX_SOCKET_ADDRESS,
  type SocketAddress,
  Writer,
  writeSocketAddress,
} from '@coconet/cluster-protocol/wire';

/** Bytes of a lease token: BLAKE2b-128. */
export const LEASE_TOKEN_LENGTH = 16;

const LABEL = encodeText('coconet relay lease v1');

/** What a lease token vouches for. */
export interface LeaseClaim {
  /** 16 bytes. */
  readonly network: Uint8Array;
  readonly nodeId: number;
  readonly channel: number;
  /** The validated address that the leg is bound to. */
  readonly address: SocketAddress;
  /** Milliseconds of this process's monotonic clock, whole. */
  readonly expiresAt: number;
}

/**
 * The token of one leg: keyed BLAKE2b-128 over everything the lease is bound to, so that only who was given it inside
 * its own session can renew it (threat T19). The secret lives as long as the process, like the leases.
 */
export function leaseToken(provider: CryptoProvider, secret: Uint8Array, claim: LeaseClaim): Uint8Array {
  const body = new Uint8Array(16 + 4 + 4 + 6 + MAX_SOCKET_ADDRESS);
  const writer = new Writer(body)
    .bytes(claim.network)
    .uint32(claim.nodeId)
    .uint32(claim.channel)
    .uint48(claim.expiresAt);
  writeSocketAddress(writer, claim.address);
  return provider.blake2b(LEASE_TOKEN_LENGTH, concatBytes(LABEL, writer.written), secret);
}
