/**
 * What each operation of the crypto provider costs, with node:crypto beside it as the limit of this machine:
 *
 *   npx tsx --conditions=coconet-source packages/cluster-protocol/benchmarks/crypto/provider.ts
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';

import { Bench } from 'tinybench';

import {
  type CryptoProvider,
  HandshakeState,
  type KeyPair,
  Mac1Key,
  type HandshakeRole as Role,
} from '../../src/crypto/index.js';
import { createCryptoProvider } from '../../src/nodejs/crypto-provider.js';
import { SystemRandom } from '../../src/nodejs/random.js';
import { AuthenticatingProvider } from '../../src/testing/authenticating-provider.js';

const HEADER_LENGTH = 9;
const random = new SystemRandom();
const bench = new Bench({ time: 300, warmupTime: 100 });

function addOperations(name: string, provider: CryptoProvider): void {
  const key = provider.aeadKey(new Uint8Array(32).fill(1));
  const packet = new Uint8Array(1_500);
  for (const size of [64, 1_200]) {
    let counter = 0;
    bench.add(`${name}: seal and open ${size} B`, () => {
      counter++;
      const total = key.sealInPlace(0, counter, packet, HEADER_LENGTH, size);
      key.openInPlace(0, counter, packet, HEADER_LENGTH, total);
    });
  }
  const pair = provider.dhKeyPair(new Uint8Array(32).fill(2));
  const remote = provider.dhKeyPair(new Uint8Array(32).fill(3));
  bench.add(`${name}: DH key pair`, () => provider.dhKeyPair(pair.privateKey));
  bench.add(`${name}: DH`, () => provider.dh(pair.privateKey, remote.publicKey));
  const signer = provider.signingKeyPair(new Uint8Array(32).fill(4));
  const message = new Uint8Array(200).fill(5);
  const signature = provider.sign(signer, message);
  bench.add(`${name}: sign 200 B`, () => provider.sign(signer, message));
  bench.add(`${name}: verify 200 B`, () => provider.verify(signer.publicKey, message, signature));
  const mac1 = new Mac1Key(provider, pair.publicKey);
  bench.add(`${name}: mac1 of 200 B`, () => mac1.compute(message));
  const statics = { initiator: pair, responder: remote };
  bench.add(`${name}: handshake IKpsk2, both sides`, () => {
    handshake(provider, statics);
  });
}

function handshake(provider: CryptoProvider, statics: Readonly<Record<Role, KeyPair>>): void {
  const side = (role: Role): HandshakeState =>
    new HandshakeState({
      provider,
      random,
      protocolName: 'Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b',
      role,
      prologue: EMPTY,
      staticKeyPair: statics[role],
      psks: [PSK],
      ...(role === 'initiator' && { remoteStatic: statics.responder.publicKey }),
    });
  const [initiator, responder] = [side('initiator'), side('responder')];
  responder.readMessage(initiator.writeMessage(EMPTY));
  initiator.readMessage(responder.writeMessage(EMPTY));
  for (const state of [initiator, responder]) {
    const keys = state.transportKeys();
    keys.sendKey.destroy();
    keys.receiveKey.destroy();
    state.destroy();
  }
}

const EMPTY = new Uint8Array(0);
const PSK = new Uint8Array(32).fill(6);

addOperations('provider', await createCryptoProvider());
addOperations('authenticating', new AuthenticatingProvider());
for (const size of [64, 1_200]) {
  const [key, nonce, text] = [new Uint8Array(32), new Uint8Array(12), new Uint8Array(size)];
  bench.add(`node:crypto: seal and open ${size} B`, () => {
    const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
    const sealed = cipher.update(text);
    cipher.final();
    const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: 16 });
    decipher.setAuthTag(cipher.getAuthTag());
    decipher.update(sealed);
    decipher.final();
  });
}

await bench.run();
console.table(
  bench.tasks.map(task => ({
    operation: task.name,
    microseconds:
      task.result.state === 'completed' ? (1_000 * task.result.latency.p50).toFixed(2) : task.result.state,
  })),
);
