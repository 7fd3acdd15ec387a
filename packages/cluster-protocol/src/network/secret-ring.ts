import { malformed, parsed, type Parsed, sameBytes } from '../base/index.js';
import { encodeWith, Reader } from '../wire/index.js';

/** Bytes of a network secret. */
export const NETWORK_SECRET_LENGTH = 32;

/** The network secret of one epoch: the pre-shared key of `member` sessions. */
export interface NetworkSecret {
  readonly epoch: number;
  readonly secret: Uint8Array;
}

/**
 * The current network secret and the one before it; both are accepted, so that a revocation cuts off the revoked node
 * and nobody else (docs/spec/02-handshake.md, "Session kinds").
 */
export class SecretRing {
  #current: NetworkSecret | undefined;
  #previous: NetworkSecret | undefined;

  /** The epoch of the current secret; 0: none is known. */
  get epoch(): number {
    return this.#current?.epoch ?? 0;
  }

  get current(): NetworkSecret | undefined {
    return this.#current;
  }

  /** The secret of `epoch`, if it is one of the two. */
  secretOf(epoch: number): Uint8Array | undefined {
    return [this.#current, this.#previous].find(secret => secret?.epoch === epoch)?.secret;
  }

  /** Takes in a secret. False: it is no newer than the current one. */
  add(secret: NetworkSecret): boolean {
    if (secret.epoch <= this.epoch || secret.secret.length !== NETWORK_SECRET_LENGTH) return false;
    this.#previous = this.#current;
    this.#current = secret;
    return true;
  }

  /** What the NMN says of the current epoch replaces what a peer said. False: it says the same, or speaks of another epoch. */
  correct({ epoch, secret }: NetworkSecret): boolean {
    const current = this.#current;
    if (current?.epoch !== epoch || secret.length !== NETWORK_SECRET_LENGTH) return false;
    if (sameBytes(current.secret, secret)) return false;
    this.#current = { epoch, secret };
    return true;
  }

  /** For the node's own store only. */
  snapshot(): Uint8Array {
    const held = [this.#previous, this.#current].filter(secret => secret !== undefined);
    return encodeWith(100, writer => {
      writer.uint8(held.length);
      for (const { epoch, secret } of held) writer.varint(epoch).bytes(secret);
    });
  }

  static restore(bytes: Uint8Array): Parsed<SecretRing> {
    const reader = new Reader(bytes);
    const ring = new SecretRing();
    const count = reader.uint8();
    for (let i = 0; i < count && !reader.failed; i++)
      ring.add({ epoch: reader.varint(), secret: reader.bytes(NETWORK_SECRET_LENGTH).slice() });
    return reader.complete ? parsed(ring) : malformed;
  }
}
