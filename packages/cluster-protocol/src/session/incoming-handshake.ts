import { ClusterError, concatBytes, encodeTextUpTo, randomBytes, type RandomSource } from '../base/index.js';
import { HandshakeState, Mac1Key } from '../crypto/index.js';
import type { CryptoProvider, KeyPair } from '../crypto/provider.js';
import { firstByte, WIRE_VERSION, Writer } from '../wire/index.js';
import {
  INITIATION_HEADER,
  MAC_LENGTH,
  PAYLOAD_HEADER,
  prologueOf,
  REFUSAL_HEADER,
  REFUSAL_NONCE,
  RESPONSE_HEADER,
  RESPONSE_OVERHEAD,
  unwrapPayload,
  wrapPayload,
} from './handshake-packets.js';
import { REKEY_EXPORT } from './key-ratchet.js';
import { SUITE } from './outgoing-handshake.js';

/** Bytes of UTF-8 in a refusal: one sentence. */
const MAX_REFUSAL_TEXT = 160;

/** A message 1 that was opened: its sender holds the private key of `remoteStatic`. */
export class IncomingHandshake {
  readonly remoteStatic: Uint8Array;
  /** What the application of the initiator says; a view of a buffer of this object. */
  readonly payload: Uint8Array;
  readonly resetToken: Uint8Array;
  readonly #provider: CryptoProvider;
  readonly #noise: HandshakeState;
  readonly #senderIndex: number;
  readonly #requestLength: number;

  private constructor(
    provider: CryptoProvider,
    noise: HandshakeState,
    content: { readonly token: Uint8Array; readonly payload: Uint8Array },
    remoteStatic: Uint8Array,
    senderIndex: number,
    requestLength: number,
  ) {
    this.#provider = provider;
    this.#noise = noise;
    this.remoteStatic = remoteStatic;
    this.payload = content.payload;
    this.resetToken = content.token;
    this.#senderIndex = senderIndex;
    this.#requestLength = requestLength;
  }

  /** Opens message 1 (its mac1 has been checked): two Diffie-Hellman operations. `undefined`: it does not open. */
  static open(
    provider: CryptoProvider,
    random: RandomSource,
    staticKey: KeyPair,
    packet: Uint8Array,
    senderIndex: number,
  ): IncomingHandshake | undefined {
    const noise = new HandshakeState({
      provider,
      random,
      protocolName: SUITE,
      role: 'responder',
      prologue: prologueOf(packet.slice(0, INITIATION_HEADER)),
      staticKeyPair: staticKey,
    });
    try {
      const wrapped = noise.readMessage(packet.subarray(INITIATION_HEADER, packet.length - 2 * MAC_LENGTH));
      const content = unwrapPayload(wrapped);
      const remoteStatic = noise.remoteStatic;
      if (content && remoteStatic)
        return new IncomingHandshake(provider, noise, content, remoteStatic, senderIndex, packet.length);
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
    }
    noise.destroy();
    return undefined;
  }

  /** The initiator's index. */
  get remoteIndex(): number {
    return this.#senderIndex;
  }

  /** Message 2, or `undefined` when it would be longer than message 1 was. */
  respond(
    localIndex: number,
    resetToken: Uint8Array,
    psk: Uint8Array,
    payload: Uint8Array,
  ): Uint8Array | undefined {
    const length = RESPONSE_OVERHEAD + PAYLOAD_HEADER + payload.length;
    if (length > this.#requestLength) return undefined;
    const packet = new Uint8Array(length);
    new Writer(packet)
      .uint8(firstByte('response', 0))
      .uint8(WIRE_VERSION)
      .uint16(0)
      .uint32(localIndex)
      .uint32(this.#senderIndex);
    this.#noise.setPsk(0, psk);
    this.#noise.bind(packet.subarray(0, RESPONSE_HEADER));
    packet.set(this.#noise.writeMessage(wrapPayload(resetToken, payload, 0)), RESPONSE_HEADER);
    const macAt = length - MAC_LENGTH;
    packet.set(new Mac1Key(this.#provider, this.remoteStatic).compute(packet.subarray(0, macAt)), macAt);
    return packet;
  }

  /** A refusal under a key that only the two of us can know; the sentence is cut at a whole character. */
  refuse(random: RandomSource, code: number, text: string): Uint8Array {
    const sentence = encodeTextUpTo(text, MAX_REFUSAL_TEXT);
    const header = new Uint8Array(REFUSAL_HEADER);
    new Writer(header).uint8(firstByte('refusal', 0)).uint8(WIRE_VERSION).uint16(0).uint32(this.#senderIndex);
    const key = this.#noise.exportKey('refusal');
    // The same message 1 may be refused twice, in other words: a random nonce keeps the key usable for that.
    const nonce = randomBytes(random, REFUSAL_NONCE);
    const content = concatBytes(Uint8Array.of(code >> 8, code & 0xff), sentence);
    const sealed = this.#provider.xSeal(key, nonce, header, content);
    this.#provider.zero(key);
    return concatBytes(header, nonce, sealed);
  }

  /** The keys of the session, after {@link respond}. */
  transportKeys(): ReturnType<HandshakeState['transportKeys']> {
    return this.#noise.transportKeys();
  }

  /** What the next keys of the session begin with, after {@link respond}. */
  rekeySecret(): Uint8Array {
    return this.#noise.exportKey(REKEY_EXPORT);
  }

  destroy(): void {
    this.#noise.destroy();
  }
}
