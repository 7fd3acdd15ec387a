import sodium from 'libsodium-wrappers';

import { assert } from '../base/index.js';

/**
 * The functions of the WebAssembly module inside `libsodium-wrappers` that we call without its wrapper. All arguments
 * are addresses in the module's memory, or lengths. A 64-bit length of the C interface is two arguments here, low word
 * first; ours are always below 2^32, so the second is 0. Functions that can fail answer 0 for success.
 */
export interface RawSodium {
  /** The module's memory. Replaced when it grows: read it again after every call that may allocate. */
  readonly HEAPU8: Uint8Array;
  _malloc(length: number): number;
  _free(address: number): void;
  _crypto_aead_chacha20poly1305_ietf_encrypt(
    sealed: number,
    sealedLengthOut: number,
    text: number,
    textLength: number,
    textLengthHigh: number,
    ad: number,
    adLength: number,
    adLengthHigh: number,
    unused: number,
    nonce: number,
    key: number,
  ): number;
  _crypto_aead_chacha20poly1305_ietf_decrypt(
    text: number,
    textLengthOut: number,
    unused: number,
    sealed: number,
    sealedLength: number,
    sealedLengthHigh: number,
    ad: number,
    adLength: number,
    adLengthHigh: number,
    nonce: number,
    key: number,
  ): number;
  _crypto_aead_xchacha20poly1305_ietf_encrypt: RawSodium['_crypto_aead_chacha20poly1305_ietf_encrypt'];
  _crypto_aead_xchacha20poly1305_ietf_decrypt: RawSodium['_crypto_aead_chacha20poly1305_ietf_decrypt'];
  _crypto_scalarmult(shared: number, privateKey: number, publicKey: number): number;
  _crypto_scalarmult_base(publicKey: number, privateKey: number): number;
  _crypto_sign_seed_keypair(publicKey: number, secretKey: number, seed: number): number;
  _crypto_sign_detached(
    signature: number,
    signatureLengthOut: number,
    message: number,
    messageLength: number,
    messageLengthHigh: number,
    secretKey: number,
  ): number;
  _crypto_sign_verify_detached(
    signature: number,
    message: number,
    messageLength: number,
    messageLengthHigh: number,
    publicKey: number,
  ): number;
  _crypto_generichash(
    digest: number,
    digestLength: number,
    message: number,
    messageLength: number,
    messageLengthHigh: number,
    key: number,
    keyLength: number,
  ): number;
  _crypto_generichash_statebytes(): number;
  _crypto_generichash_init(state: number, key: number, keyLength: number, digestLength: number): number;
  _crypto_generichash_update(state: number, message: number, length: number, lengthHigh: number): number;
  _crypto_generichash_final(state: number, digest: number, digestLength: number): number;
}

const FUNCTIONS: readonly (keyof RawSodium)[] = [
  '_malloc',
  '_free',
  '_crypto_aead_chacha20poly1305_ietf_encrypt',
  '_crypto_aead_chacha20poly1305_ietf_decrypt',
  '_crypto_aead_xchacha20poly1305_ietf_encrypt',
  '_crypto_aead_xchacha20poly1305_ietf_decrypt',
  '_crypto_scalarmult',
  '_crypto_scalarmult_base',
  '_crypto_sign_seed_keypair',
  '_crypto_sign_detached',
  '_crypto_sign_verify_detached',
  '_crypto_generichash',
  '_crypto_generichash_statebytes',
  '_crypto_generichash_init',
  '_crypto_generichash_update',
  '_crypto_generichash_final',
];

function isRawSodium(module: object): module is RawSodium {
  const members = new Map<string, unknown>(Object.entries(module));
  return (
    members.get('HEAPU8') instanceof Uint8Array &&
    FUNCTIONS.every(name => typeof members.get(name) === 'function')
  );
}

/** The module's raw functions, once its WebAssembly is compiled. */
export async function loadRawSodium(): Promise<RawSodium> {
  await sodium.ready;
  // The wrapper exports its module at run time and does not declare it.
  const wrapper: object = sodium;
  const module: unknown = 'libsodium' in wrapper ? wrapper.libsodium : undefined;
  assert(
    typeof module === 'object' && module !== null && isRawSodium(module),
    'libsodium-wrappers exposes its raw functions as version 0.8 does',
  );
  return module;
}
