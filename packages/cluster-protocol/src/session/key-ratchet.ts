import { ClusterError, encodeText, type RandomSource } from '../base/index.js';
import { HandshakeState, type HandshakeRole, type TransportKeys } from '../crypto/index.js';
import type { CryptoProvider, KeyPair } from '../crypto/provider.js';
import { encodeWith } from '../wire/index.js';
import { isLowerKey } from './handshake-packets.js';
import type { RekeyAnswer, RekeyNoise, RekeyOffer } from './rekey-noise.js';

/** The one suite of a rekey (docs/spec/02-handshake.md, "Rekey"): both know each other, so no key travels. */
export const REKEY_SUITE = 'Noise_KKpsk0_25519_ChaChaPoly_BLAKE2b';

/** Names the exported key that is the psk of the next exchange. */
export const REKEY_EXPORT = 'rekey';

const PROLOGUE_LABEL = encodeText('coconet rekey v1');
const EMPTY = new Uint8Array(0);

/** What a ratchet is made of, right after a handshake. */
export interface KeyRatchetOptions {
  readonly provider: CryptoProvider;
  readonly random: RandomSource;
  readonly staticKey: KeyPair;
  readonly remoteStatic: Uint8Array;
  /** Our receiver index. */
  readonly localIndex: number;
  /** The peer's receiver index. */
  readonly remoteIndex: number;
  /** The exported key {@link REKEY_EXPORT} of the handshake; owned by the ratchet from now on, which overwrites it. */
  readonly secret: Uint8Array;
}

/**
 * Makes the next keys of a session by a fresh Diffie-Hellman exchange under a secret that the one before left. Each
 * exchange overwrites that secret with the next: who learns everything a node knows now opens nothing of what came before.
 */
export class KeyRatchet implements RekeyNoise {
  readonly prevails: boolean;
  readonly #options: KeyRatchetOptions;
  readonly #secret: Uint8Array;

  constructor(options: KeyRatchetOptions) {
    this.#options = options;
    this.#secret = options.secret;
    this.prevails = isLowerKey(options.staticKey.publicKey, options.remoteStatic);
  }

  offer(generation: number): RekeyOffer {
    const noise = this.#noise('initiator', generation);
    return {
      message: noise.writeMessage(EMPTY),
      finish: answer => (reads(noise, answer) ? this.#advance(noise) : undefined),
      destroy: () => {
        noise.destroy();
      },
    };
  }

  answer(generation: number, message: Uint8Array): RekeyAnswer | undefined {
    const noise = this.#noise('responder', generation);
    if (!reads(noise, message)) return undefined;
    return { message: noise.writeMessage(EMPTY), keys: this.#advance(noise) };
  }

  destroy(): void {
    this.#options.provider.zero(this.#secret);
  }

  #noise(role: HandshakeRole, generation: number): HandshakeState {
    const { provider, random, staticKey, remoteStatic, localIndex, remoteIndex } = this.#options;
    const [offerer, answerer] = role === 'initiator' ? [localIndex, remoteIndex] : [remoteIndex, localIndex];
    return new HandshakeState({
      provider,
      random,
      protocolName: REKEY_SUITE,
      role,
      prologue: encodeWith(PROLOGUE_LABEL.length + 14, writer =>
        writer.bytes(PROLOGUE_LABEL).uint32(offerer).uint32(answerer).uint48(generation),
      ),
      staticKeyPair: staticKey,
      remoteStatic,
      psks: [this.#secret],
    });
  }

  /** The keys of a completed exchange; its secret takes the place of the one before. */
  #advance(noise: HandshakeState): TransportKeys {
    const { provider } = this.#options;
    const keys = noise.transportKeys();
    const next = noise.exportKey(REKEY_EXPORT);
    this.#secret.set(next);
    provider.zero(next);
    noise.destroy();
    return keys;
  }
}

/** Whether a message is the peer's; if not, the exchange is over and overwritten. A payload is of a later version. */
function reads(noise: HandshakeState, message: Uint8Array): boolean {
  try {
    noise.readMessage(message);
    return true;
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    return false;
  }
}
