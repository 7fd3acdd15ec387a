/**
 * Computes test-vectors/noise-coconet.json, the vectors of our own additions to Noise:
 *
 *   npx tsx --conditions=coconet-source scripts/vectors/noise-coconet.ts > test-vectors/noise-coconet.json
 */
import { encodeText, toHex } from '../../packages/cluster-protocol/src/base/index.js';
import {
  HandshakeState,
  Mac1Key,
  parseProtocolName,
  type HandshakeRole as Role,
} from '../../packages/cluster-protocol/src/crypto/index.js';
import { createCryptoProvider } from '../../packages/cluster-protocol/src/nodejs/crypto-provider.js';
import { SystemRandom } from '../../packages/cluster-protocol/src/nodejs/random.js';

const provider = await createCryptoProvider();
const filled = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
const secrets = {
  initiatorStatic: filled(0x11),
  responderStatic: filled(0x22),
  initiatorEphemeral: filled(0x33),
  responderEphemeral: filled(0x44),
  psk: filled(0x55),
};
const statics = {
  initiator: provider.dhKeyPair(secrets.initiatorStatic),
  responder: provider.dhKeyPair(secrets.responderStatic),
};
const ephemerals = {
  initiator: provider.dhKeyPair(secrets.initiatorEphemeral),
  responder: provider.dhKeyPair(secrets.responderEphemeral),
};
const prologue = encodeText('prologue');
const exportLabel = 'refusal';

const handshakes = ['IKpsk2', 'XXpsk3'].map(pattern => {
  const name = `Noise_${pattern}_25519_ChaChaPoly_BLAKE2b`;
  const { known, messages } = parseProtocolName(name);
  const side = (role: Role): HandshakeState =>
    new HandshakeState({
      provider,
      random: new SystemRandom(),
      protocolName: name,
      role,
      prologue,
      staticKeyPair: statics[role],
      ephemeral: ephemerals[role],
      psks: [secrets.psk],
      ...(role === 'initiator' &&
        known.includes('responder') && { remoteStatic: statics.responder.publicKey }),
    });
  const sides = { initiator: side('initiator'), responder: side('responder') };
  const steps = messages.map((_, index) => {
    const [from, to]: Role[] = index % 2 === 0 ? ['initiator', 'responder'] : ['responder', 'initiator'];
    const payload = encodeText(`payload ${index + 1}`);
    const message = sides[from!].writeMessage(payload);
    sides[to!].readMessage(message);
    const secretShared = pattern !== 'XXpsk3' || index > 0;
    return {
      payload: toHex(payload),
      message: toHex(message),
      ...(secretShared && { exportedKey: toHex(sides[from!].exportKey(exportLabel)) }),
    };
  });
  const handshakeHash = toHex(sides.initiator.handshakeHash);
  const packet = new Uint8Array(9 + 4 + 16);
  packet.set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
  sides.initiator.transportKeys().sendKey.sealInPlace(1, 2, packet, 9, 4);
  return { name, messages: steps, handshakeHash, transportPacket: toHex(packet) };
});

const covered = encodeText('all bytes before mac1');
const file = {
  source: 'this repository, docs/spec/02-handshake.md; computed by scripts/vectors/noise-coconet.ts',
  licence: 'Apache-2.0',
  ...Object.fromEntries(Object.entries(secrets).map(([name, bytes]) => [name, toHex(bytes)])),
  prologue: toHex(prologue),
  exportLabel,
  transport:
    'The first packet of the initiator: 9 bytes of associated data, then 4 of text, with packet number 2^32 + 2.',
  transportAssociatedData: '010203040506070809',
  transportText: '0a0b0c0d',
  handshakes,
  mac1: {
    responderStaticPublic: toHex(statics.responder.publicKey),
    covered: toHex(covered),
    mac1: toHex(new Mac1Key(provider, statics.responder.publicKey).compute(covered)),
  },
};
process.stdout.write(`${JSON.stringify(file, null, 1)}\n`);
