import { DropCounters, instant } from '../../src/base/index.js';
import type { AeadKey } from '../../src/crypto/provider.js';
import { createCryptoProvider } from '../../src/nodejs/crypto-provider.js';
import { Session, type MessageMemory } from '../../src/session/index.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { DATA_HEADER, encodeFrames, writeDataHeader, type Frame } from '../../src/wire/index.js';

/** A peer that follows no rule but has the keys: it seals whatever frames it likes. */
export async function hostilePeer(messageMemory?: MessageMemory): Promise<{
  session: Session;
  drops: DropCounters;
  send: (frames: readonly Frame[], number?: number, now?: number) => string | undefined;
}> {
  const provider = await createCryptoProvider();
  const toSession: AeadKey = provider.aeadKey(new Uint8Array(32).fill(1));
  const drops = new DropCounters();
  const session = new Session({
    role: 'responder',
    sendKey: provider.aeadKey(new Uint8Array(32).fill(2)),
    receiveKey: provider.aeadKey(new Uint8Array(32).fill(1)),
    localIndex: 7,
    remoteIndex: 8,
    path: 0,
    pathValidated: true,
    now: instant(0),
    random: new SeededRandom(1),
    drops,
    ...(messageMemory && { messageMemory }),
    config: { acceptStreams: () => true },
  });
  let next = 0;
  const send = (frames: readonly Frame[], number = next++, now = 0): string | undefined => {
    const plaintext = encodeFrames(frames);
    const packet = new Uint8Array(DATA_HEADER + plaintext.length + 16);
    writeDataHeader(packet, 0, 7, number);
    packet.set(plaintext, DATA_HEADER);
    toSession.sealInPlace(0, number, packet, DATA_HEADER, plaintext.length);
    return session.handlePacket(instant(now), 0, packet);
  };
  return { session, drops, send };
}
