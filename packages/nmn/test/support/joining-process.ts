/**
 * A process that admits members as fast as the disk takes them, and tells what it has acknowledged, a line each:
 * `signed VERSION…` before anything is handed out that carries the versions, `joined NODE` after it is durable. It ends
 * by being killed.
 */
import { argv, stdout } from 'node:process';

import { createNodeHost } from '@coconet/cluster-protocol/node';

import { DEFAULT_CONFIG } from '../../src/config.js';
import { NetworkLedger } from '../../src/membership/network-ledger.js';
import { MembershipRequests } from '../../src/membership/requests.js';
import { ChangeStore } from '../../src/storage/change-store.js';
import { DataFolder } from '../../src/storage/data-folder.js';
import { Database } from '../../src/storage/database.js';
import { SignedVersions } from '../../src/storage/signed-versions.js';
import { foundHome, type Home, invite, join } from './network.js';

/** Joins that wait for their commit at once: enough that most kills hit one. */
const IN_FLIGHT = 8;

const host = await createNodeHost();
const folder = await DataFolder.open(argv[2]!);
const store = new ChangeStore(await Database.open(folder), await SignedVersions.open(folder));
const config = { ...DEFAULT_CONFIG.membership, openInvitations: 100_000 };
const surroundings = { provider: host.crypto, random: host.random, config };

let home: Home = foundHome({ seed: 1, wall: host.wallTime() });
const [contents] = await store.load();
if (contents) {
  const ledger = new NetworkLedger(surroundings, contents, 'settling');
  ledger.versions.settle(host.wallTime());
  home = { ...home, ledger, requests: new MembershipRequests(host.crypto, config, ledger) };
} else await store.commit(home.written);
// The seeded network is always the same one; who joins it is not.
home = { ...home, random: host.random };

if (!home.ledger.state.complete) throw new Error('the head does not cover the records: half a turn was kept');
stdout.write(`ready ${home.ledger.state.members().length}\n`);

async function admitForever(): Promise<never> {
  for (;;) {
    const before = home.written.length;
    const reply = join(home, invite(home, { wall: host.wallTime() }), { wall: host.wallTime() });
    if (reply.type !== 'joined') throw new Error(JSON.stringify(reply));
    const changes = home.written.splice(before);
    const versions = changes.flatMap(change => (change.kind === 'record' ? [change.record.version] : []));
    await store.commit(changes);
    stdout.write(`joined ${reply.nodeId} ${versions.join(' ')}\n`);
  }
}

await Promise.all(Array.from({ length: IN_FLIGHT }, admitForever));
