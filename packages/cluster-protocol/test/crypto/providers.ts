import { readFileSync } from 'node:fs';

import { fromHex } from '../../src/base/index.js';
import type { CryptoProvider } from '../../src/crypto/index.js';
import { createCryptoProvider } from '../../src/nodejs/crypto-provider.js';
import { SodiumProvider } from '../../src/sodium/index.js';
import { AuthenticatingProvider } from '../../src/testing/authenticating-provider.js';

export const nodeProvider: CryptoProvider = await createCryptoProvider();
export const bareSodiumProvider: CryptoProvider = await SodiumProvider.create([]);
export const authenticatingProvider: CryptoProvider = new AuthenticatingProvider();

/** Every provider that does real cryptography and must pass the published vectors. */
export const realProviders: readonly (readonly [name: string, provider: CryptoProvider])[] = [
  ['the Node provider', nodeProvider],
  ['the bare libsodium provider', bareSodiumProvider],
];

export const allProviders: readonly (readonly [name: string, provider: CryptoProvider])[] = [
  ...realProviders.slice(0, 1),
  ['the authenticating provider', authenticatingProvider],
];

/** The bytes of a hexadecimal text of a vector. */
export function hex(text: string): Uint8Array {
  const bytes = fromHex(text);
  if (bytes === undefined) throw new Error(`not hexadecimal: ${text}`);
  return bytes;
}

/** The content of a file in test-vectors/, whose shape the caller knows. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the one place where a file gets its type
export function vectors<T>(name: string): T {
  const url = new URL(`../../../../test-vectors/${name}`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as T;
}
