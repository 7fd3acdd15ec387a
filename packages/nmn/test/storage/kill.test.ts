import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { SeededRandom } from '@coconet/cluster-protocol/testing';
import { randomUint32 } from '@coconet/cluster-protocol/core';
import test from 'ava';

import { ChangeStore } from '../../src/storage/change-store.js';
import { DataFolder } from '../../src/storage/data-folder.js';
import { Database } from '../../src/storage/database.js';
import { SignedVersions } from '../../src/storage/signed-versions.js';
import { temporaryFolder } from '../support/surroundings.js';

const SCRIPT = fileURLToPath(new URL('../support/joining-process.ts', import.meta.url));
const KILLS = 20;

function start(folder: string): ChildProcess {
  return spawn(process.execPath, ['--import=tsx', '--conditions=coconet-source', SCRIPT, folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

test('kill -9 under a load of joins loses nothing that was acknowledged and signs nothing twice', async t => {
  t.timeout(300_000);
  const folder = await temporaryFolder(t);
  const random = new SeededRandom(20);
  const acknowledged = new Set<number>();
  const signed: number[] = [];

  for (let kill = 0; kill < KILLS; kill++) {
    const child = start(folder);
    const errors: Buffer[] = [];
    child.stderr!.on('data', (chunk: Buffer) => errors.push(chunk));
    const exited = once(child, 'exit');
    // Killed right after so many acknowledgements, while others are on their way to the disk.
    let left = 1 + (randomUint32(random) % 40);
    for await (const line of createInterface({ input: child.stdout! })) {
      const [word, ...numbers] = line.split(' ');
      if (word !== 'joined') continue;
      const [nodeId, ...versions] = numbers.map(Number);
      acknowledged.add(nodeId!);
      signed.push(...versions);
      if (--left === 0) child.kill('SIGKILL');
    }
    const [, signal] = (await exited) as [number | null, string | null];
    t.is(signal, 'SIGKILL', Buffer.concat(errors).toString());
  }

  const held = await DataFolder.open(folder);
  const database = await Database.open(held);
  const [contents] = await new ChangeStore(database, await SignedVersions.open(held)).load();
  await database.close();
  await held.close();
  const kept = new Set(contents!.members.map(member => member.nodeId));
  t.true(acknowledged.size >= KILLS);
  t.deepEqual(
    [...acknowledged].filter(nodeId => !kept.has(nodeId)),
    [],
  );
  t.is(new Set(signed).size, signed.length);
});
