import type { Store, TransportOptions } from '@coconet/cluster-protocol';
import type { DeviceDetails } from './description.js';

/** How to become a device of a network. */
export interface DeviceOptions extends DeviceDetails {
  /** Wanted name. An invitation may carry another one, and a device that has joined keeps the name it has. */
  readonly name?: string | undefined;
  /** `coconet://…`, from `coconet invite device`. Used only while the store holds no membership. */
  readonly join?: string | undefined;
  /** A folder that is this device's own, made when it is not there; or an open store, which stays its owner's. */
  readonly store: string | Store;
  /** UDP port. Default: the one of the last start where it is free, else any. */
  readonly port?: number | undefined;
  /** Congestion control, and how old keys may be: up to an hour where each packet costs. Default: CUBIC, two minutes. */
  readonly transport?: TransportOptions | undefined;
  /** Calls the opening off. */
  readonly signal?: AbortSignal | undefined;
  /** Hears from the first moment on what `device.on('notice')` tells later. Default: nobody does. */
  readonly onNotice?: ((text: string) => void) | undefined;
  /** Counts documentation addresses (RFC 5737) as public ones: for laboratories alone. */
  readonly allowDocumentationAddresses?: boolean | undefined;
}
