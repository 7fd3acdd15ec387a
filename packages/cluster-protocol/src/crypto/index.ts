export { CipherState } from './cipher-state.js';
export { HandshakeState, type HandshakeOptions } from './handshake-state.js';
export { hkdf, hmac } from './hkdf.js';
export { MAC1_LENGTH, Mac1Key } from './mac1.js';
export { type NoiseProtocol, parseProtocolName, type Role as HandshakeRole, type Token } from './patterns.js';
export type { AeadKey, CryptoProvider, HashFunction, HashName, KeyPair } from './provider.js';
export { isSmallOrder } from './small-order.js';
export {
  destroyTransportKeys,
  MAX_FORGERIES_PER_KEY,
  MAX_PACKETS_PER_KEY,
  type TransportKeys,
} from './transport-keys.js';
