import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

import type { LocalAddress } from '../interface/machine.js';
import { socketAddress } from '../wire/index.js';

/** The addresses of this machine's interfaces, sorted; empty where the system does not tell. */
export function readLocalAddresses(): readonly LocalAddress[] {
  const addresses: LocalAddress[] = [];
  for (const [interfaceName, entries] of Object.entries(interfacesOrNone())) {
    const mtu = interfaceMtu(interfaceName);
    for (const entry of entries ?? []) {
      const zone = entry.family === 'IPv6' && entry.scopeid !== 0 ? `%${interfaceName}` : '';
      // The port only completes the form; a host that is no address (an odd zone name) is of no use to anybody.
      const host = (socketAddress(entry.address + zone, 1) ?? socketAddress(entry.address, 1))?.host;
      const prefixLength = Number(entry.cidr?.split('/')[1]);
      if (host === undefined || !Number.isInteger(prefixLength)) continue;
      const { internal } = entry;
      addresses.push({ host, prefixLength, interfaceName, internal, ...(mtu !== undefined && { mtu }) });
    }
  }
  return addresses.sort((a, b) => compare(a.interfaceName, b.interfaceName) || compare(a.host, b.host));
}

/** Whether two results of {@link readLocalAddresses} are the same. */
export function sameAddresses(a: readonly LocalAddress[], b: readonly LocalAddress[]): boolean {
  return (
    a.length === b.length &&
    a.every((left, i) => {
      const right = b[i]!;
      return (
        left.host === right.host &&
        left.prefixLength === right.prefixLength &&
        left.interfaceName === right.interfaceName &&
        left.mtu === right.mtu
      );
    })
  );
}

/** Node does not tell an interface's MTU, Linux does, in a file that is no file: reading it waits for nobody. */
function interfaceMtu(name: string): number | undefined {
  if (process.platform !== 'linux' || name.includes('/')) return undefined;
  try {
    const mtu = Number(readFileSync(`/sys/class/net/${name}/mtu`, 'ascii'));
    return Number.isInteger(mtu) && mtu > 0 ? mtu : undefined;
  } catch {
    return undefined;
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function interfacesOrNone(): ReturnType<typeof networkInterfaces> {
  try {
    return networkInterfaces();
  } catch {
    return {}; // Some sandboxes (Android among them) forbid the question; sockets work all the same.
  }
}
