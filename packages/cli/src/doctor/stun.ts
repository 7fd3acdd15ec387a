import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';

import { decodeStun, encodeStun } from '@coconet/cluster-protocol/wire';

/** RFC 8489, section 6.2.1, shortened: asked after 0, 500 and 1,500 ms, and given up after 3 s. */
const ASKED_AFTER: readonly number[] = [0, 500, 1_500];
const GIVEN_UP_AFTER = 3_000;

/** An NMN sends no more than it was sent: the attribute takes the room that an IPv6 address has in the answer, 24 bytes. */
const SOFTWARE = 'coconet doctor'.padEnd(20);

/** An answer to a STUN binding request. */
export interface StunAnswer {
  /** Where the other side saw us, `address:port`. */
  readonly seenAs: string;
  /** The port we asked from. */
  readonly localPort: number;
  /** ms */
  readonly rtt: number;
}

/** Asks a STUN responder, which every NMN has on its port, where it sees us; `undefined`: no answer, or no way there. */
export function askStun(address: string, port: number, signal: AbortSignal): Promise<StunAnswer | undefined> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  const transactionId = new Uint8Array(randomBytes(12));
  const request = encodeStun({ kind: 'request', transactionId, software: SOFTWARE });
  let asked = performance.now();
  return new Promise(resolve => {
    const timers = ASKED_AFTER.map(delay =>
      setTimeout(() => {
        asked = performance.now();
        // A failed send is no answer; the others may get through.
        socket.send(request, port, address, () => undefined);
      }, delay),
    );
    const finish = (answer: StunAnswer | undefined): void => {
      for (const timer of timers) clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      socket.removeAllListeners();
      socket.close();
      resolve(answer);
    };
    const giveUp = (): void => finish(undefined);
    timers.push(setTimeout(giveUp, GIVEN_UP_AFTER));
    signal.addEventListener('abort', giveUp, { once: true });
    socket.once('error', giveUp);
    socket.on('message', bytes => {
      const message = decodeStun(bytes);
      if (message?.kind !== 'success' || Buffer.compare(message.transactionId, transactionId) !== 0) return;
      finish({
        seenAs: message.address.key,
        localPort: socket.address().port,
        rtt: performance.now() - asked,
      });
    });
  });
}
