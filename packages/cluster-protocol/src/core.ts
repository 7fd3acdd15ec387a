/**
 * The pure core of the cluster protocol, layer by layer: for those who build a node of their own on other sockets and
 * clocks, an NMN, or a tool. No input or output happens in here.
 *
 * @module
 */
export * from './base/index.js';
export * from './crypto/index.js';
export * from './interface/index.js';
export * from './network/index.js';
export * from './path/index.js';
export * from './session/index.js';
export * from './wire/index.js';
