import test from 'ava';

import { CipherState } from '../../src/crypto/index.js';
import { allProviders, nodeProvider } from './providers.js';

const EMPTY = new Uint8Array(0);
const AD = Uint8Array.of(1, 2, 3);
const TEXT = Uint8Array.of(4, 5);

function keyed(provider = nodeProvider, fill = 1): CipherState {
  const state = new CipherState(provider);
  state.initializeKey(new Uint8Array(32).fill(fill));
  return state;
}

test('without a key text passes unchanged, as a copy', t => {
  const state = new CipherState(nodeProvider);

  const out = state.encryptWithAd(AD, TEXT);

  t.deepEqual(out, TEXT);
  t.not(out, TEXT);
  t.deepEqual(state.decryptWithAd(AD, TEXT), TEXT);
  t.false(state.hasKey());
  t.throws(() => state.rekey(), { code: 'INVALID_STATE' });
});

for (const [name, provider] of allProviders)
  test(`each message counts one nonce further, a refused one does not, with ${name}`, t => {
    const [sender, receiver] = [keyed(provider), keyed(provider)];
    const [first, second] = [sender.encryptWithAd(AD, TEXT), sender.encryptWithAd(AD, TEXT)];

    t.notDeepEqual(first, second);
    t.is(receiver.decryptWithAd(AD, second), undefined);
    t.is(receiver.decryptWithAd(EMPTY, first), undefined);
    t.deepEqual(receiver.decryptWithAd(AD, first), TEXT);
    t.deepEqual(receiver.decryptWithAd(AD, second), TEXT);
    t.is(receiver.decryptWithAd(AD, Uint8Array.of(1)), undefined);
  });

test('the nonce carries from its low word into its high word', t => {
  const [sender, receiver] = [keyed(), keyed()];
  sender.setNonce(6, 0xffff_ffff);
  receiver.setNonce(7, 0);

  sender.encryptWithAd(AD, TEXT);
  const sealed = sender.encryptWithAd(AD, TEXT);

  t.deepEqual(receiver.decryptWithAd(AD, sealed), TEXT);
  t.deepEqual(sender.nonce, [7, 1]);
});

test('the reserved last nonce is never used', t => {
  const state = keyed();
  state.setNonce(0xffff_ffff, 0xffff_fffe);
  state.encryptWithAd(AD, TEXT);

  t.throws(() => state.encryptWithAd(AD, TEXT), { code: 'INVALID_STATE', message: /nonces/ });
  t.throws(() => state.decryptWithAd(AD, TEXT), { code: 'INVALID_STATE', message: /nonces/ });
});

test('after a rekey on both sides messages go on under the same nonce count', t => {
  const [sender, receiver] = [keyed(), keyed()];
  receiver.decryptWithAd(AD, sender.encryptWithAd(AD, TEXT));

  sender.rekey();
  const sealed = sender.encryptWithAd(AD, TEXT);
  const early = receiver.decryptWithAd(AD, sealed);
  receiver.rekey();

  t.is(early, undefined);
  t.deepEqual(receiver.decryptWithAd(AD, sealed), TEXT);
});

test('a destroyed state has no key', t => {
  const state = keyed();

  state.destroy();

  t.false(state.hasKey());
});
