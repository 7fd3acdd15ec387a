import type { AwayReason, PathReport } from '@coconet/cluster-protocol';

/** Another member, in an event. */
export interface PeerNamed {
  readonly nodeId: number;
  readonly name: string;
}

/** What a device tells its program, by event name. */
export interface DeviceEvents {
  /** There is a session with an app or another node. */
  readonly connected: PeerNamed & { readonly path: PathReport };
  readonly disconnected: PeerNamed & { readonly reason: AwayReason; readonly text: string };
  /** Data to a peer takes another path from now on. */
  readonly path: PeerNamed & { readonly from: PathReport | undefined; readonly to: PathReport };
  /** The NMN is there, or away; local work goes on without it. */
  readonly nmn: { readonly state: 'connected' | 'away'; readonly text: string };
  /** Something a person should know: a handler failed, the store cannot be written. One sentence. */
  readonly notice: string;
  /** The membership of this device was revoked: it has no network any more and should be closed. */
  readonly expelled: string;
}

type Listener<K extends keyof DeviceEvents> = (event: DeviceEvents[K]) => void;
type Listeners = { [K in keyof DeviceEvents]: Set<Listener<K>> };

/** Who listens to what. */
export class DeviceListeners {
  readonly #listeners: Listeners = {
    connected: new Set(),
    disconnected: new Set(),
    path: new Set(),
    nmn: new Set(),
    notice: new Set(),
    expelled: new Set(),
  };

  /** Calls `listener` from now on; the result ends that. */
  on<K extends keyof DeviceEvents>(name: K, listener: Listener<K>): () => void {
    const listeners: Set<Listener<K>> = this.#listeners[name];
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /** Calls everybody who listens. */
  tell<K extends keyof DeviceEvents>(name: K, event: DeviceEvents[K]): void {
    const listeners: Set<Listener<K>> = this.#listeners[name];
    for (const listener of [...listeners]) listener(event);
  }
}
