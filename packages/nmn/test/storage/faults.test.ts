import { copyFile, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  createNodeKeys,
  type MemberRuntime,
  MemoryStore,
  milliseconds,
} from '@coconet/cluster-protocol/core';
import { createNodeHost } from '@coconet/cluster-protocol/node';
import test, { type ExecutionContext } from 'ava';

import { type RunningNmn, startNmn } from '../../src/nmn.js';
import { DataFolder } from '../../src/storage/data-folder.js';
import { Database } from '../../src/storage/database.js';
import { NmnStore } from '../../src/storage/nmn-store.js';
import { type Fault, FaultyIo } from '../support/faulty-io.js';
import { HurriedHost } from '../support/hurried-host.js';
import { halvesOf, ledgerOf } from '../support/kill/wholeness.js';
import {
  askNmn,
  createWith,
  invite,
  joinUriOf,
  joinWith,
  openMember,
  revocationOf,
  type Owner,
} from '../support/members.js';
import { provider, temporaryFolder } from '../support/surroundings.js';

const host = await createNodeHost();
/** The NMN's, which reads a network again soon after it could not. */
const hurried = new HurriedHost(host);
const io = await FaultyIo.install();

/** Every way in which one I/O, or all from one on, can fail. */
const WAYS: readonly Omit<Fault, 'at'>[] = [
  { lasting: false, error: 'EIO' },
  { lasting: true, error: 'ENOSPC' },
];

/** Asked so often, an NMN whose disk is mended has read its memory again, on a busy machine as well. */
const TRIES = 80;
const BETWEEN = milliseconds(20);

/**
 * Asks until the answer is another one than that the NMN cannot at the moment. Nothing but its answers tells when it has
 * read its memory again, and in one session it takes only so many questions in a second.
 */
async function untilAble<T>(ask: () => Promise<T>, isUnable: (answer: T) => boolean): Promise<T> {
  let answer = await ask();
  for (let tries = 0; isUnable(answer) && tries < TRIES; tries++) {
    await new Promise<void>(resolve => {
      host.schedule(BETWEEN, resolve);
    });
    answer = await ask();
  }
  return answer;
}

const isUnavailable = (outcome: string): boolean => outcome === 'unavailable';

/** More I/Os than anything here needs: whoever comes to this goes round in circles. */
const MOST = 400;

interface Home {
  readonly nmn: RunningNmn;
  readonly folder: string;
  readonly owner: Owner;
  readonly lines: string[];
}

async function home(t: ExecutionContext, folder: string): Promise<Home> {
  const lines: string[] = [];
  const joins = { perSecond: 1e6, capacity: 1e6 };
  const nmn = await startNmn({
    config: {
      dataFolder: folder,
      listen: { port: 0, bind: ['127.0.0.1'] },
      http: { enabled: false },
      membership: { openInvitations: 100_000, joins, joinsPerSource: joins },
    },
    host: hurried,
    log: line => lines.push(line),
  });
  t.teardown(() => nmn.close());
  const owner = await createWith(host, await nmn.operatorUri());
  // What its first session makes the NMN write is written then; its store goes on in `asOwner`.
  await askNmn(owner.runtime, { type: 'secret' });
  await owner.runtime.close();
  return { nmn, folder, owner, lines };
}

/** The owner in a session of its own, because each may ask for only so much in a second. */
async function asOwner<T>({ owner }: Home, act: (runtime: MemberRuntime) => Promise<T>): Promise<T> {
  const runtime = await openMember(host, owner.runtime.store, 'client');
  try {
    return await act(runtime);
  } finally {
    await runtime.close();
  }
}

/** What is on disk, as the next start would find it. */
async function flawsOnDisk(folder: string): Promise<string[]> {
  const copy = await mkdtemp(join(tmpdir(), 'coconet-nmn-copy-'));
  try {
    for (const name of await readdir(folder))
      if (!name.endsWith('.sock')) await copyFile(join(folder, name), join(copy, name));
    const store = await NmnStore.open(copy, []);
    const networks = await store.changes.load();
    await store.close();
    return networks.flatMap(contents => halvesOf(contents, ledgerOf(provider, contents)));
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

const known = (owner: MemberRuntime, nodeId: number): Promise<void> =>
  new Promise(resolve => {
    const look = (): void => {
      if (!owner.node.nodes().some(node => node.nodeId === nodeId)) return;
      off();
      resolve();
    };
    const off = owner.on(look);
    look();
  });

/** What an answer says to somebody who only wants to know whether it was done. */
const outcomeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: unknown) => {
      const text = String(error);
      return /cannot write to its disk|could not be written to disk/.test(text) ? 'unavailable' : text;
    },
  );

/** One kind of write: what has to be there before, and what asks for it. */
interface Write {
  readonly name: string;
  prepare(home: Home): Promise<() => Promise<unknown>>;
}

const WRITES: readonly Write[] = [
  {
    name: 'an operator token',
    prepare:
      async ({ nmn }) =>
      () =>
        nmn.operatorUri(),
  },
  { name: 'an invitation', prepare: async home => () => asOwner(home, owner => invite(owner)) },
  {
    name: 'a join',
    prepare: async home => {
      const claim = await asOwner(home, owner => invite(owner));
      const keys = createNodeKeys(host.crypto, host.random);
      return () => joinWith(host, home.owner, claim, keys);
    },
  },
  {
    name: 'a revocation',
    prepare: async home => {
      const record = await asOwner(home, async owner => {
        const { membership } = await joinWith(host, home.owner, await invite(owner));
        await known(owner, membership.nodeId);
        return revocationOf(owner, membership.nodeId);
      });
      return () =>
        asOwner(home, async owner => {
          const answer = await askNmn(owner, { type: 'revoke', record });
          if (answer.type !== 'revoked') throw new Error(JSON.stringify(answer));
        });
    },
  },
];

for (const { name, prepare } of WRITES)
  for (const { lasting, error } of WAYS)
    test.serial(
      `${name} that meets ${lasting ? 'lasting' : 'one'} ${error} is refused and left out, and works afterwards`,
      async t => {
        t.timeout(120_000);
        t.teardown(() => io.mend());
        const at = await home(t, join(await temporaryFolder(t), 'nmn'));
        let nth = 0;
        for (let met = true; met && nth < MOST;) {
          const act = await prepare(at);
          io.break({ at: ++nth, lasting, error });
          const answer = await outcomeOf(act());
          met = io.mend();
          t.is(answer, met ? 'unavailable' : 'done', `I/O ${nth}`);
          // Its memory is read again from the disk, which may take a moment.
          const again = met ? await untilAble(() => outcomeOf(act()), isUnavailable) : answer;
          t.is(again, 'done', `after I/O ${nth}`);
        }

        t.true(nth > 3 && nth < MOST);
        t.deepEqual(await flawsOnDisk(at.folder), []);
        // What an operator reads names the disk, not what the database made of it.
        const said = at.lines.filter(line => line.includes('commitFailed'));
        t.true(said.length > 0);
        for (const line of said) t.regex(line, /disk/);
      },
    );

/** Copies of a data folder made while nothing writes to it. */
async function copyOf(folder: string, to: string): Promise<string> {
  await mkdir(to, { mode: 0o700 });
  for (const name of await readdir(folder))
    if (!name.endsWith('.sock')) await copyFile(join(folder, name), join(to, name));
  return to;
}

for (const { lasting, error } of WAYS)
  test.serial(
    `a start that meets ${lasting ? 'lasting' : 'one'} ${error} says so, and the next one works`,
    async t => {
      t.timeout(120_000);
      t.teardown(() => io.mend());
      const base = await temporaryFolder(t);
      const filled = join(base, 'filled');
      const { nmn } = await home(t, filled);
      await nmn.close();
      const start = async (folder: string): Promise<string> => {
        const store = await NmnStore.open(folder, []);
        try {
          await store.identify(host.crypto, host.random);
          return `${(await store.changes.load()).length} networks`;
        } finally {
          await store.close();
        }
      };

      let nth = 0;
      for (let met = true; met && nth < MOST;) {
        const folder = await copyOf(filled, join(base, String(++nth)));
        io.break({ at: nth, lasting, error });
        const outcome = await start(folder).catch((thrown: unknown) => thrown);
        met = io.mend();

        // Our own errors name the folder, those of SQLite and the file system the fault.
        if (outcome instanceof Error)
          t.regex(String(outcome), /NmnError|SQLITE_(IOERR|FULL)|EIO|ENOSPC/, `I/O ${nth}`);
        else t.is(outcome, '1 networks', `I/O ${nth}`);
        t.is(await start(folder), '1 networks', `after I/O ${nth}`);
      }

      t.true(nth > 10 && nth < MOST);
    },
  );

test.serial('a first start that is killed at any step is finished by the next one', async t => {
  t.timeout(120_000);
  t.teardown(() => io.mend());
  const base = await temporaryFolder(t);
  const folder = join(base, 'first');
  const copies: string[] = [];
  io.beforeStatements(async () => {
    copies.push(await copyOf(folder, join(base, `killed-${copies.length}`)));
  });
  const first = await NmnStore.open(folder, []);
  io.beforeStatements();
  await first.close();

  const tables = await schemaOf(folder);
  for (const copy of copies) {
    const next = await NmnStore.open(copy, []);
    await next.close();
    t.deepEqual(await schemaOf(copy), tables, copy);
  }
  t.true(copies.length > 20);
});

async function schemaOf(folder: string): Promise<unknown> {
  const held = await DataFolder.open(folder);
  const database = await Database.open(held);
  const tables: unknown = await database
    .reader('sqlite_master')
    .select('name', 'sql')
    .where({ type: 'table' })
    .orderBy('name');
  await database.close();
  await held.close();
  return tables;
}

test.serial(
  'on a full disk nothing is written, reads and sessions go on, and writes do when there is room',
  async t => {
    const at = await home(t, join(await temporaryFolder(t), 'nmn'));
    await asOwner(at, async owner => {
      const claim = await invite(owner);
      const lamp = new MemoryStore();
      const phone = new MemoryStore();
      const uri = async (kind: 'device' | 'client'): Promise<string> =>
        joinUriOf({ network: at.owner.genesis.network, ...at.owner }, await invite(owner, { kind }));
      const device = await openMember(host, lamp, 'device', await uri('device'));
      t.teardown(() => device.close());
      const client = await openMember(host, phone, 'client', await uri('client'));
      t.teardown(() => client.close());
      await known(client, device.node.nodeId);
      const limit = await fillDisk(io, at.folder);

      const refused: string[] = [];
      while (refused.at(-1) !== 'unavailable') refused.push(await outcomeOf(invite(owner)));
      const joined = await outcomeOf(joinWith(host, at.owner, claim));
      let secret = await askNmn(owner, { type: 'secret' });
      for (let tries = 0; secret.type === 'error' && tries < TRIES; tries++)
        secret = await askNmn(owner, { type: 'secret' });
      const heard = new Promise<Uint8Array>(resolve => {
        device.on(event => {
          if (event.kind === 'message') resolve(event.bytes);
        });
      });
      client.do((node, now) => node.send(now, device.node.nodeId, 0x8000, new Uint8Array([7])));
      const bytes = await heard;
      await limit.lift();
      let again = joined;
      for (let tries = 0; again === 'unavailable' && tries < TRIES; tries++)
        again = await outcomeOf(joinWith(host, at.owner, claim));

      t.is(joined, 'unavailable');
      t.is(secret.type, 'secretIs');
      t.deepEqual([...bytes], [7]);
      t.is(again, 'done');
    });
    t.deepEqual(await flawsOnDisk(at.folder), []);
  },
);

/** SQLite's own answer to a full disk: the database may not grow by a page. */
async function fillDisk(disk: FaultyIo, folder: string): Promise<{ lift(): Promise<void> }> {
  const file = join(folder, 'nmn.db');
  const database = disk.databases.find(entry => 'filename' in entry && entry.filename === file);
  if (!database) throw new Error(`nobody has opened ${file}`);
  const limit = (pages: number): Promise<void> =>
    new Promise((resolve, reject) => {
      database.exec(`PRAGMA max_page_count = ${pages};`, failed => {
        if (failed) reject(failed);
        else resolve();
      });
    });
  await limit(1); // It cannot be less than there is.
  return { lift: () => limit(1_000_000) };
}
