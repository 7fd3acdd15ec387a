import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  type CryptoProvider,
  instant,
  type Instant,
  type WallTime,
  wallTime,
} from '@coconet/cluster-protocol/core';
import { createNodeHost } from '@coconet/cluster-protocol/node';
import { type SocketAddress, socketAddress } from '@coconet/cluster-protocol/wire';

/** The real provider, once per test process. */
export const provider: CryptoProvider = (await createNodeHost()).crypto;

/** A moment of virtual time. */
export const at = (milliseconds: number): Instant => instant(milliseconds);

/** A moment of civil time, milliseconds after the beginning of 2026. */
export const on = (milliseconds: number): WallTime => wallTime(Date.UTC(2026, 0, 1) + milliseconds);

/** An address from its text, for tests that know it is one. */
export function address(host: string, port: number): SocketAddress {
  const found = socketAddress(host, port);
  if (!found) throw new Error(`${host}:${port} is no address`);
  return found;
}

/** A folder that is gone after the test. */
export async function temporaryFolder(t: { teardown(clean: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'coconet-nmn-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
