import { ClusterError, fromBase64Url, sameBytes, toBase64Url } from '../base/index.js';
import type { CryptoProvider, KeyPair } from '../crypto/provider.js';
import { KEY_LENGTH } from './identity.js';
import { networkIdOf, parseNetworkId } from './network-id.js';

const FIRST_WORD = 'coconet-root-key-v1';

/**
 * A root key as its file holds it: one line of three words, `coconet-root-key-v1 NETWORK SEED`, both in base64url. The
 * network id is computed from the key and thereby shows a damaged line.
 */
export function formatRootKey(crypto: CryptoProvider, root: KeyPair): string {
  const network = networkIdOf(crypto, root.publicKey);
  return `${FIRST_WORD} ${toBase64Url(network)} ${toBase64Url(root.privateKey)}\n`;
}

/** Reads a root key file. Throws `INVALID_ARGUMENT` with a sentence that says what is wrong and never shows the key. */
export function parseRootKey(crypto: CryptoProvider, text: string): KeyPair {
  const words = text.trim().split(/\s+/);
  const [first, networkText = '', seedText = ''] = words;
  if (first !== FIRST_WORD)
    throw wrong(
      first?.startsWith('coconet-root-key-') === true
        ? 'this root key file has a form that only a newer program reads'
        : `a root key file begins with ${FIRST_WORD}, this one does not`,
    );
  const network = parseNetworkId(networkText);
  const seed = fromBase64Url(seedText);
  if (words.length !== 3 || network === undefined || seed?.length !== KEY_LENGTH)
    throw wrong('the root key file is damaged or cut off');
  const root = crypto.signingKeyPair(seed);
  if (!sameBytes(networkIdOf(crypto, root.publicKey), network))
    throw wrong('the root key file is damaged: its key does not belong to its network id');
  return root;
}

const wrong = (what: string): ClusterError => new ClusterError('INVALID_ARGUMENT', what);
