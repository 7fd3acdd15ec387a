import test from 'ava';

import { toHex } from '../../src/base/index.js';
import { Mac1Key } from '../../src/crypto/index.js';
import { handshakePair, receiver, sender } from './noise-pair.js';
import { hex, nodeProvider, vectors } from './providers.js';

const file = vectors<{
  initiatorStatic: string;
  responderStatic: string;
  initiatorEphemeral: string;
  responderEphemeral: string;
  psk: string;
  prologue: string;
  exportLabel: string;
  transportAssociatedData: string;
  transportText: string;
  handshakes: readonly {
    name: string;
    messages: readonly { payload: string; message: string; exportedKey?: string }[];
    handshakeHash: string;
    transportPacket: string;
  }[];
  mac1: { responderStaticPublic: string; covered: string; mac1: string };
}>('noise-coconet.json');
const keyPair = (privateKey: string) => nodeProvider.dhKeyPair(hex(privateKey));

for (const { name, messages, handshakeHash, transportPacket } of file.handshakes)
  test(`our vectors of ${name} come out on both sides`, t => {
    const pair = handshakePair(name, {
      prologue: hex(file.prologue),
      psks: [hex(file.psk)],
      statics: { initiator: keyPair(file.initiatorStatic), responder: keyPair(file.responderStatic) },
      ephemerals: {
        initiator: keyPair(file.initiatorEphemeral),
        responder: keyPair(file.responderEphemeral),
      },
    });

    for (const [index, { payload, message, exportedKey }] of messages.entries()) {
      t.is(toHex(pair[sender(index)].writeMessage(hex(payload))), message);
      t.is(toHex(pair[receiver(index)].readMessage(hex(message))), payload);
      if (exportedKey === undefined) continue;
      t.is(toHex(pair.initiator.exportKey(file.exportLabel)), exportedKey);
      t.is(toHex(pair.responder.exportKey(file.exportLabel)), exportedKey);
    }

    const packet = hex(transportPacket);
    const adLength = file.transportAssociatedData.length / 2;
    const length = pair.responder
      .transportKeys()
      .receiveKey.openInPlace(1, 2, packet, adLength, packet.length);
    t.is(toHex(packet.subarray(0, adLength + length)), file.transportAssociatedData + file.transportText);
    t.is(toHex(pair.initiator.handshakeHash), handshakeHash);
    t.is(toHex(pair.responder.handshakeHash), handshakeHash);
  });

test('our vector of mac1 comes out', t => {
  const key = new Mac1Key(nodeProvider, hex(file.mac1.responderStaticPublic));

  t.is(toHex(key.compute(hex(file.mac1.covered))), file.mac1.mac1);
});
