import type { Path } from '../session/index.js';
import type { SocketAddress } from '../wire/index.js';
import type { PathReport } from './explain.js';

/** What a path agent wants done. */
export type PathAction =
  /** All new data takes this path from now on. */
  | { readonly kind: 'activate'; readonly path: Path }
  /** The active path is suspect: what goes there goes over this one too, until it is clear whether it lives. */
  | { readonly kind: 'bridge'; readonly path: Path }
  /** For the application: the active path is another one. `from` is `undefined` for the first of a session. */
  | { readonly kind: 'pathChanged'; readonly from: PathReport | undefined; readonly to: PathReport }
  /** Send a control frame of type `CANDIDATES_CONTROL` with this content. */
  | { readonly kind: 'sendCandidates'; readonly bytes: Uint8Array }
  /** A relay path as a warm standby is wanted: ask the NMN for a lease. */
  | { readonly kind: 'requestLease' }
  /** The relay is of no use any more: give the lease back. */
  | { readonly kind: 'releaseLease' }
  /** Ask the NMN to time a punch. */
  | { readonly kind: 'requestPunch' }
  /** Send a path challenge over this relay channel: a standby that was never proved may carry next to nothing. */
  | { readonly kind: 'probeRelay'; readonly path: Path }
  /** Send a path challenge there, inside the session. */
  | { readonly kind: 'probe'; readonly link: number; readonly remote: SocketAddress };

const ORDER = [
  'activate',
  'bridge',
  'pathChanged',
  'sendCandidates',
  'requestLease',
  'releaseLease',
  'requestPunch',
  'probeRelay',
  'probe',
] as const satisfies readonly PathAction['kind'][];

/** Actions that wait to be taken: one of each kind at most, the newest, so that nobody who forgets to poll fills a queue. */
export class PendingActions {
  readonly #waiting = new Map<PathAction['kind'], PathAction>();

  get probing(): boolean {
    return this.#waiting.has('probe');
  }

  activate(path: Path): void {
    this.#waiting.set('activate', { kind: 'activate', path });
  }

  bridge(path: Path): void {
    this.#waiting.set('bridge', { kind: 'bridge', path });
  }

  /** A new session begins on a path of its own: what the old one should have done is void. */
  keep(): void {
    this.#waiting.delete('activate');
    this.#waiting.delete('bridge');
    this.#waiting.delete('probe');
    this.#waiting.delete('probeRelay');
    this.#waiting.delete('releaseLease');
  }

  /** Changes that were not told yet become one, from the first path to the last. */
  changed(from: PathReport | undefined, to: PathReport): void {
    const earlier = this.#waiting.get('pathChanged');
    const first = earlier?.kind === 'pathChanged' ? earlier.from : from;
    this.#waiting.set('pathChanged', { kind: 'pathChanged', from: first, to });
  }

  sendCandidates(bytes: Uint8Array): void {
    this.#waiting.set('sendCandidates', { kind: 'sendCandidates', bytes });
  }

  requestLease(): void {
    this.#waiting.set('requestLease', { kind: 'requestLease' });
  }

  releaseLease(): void {
    this.#waiting.set('releaseLease', { kind: 'releaseLease' });
  }

  requestPunch(): void {
    this.#waiting.set('requestPunch', { kind: 'requestPunch' });
  }

  probeRelay(path: Path): void {
    this.#waiting.set('probeRelay', { kind: 'probeRelay', path });
  }

  probe(link: number, remote: SocketAddress): void {
    this.#waiting.set('probe', { kind: 'probe', link, remote });
  }

  clear(): void {
    this.#waiting.clear();
  }

  take(): PathAction | undefined {
    for (const kind of ORDER) {
      const action = this.#waiting.get(kind);
      if (action === undefined) continue;
      this.#waiting.delete(kind);
      return action;
    }
    return undefined;
  }
}
