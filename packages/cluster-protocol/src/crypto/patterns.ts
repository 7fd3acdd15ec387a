import { ClusterError } from '../base/index.js';
import type { HashName } from './provider.js';

/** A step of a handshake message (Noise paper, revision 34, section 5.3 and 9.2). */
export type Token = 'e' | 's' | 'ee' | 'es' | 'se' | 'ss' | 'psk';

/** Who sends a message or owns a key. */
export type Role = 'initiator' | 'responder';

/** A handshake pattern as the paper writes it. */
interface FundamentalPattern {
  /** Whose static key the other side knows before the first message. */
  readonly known: readonly Role[];
  /** The messages in turn; the initiator sends the first. */
  readonly messages: readonly (readonly Token[])[];
}

const KNOWN_RESPONDER: readonly Role[] = ['responder'];
const KNOWN_INITIATOR: readonly Role[] = ['initiator'];
const KNOWN_BOTH: readonly Role[] = ['initiator', 'responder'];

/** The one-way patterns (section 7.4) and the fundamental interactive ones (section 7.5). */
const FUNDAMENTAL_PATTERNS: Readonly<Record<string, FundamentalPattern>> = {
  N: { known: KNOWN_RESPONDER, messages: [['e', 'es']] },
  K: { known: KNOWN_BOTH, messages: [['e', 'es', 'ss']] },
  X: { known: KNOWN_RESPONDER, messages: [['e', 'es', 's', 'ss']] },
  NN: { known: [], messages: [['e'], ['e', 'ee']] },
  NK: {
    known: KNOWN_RESPONDER,
    messages: [
      ['e', 'es'],
      ['e', 'ee'],
    ],
  },
  NX: { known: [], messages: [['e'], ['e', 'ee', 's', 'es']] },
  KN: { known: KNOWN_INITIATOR, messages: [['e'], ['e', 'ee', 'se']] },
  KK: {
    known: KNOWN_BOTH,
    messages: [
      ['e', 'es', 'ss'],
      ['e', 'ee', 'se'],
    ],
  },
  KX: { known: KNOWN_INITIATOR, messages: [['e'], ['e', 'ee', 'se', 's', 'es']] },
  XN: { known: [], messages: [['e'], ['e', 'ee'], ['s', 'se']] },
  XK: {
    known: KNOWN_RESPONDER,
    messages: [
      ['e', 'es'],
      ['e', 'ee'],
      ['s', 'se'],
    ],
  },
  XX: { known: [], messages: [['e'], ['e', 'ee', 's', 'es'], ['s', 'se']] },
  IN: {
    known: [],
    messages: [
      ['e', 's'],
      ['e', 'ee', 'se'],
    ],
  },
  IK: {
    known: KNOWN_RESPONDER,
    messages: [
      ['e', 'es', 's', 'ss'],
      ['e', 'ee', 'se'],
    ],
  },
  IX: {
    known: [],
    messages: [
      ['e', 's'],
      ['e', 'ee', 'se', 's', 'es'],
    ],
  },
};

const HASH_NAMES: readonly HashName[] = ['SHA256', 'SHA512', 'BLAKE2s', 'BLAKE2b'];

/** What a Noise protocol name says. */
export interface NoiseProtocol {
  /** The name itself, which is hashed into the handshake. */
  readonly name: string;
  readonly hash: HashName;
  /** Whose static public keys are mixed in before the first message, in this order. */
  readonly known: readonly Role[];
  readonly messages: readonly (readonly Token[])[];
  /** How many `psk` tokens there are. */
  readonly pskCount: number;
  /** Whether only the initiator ever sends, before and after the handshake. */
  readonly oneWay: boolean;
}

/** Our names are shorter than 40 bytes; a longer one is not a name. */
const MAX_NAME_LENGTH = 255;

/**
 * Reads a name such as `Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b`: any fundamental pattern, with any `psk` modifiers in
 * ascending order joined by `+`; X25519; ChaCha20-Poly1305; and one of four hashes. Throws `INVALID_ARGUMENT` that says
 * which part is wrong.
 */
export function parseProtocolName(name: string): NoiseProtocol {
  const parts = name.length <= MAX_NAME_LENGTH ? name.split('_') : [];
  const [noise, patternName, dh, cipher, hashName] = parts;
  if (parts.length !== 5 || noise !== 'Noise' || patternName === undefined)
    throw refused(name, 'a name reads Noise_PATTERN_25519_ChaChaPoly_HASH');
  if (dh !== '25519') throw refused(name, `the DH function ${dh} is unknown; use 25519`);
  if (cipher !== 'ChaChaPoly') throw refused(name, `the cipher ${cipher} is unknown; use ChaChaPoly`);
  const hash = HASH_NAMES.find(known => known === hashName);
  if (hash === undefined)
    throw refused(name, `the hash ${hashName} is unknown; use ${HASH_NAMES.join(', ')}`);
  const [, base = '', modifiers = ''] = /^([A-Z]{1,2})(.*)$/.exec(patternName) ?? [];
  const pattern = Object.hasOwn(FUNDAMENTAL_PATTERNS, base) ? FUNDAMENTAL_PATTERNS[base] : undefined;
  if (pattern === undefined)
    throw refused(
      name,
      `the pattern ${patternName} is unknown; use one of ${Object.keys(FUNDAMENTAL_PATTERNS).join(', ')}`,
    );
  const places = pskPlaces(name, modifiers, pattern.messages.length);
  return {
    name,
    hash,
    known: pattern.known,
    messages: withPsks(pattern.messages, places),
    pskCount: places.length,
    oneWay: pattern.messages.length === 1,
  };
}

function pskPlaces(name: string, modifiers: string, messageCount: number): number[] {
  if (modifiers === '') return [];
  const places: number[] = [];
  for (const modifier of modifiers.split('+')) {
    const place = /^psk([0-9])$/.exec(modifier)?.[1];
    if (place === undefined)
      throw refused(name, `the modifier ${modifier} is unknown; use psk0, psk1 and so on`);
    if (Number(place) > messageCount)
      throw refused(name, `${modifier} needs a message ${place}, and there are ${messageCount}`);
    if (Number(place) <= (places.at(-1) ?? -1))
      throw refused(name, 'psk modifiers go in ascending order, each once');
    places.push(Number(place));
  }
  return places;
}

/** `psk0` goes before the first message's tokens, `pskN` behind those of message N (section 9.2). */
function withPsks(
  messages: FundamentalPattern['messages'],
  places: readonly number[],
): readonly (readonly Token[])[] {
  return messages.map((tokens, index): readonly Token[] => [
    ...(index === 0 && places.includes(0) ? (['psk'] as const) : []),
    ...tokens,
    ...(places.includes(index + 1) ? (['psk'] as const) : []),
  ]);
}

function refused(name: string, why: string): ClusterError {
  return new ClusterError('INVALID_ARGUMENT', `unusable Noise protocol name ${JSON.stringify(name)}: ${why}`);
}
