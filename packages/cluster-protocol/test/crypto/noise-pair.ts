import {
  type CryptoProvider,
  HandshakeState,
  type KeyPair,
  parseProtocolName,
  type HandshakeRole as Role,
} from '../../src/crypto/index.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { nodeProvider } from './providers.js';

export const FUNDAMENTAL = 'N K X NN NK NX KN KK KX XN XK XX IN IK IX'.split(' ');

/** Every pattern alone, with each psk place, and with all of them at once. */
export const ALL_PATTERNS: readonly string[] = FUNDAMENTAL.flatMap(pattern => {
  const messages = parseProtocolName(`Noise_${pattern}_25519_ChaChaPoly_SHA256`).messages.length;
  const places = Array.from({ length: messages + 1 }, (_, place) => `psk${place}`);
  return [pattern, ...places.map(place => pattern + place), pattern + places.join('+')];
});

export const protocolName = (pattern: string, hash = 'BLAKE2b'): string =>
  `Noise_${pattern}_25519_ChaChaPoly_${hash}`;

/** What a pair of handshake states is made from; keys given or drawn from the seed. */
export interface PairOptions {
  readonly provider?: CryptoProvider;
  readonly seed?: number;
  readonly prologue?: Uint8Array;
  readonly psks?: readonly Uint8Array[];
  readonly statics?: Readonly<Partial<Record<Role, KeyPair>>>;
  readonly ephemerals?: Readonly<Partial<Record<Role, KeyPair>>>;
}

/** Both sides of one handshake, each with exactly the keys that its pattern asks for. */
export function handshakePair(name: string, options: PairOptions = {}): Record<Role, HandshakeState> {
  const provider = options.provider ?? nodeProvider;
  const random = new SeededRandom(options.seed ?? 1);
  const drawn = (): Uint8Array => {
    const bytes = new Uint8Array(32);
    random.fill(bytes);
    return bytes;
  };
  const protocol = parseProtocolName(name);
  const statics: Record<Role, KeyPair> = {
    initiator: options.statics?.initiator ?? provider.dhKeyPair(drawn()),
    responder: options.statics?.responder ?? provider.dhKeyPair(drawn()),
  };
  const psks = options.psks ?? Array.from({ length: protocol.pskCount }, drawn);
  const side = (role: Role, other: Role): HandshakeState => {
    const ephemeral = options.ephemerals?.[role];
    return new HandshakeState({
      provider,
      random: random.fork(role),
      protocolName: name,
      role,
      prologue: options.prologue ?? new Uint8Array(0),
      psks,
      ...(hasStatic(name, role) && { staticKeyPair: statics[role] }),
      ...(protocol.known.includes(other) && { remoteStatic: statics[other].publicKey }),
      ...(ephemeral !== undefined && { ephemeral }),
    });
  };
  return { initiator: side('initiator', 'responder'), responder: side('responder', 'initiator') };
}

/** Who sends message `index`. */
export const sender = (index: number): Role => (index % 2 === 0 ? 'initiator' : 'responder');
export const receiver = (index: number): Role => sender(index + 1);

/** Whether the pattern has a static key for this side. */
export function hasStatic(name: string, role: Role): boolean {
  const { known, messages } = parseProtocolName(name);
  return (
    known.includes(role) || messages.some((tokens, index) => sender(index) === role && tokens.includes('s'))
  );
}

/** Exchanges all messages with empty payloads. */
export function complete(name: string, pair: Record<Role, HandshakeState>): void {
  parseProtocolName(name).messages.forEach((_, index) => {
    pair[receiver(index)].readMessage(pair[sender(index)].writeMessage(new Uint8Array(0)));
  });
}
