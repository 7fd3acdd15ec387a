export { StreamError } from './errors.js';
export type { PeerStream, StreamRuntime } from './peer-stream.js';
export { type OpenStreamOptions, type StreamHandler, StreamSwitch } from './stream-switch.js';
