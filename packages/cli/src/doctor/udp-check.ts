import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';

import type { Context } from '../context.js';
import { failureOf } from '../failure.js';
import type { Finding } from './finding.js';

/** A datagram to oneself arrives at once or never: 1 s. */
const PATIENCE = 1_000;

/** Whether this process may open UDP sockets and whether datagrams arrive, for each address family. */
export async function checkUdp({ signal }: Context): Promise<Finding> {
  const [four, six] = await Promise.all([loop('udp4', '127.0.0.1', signal), loop('udp6', '::1', signal)]);
  if ((four === undefined || six === undefined) && !hasNetwork())
    return {
      check: 'udp',
      state: 'warning',
      detail: 'UDP works on this machine, which has no address that others could reach',
      next: 'connect it to a network; until then it reaches nodes on this machine alone',
    };
  if (four === undefined && six === undefined)
    return { check: 'udp', state: 'ok', detail: 'IPv4 and IPv6 work on this machine' };
  if (four === undefined)
    return { check: 'udp', state: 'ok', detail: `IPv4 works on this machine; IPv6 does not (${six ?? ''})` };
  if (six === undefined)
    return { check: 'udp', state: 'warning', detail: `IPv6 works on this machine; IPv4 does not (${four})` };
  return {
    check: 'udp',
    state: 'failed',
    detail: `no datagram gets through on this machine itself: ${four}`,
    next: 'look at the firewall, and at what this process is allowed to do (sandbox, container)',
  };
}

const hasNetwork = (): boolean =>
  Object.values(networkInterfaces()).some(addresses => addresses?.some(({ internal }) => !internal) === true);

/** Sends a datagram to ourselves; resolves with what went wrong, or with nothing. */
function loop(type: 'udp4' | 'udp6', address: string, signal: AbortSignal): Promise<string | undefined> {
  const socket = createSocket(type);
  return new Promise(resolve => {
    const finish = (problem: string | undefined): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
      socket.removeAllListeners();
      socket.close();
      resolve(problem);
    };
    const giveUp = (): void => finish('a datagram to ourselves did not arrive');
    const timer = setTimeout(giveUp, PATIENCE);
    signal.addEventListener('abort', giveUp, { once: true });
    socket.once('error', error => finish(failureOf(error).message));
    socket.once('message', () => finish(undefined));
    socket.bind(0, address, () => socket.send('coconet', socket.address().port, address));
  });
}
