import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join as joinPath } from 'node:path';

import { claimIdOf, randomBytes, toHex } from '@coconet/cluster-protocol/core';
import { SeededRandom } from '@coconet/cluster-protocol/testing';
import test from 'ava';

import { DEFAULT_CONFIG } from '../../src/config.js';
import type { Invitation } from '../../src/membership/invitation.js';
import { NetworkLedger } from '../../src/membership/network-ledger.js';
import type { NetworkContents, StorageChange } from '../../src/membership/storage-change.js';
import { ChangeStore } from '../../src/storage/change-store.js';
import { DataFolder } from '../../src/storage/data-folder.js';
import { Database } from '../../src/storage/database.js';
import type { Migration } from '../../src/storage/migrations/index.js';
import { NetworkRepository } from '../../src/storage/network-repository.js';
import { SettingsRepository } from '../../src/storage/settings-repository.js';
import { SignedVersions } from '../../src/storage/signed-versions.js';
import { foundHome, type Home, invite, join } from '../support/network.js';
import { on, provider, temporaryFolder } from '../support/surroundings.js';

interface Opened {
  readonly folder: DataFolder;
  readonly database: Database;
  readonly store: ChangeStore;
  close(): Promise<void>;
}

async function open(path: string, migrations: readonly Migration[] = []): Promise<Opened> {
  const folder = await DataFolder.open(path);
  try {
    const database = await Database.open(folder, migrations);
    const store = new ChangeStore(database, await SignedVersions.open(folder));
    const close = async (): Promise<void> => {
      await store.close();
      await database.close();
      await folder.close();
    };
    return { folder, database, store, close };
  } catch (error) {
    await folder.close();
    throw error;
  }
}

async function copyFolder(from: string, to: string): Promise<void> {
  await mkdir(to, { mode: 0o700 });
  for (const name of await readdir(from)) await copyFile(joinPath(from, name), joinPath(to, name));
}

const surroundings = { provider, random: new SeededRandom(3), config: DEFAULT_CONFIG.membership };

const revive = (contents: NetworkContents): NetworkLedger =>
  new NetworkLedger(surroundings, contents, 'settling');

async function writeHome(store: ChangeStore, home: Home): Promise<void> {
  await store.commit(home.written.splice(0));
}

test('a network comes back from disk as it was', async t => {
  const path = await temporaryFolder(t);
  const home = foundHome();
  const claim = invite(home);
  const open1 = await open(path);
  await writeHome(open1.store, home);
  join(home, claim);
  invite(home, { name: 'waiting' });
  await writeHome(open1.store, home);
  await open1.close();

  const open2 = await open(path);
  const [contents] = await open2.store.load();
  await open2.close();

  const revived = revive(contents!);
  t.deepEqual(revived.state.digests, home.ledger.state.digests);
  t.true(revived.state.complete);
  t.deepEqual(revived.secrets.current, home.ledger.secrets.current);
  const byClaim = (a: Invitation, b: Invitation): number => (toHex(a.claimId) < toHex(b.claimId) ? -1 : 1);
  t.deepEqual(revived.invitations.list().sort(byClaim), home.ledger.invitations.list().sort(byClaim));
  t.deepEqual(revived.stored, home.ledger.stored);
  t.true(revived.versions.last >= home.ledger.versions.last);
});

test('a folder restored from an older backup signs no number twice', async t => {
  const path = await temporaryFolder(t);
  const backup = `${path}-backup`;
  t.teardown(() => rm(backup, { recursive: true, force: true }));
  const home = foundHome();
  const claims = [invite(home), invite(home), invite(home)] as const;
  const live = await open(path);
  await writeHome(live.store, home);
  await live.close();
  await copyFolder(path, backup);

  // It lives on, signs, and is then put back, everything of it, three times.
  const signed = new Set<number>();
  const take = (changes: readonly StorageChange[]): void => {
    for (const change of changes)
      if (change.kind === 'record') {
        t.false(signed.has(change.record.version));
        signed.add(change.record.version);
      }
  };
  join(home, claims[0]);
  take(home.written);
  for (let life = 1; life <= 3; life++) {
    await rm(path, { recursive: true });
    await copyFolder(backup, path);
    const again = await open(path);
    const [contents] = await again.store.load();
    const ledger = revive(contents!);
    t.is(ledger.versions.state, 'settling');
    ledger.versions.settle(on(life * 60_000));
    const restored: Home = { ...foundHome(), ledger };
    const turn: StorageChange[] = [];
    const { MembershipRequests } = await import('../../src/membership/requests.js');
    const requests = new MembershipRequests(provider, DEFAULT_CONFIG.membership, ledger);
    const reply = join({ ...restored, requests, written: turn }, claims[life === 3 ? 2 : 1], {
      wall: on(life * 60_000),
    });
    t.is(reply.type, 'joined');
    await again.store.commit(turn);
    take(turn);
    await again.close();
  }
  t.true(signed.size >= 4);
});

test('a database older than the side file goes on above the side file', async t => {
  const path = await temporaryFolder(t);
  const home = foundHome();
  const first = await open(path);
  await writeHome(first.store, home);
  await first.close();
  const old = await readFile(joinPath(path, 'nmn.db'));
  const second = await open(path);
  for (let i = 0; i < 100; i++) {
    join(home, invite(home), { name: `n${i}` });
    await writeHome(second.store, home);
  }
  await second.close();
  await writeFile(joinPath(path, 'nmn.db'), old);
  await rm(joinPath(path, 'nmn.db-wal'), { force: true });
  await rm(joinPath(path, 'nmn.db-shm'), { force: true });

  const third = await open(path);
  const [contents] = await third.store.load();
  await third.close();

  t.is(contents!.members.length, 1, 'the database is the old one');
  t.true(contents!.version >= home.ledger.versions.last);
});

test('writes of one turn are all kept or none, and those behind a failed one fail with it', async t => {
  const { store, database, close } = await open(await temporaryFolder(t));
  const home = foundHome();
  const network = home.written.splice(0);
  await store.commit(network);
  join(home, invite(home));
  const good = home.written.splice(0);

  const outcomes = await Promise.allSettled([store.commit(good), store.commit(network), store.commit([])]);
  await store.commit(good);

  t.deepEqual(
    outcomes.map(outcome => outcome.status),
    ['rejected', 'rejected', 'rejected'],
  );
  t.like(outcomes[1], { reason: { code: 'NETWORK_EXISTS' } });
  const contents = await store.loadNetwork(home.ledger.key);
  t.is(contents!.members.length, 2);
  t.is((await database.reader('membership_members').count<{ n: number }[]>({ n: '*' }))[0]!.n, 2);
  await close();
});

test('one claim admits one node even where two writers disagree', async t => {
  const { store, close } = await open(await temporaryFolder(t));
  const home = foundHome();
  const claim = invite(home);
  await writeHome(store, home);
  const open1 = home.ledger.invitations.get(claimIdOf(provider, claim))!;
  const bind = (seed: number): StorageChange => ({
    kind: 'invitation',
    networkKey: home.ledger.key,
    invitation: {
      ...open1,
      state: {
        kind: 'bound',
        keys: { signingKey: new Uint8Array(32).fill(seed), staticKey: new Uint8Array(32).fill(seed) },
      },
    },
  });

  await store.commit([bind(1)]);

  await t.throwsAsync(store.commit([bind(2)]), { code: 'INVALID_STATE' });
  await t.notThrowsAsync(store.commit([bind(1)]));
  const { invitations } = (await store.loadNetwork(home.ledger.key))!;
  t.like(invitations[0]!.state, { keys: { staticKey: new Uint8Array(32).fill(1) } });
  await close();
});

test('a network sees nothing of another one', async t => {
  const { store, database, close } = await open(await temporaryFolder(t));
  const home = foundHome({ seed: 1 });
  const office = foundHome({ seed: 2 });
  join(home, invite(home));
  invite(office);
  await store.commit([...home.written, ...office.written]);

  await database.transact(async transaction => {
    const repository = new NetworkRepository(transaction, office.ledger.key);
    await repository.removeSecretsBefore(99);
    await repository.putHead(new Uint8Array(1));
    for (const { claimId } of home.ledger.invitations.list()) await repository.removeInvitation(claimId);
  });

  const kept = (await store.loadNetwork(home.ledger.key))!;
  t.is(kept.secrets.size, 1);
  t.is(kept.invitations.length, 1);
  t.true(kept.head!.length > 1);
  t.is((await store.load()).length, 2);
  t.is(await store.loadNetwork("x' OR '1'='1"), undefined);
  await close();
});

const HOSTILE = [
  "'; DROP TABLE membership_networks; --",
  "' OR '1'='1",
  '" OR ""="',
  '\\',
  '%',
  '_',
  "'",
  '`',
  '?',
  '??',
  ':name',
  '$1',
  '{{7*7}}',
  '\u202e',
  '\ud83d\ude00',
  'é',
  'NULL',
  '0x41',
  'a\u0000b',
  '/* */',
  'x'.repeat(64),
];

test('hostile names are kept byte for byte and nothing else happens', async t => {
  const { store, database, close } = await open(await temporaryFolder(t));
  const home = foundHome();
  await writeHome(store, home);
  const tables = async (): Promise<number> =>
    (await database.reader('sqlite_master').count<{ n: number }[]>({ n: '*' }))[0]!.n;
  const before = await tables();
  const claim = invite(home);
  const template = home.ledger.invitations.get(claimIdOf(provider, claim))!;
  const random = new SeededRandom(5);
  const invitations = HOSTILE.map((name, i) => ({
    ...template,
    name,
    user: name,
    nodeId: i + 1,
    claimId: randomBytes(random, 16),
  }));

  await store.commit(
    invitations.map(invitation => ({ kind: 'invitation', networkKey: home.ledger.key, invitation })),
  );

  const kept = (await store.loadNetwork(home.ledger.key))!.invitations;
  t.deepEqual(kept.map(({ name, user }) => [name, user]).sort(), HOSTILE.map(name => [name, name]).sort());
  t.is(await tables(), before);
  await close();
});

test('an operator token is used once, whoever asks at the same time', async t => {
  const { store, database, close } = await open(await temporaryFolder(t));
  const id = new Uint8Array(16).fill(7);
  const token = { id, psk: new Uint8Array(32).fill(8), expiresAt: on(1), use: undefined };
  const use = { network: new Uint8Array(16).fill(1), staticKey: new Uint8Array(32).fill(2) };
  const other = { network: new Uint8Array(16).fill(3), staticKey: new Uint8Array(32).fill(4) };
  const settings = new SettingsRepository(database.reader);
  await store.commit([{ kind: 'operatorToken', token }]);
  const fresh = await settings.operatorTokens();

  await store.commit([{ kind: 'operatorTokenUsed', id, use }]);
  await t.throwsAsync(store.commit([{ kind: 'operatorTokenUsed', id, use: other }]), {
    code: 'INVALID_STATE',
  });
  const used = await settings.operatorTokens();
  await store.commit([{ kind: 'operatorTokenForgotten', id }]);

  t.deepEqual(fresh, [token]);
  t.deepEqual(used, [{ ...token, use }]);
  t.deepEqual(await settings.operatorTokens(), []);
  await close();
});

test('a database of a newer program is refused', async t => {
  const path = await temporaryFolder(t);
  const later: Migration = { name: '29990101000000-mailbox-initial', up: async () => undefined };
  await (await open(path, [later])).close();

  await t.throwsAsync(open(path), { code: 'DATA_FOLDER_NEWER', message: /29990101000000-mailbox-initial/ });
});

test('a migration that fails leaves nothing behind and runs again next time', async t => {
  const path = await temporaryFolder(t);
  const name = '29990101000000-mailbox-initial';
  const failing: Migration = {
    name,
    async up(database) {
      await database.schema.createTable('mailbox_letters', table => table.text('id'));
      throw new Error('the power went out');
    },
  };
  const mended: Migration = {
    name,
    async up(database) {
      await database.schema.createTable('mailbox_letters', table => table.text('id'));
    },
  };

  await t.throwsAsync(open(path, [failing]), { message: /power/ });
  const { database, close } = await open(path, [mended]);

  t.true(await database.reader.schema.hasTable('mailbox_letters'));
  await close();
});

test('a file that is no database, or a damaged one, is named with what to do', async t => {
  const path = await temporaryFolder(t);
  await (await open(path)).close();
  await writeFile(
    joinPath(path, 'nmn.db'),
    'this is not a database, but it is long enough to be looked at'.repeat(50),
  );

  await t.throwsAsync(open(path), {
    code: 'DATABASE_DAMAGED',
    message: /restore the data folder from a backup/,
  });
});

test('no claim, token or private root key is in the folder', async t => {
  const path = await temporaryFolder(t);
  const { store, close } = await open(path);
  const home = foundHome();
  const claims = [invite(home), invite(home)];
  join(home, claims[0]!);
  await writeHome(store, home);
  await close();

  const content = Buffer.concat(
    await Promise.all((await readdir(path)).map(name => readFile(joinPath(path, name)))),
  );
  for (const secret of [...claims, home.genesis.root.privateKey, home.genesis.ownerKeys.signing.privateKey])
    t.false(content.includes(Buffer.from(secret)));
  t.true(content.includes(Buffer.from(home.ledger.key)), 'the search finds what is there');
});
