import { ClientError } from '../errors.js';
import type { Platform } from './platform.js';

const missing = async (): Promise<never> => {
  throw new ClientError(
    'NOT_SUPPORTED',
    'a browser cannot open a node yet: it has no UDP, and the link over WebSocket is not there in this version',
  );
};

/** The browser: the types and codecs are there, a way into the network is not yet. */
export const platform: Platform = {
  openHost: missing,
  resolve: missing,
  openStore: missing,
  writePrivateFile: missing,
  removeFile: missing,
  callSocket: missing,
};
