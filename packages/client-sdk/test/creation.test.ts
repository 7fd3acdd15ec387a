import { MemoryStore, milliseconds, seconds } from '@coconet/cluster-protocol';
import { formatOperatorUri, parseOperatorUri } from '@coconet/cluster-protocol/core';
import { type SimulatedHost, SimulatedWorld } from '@coconet/cluster-protocol/testing';
import test from 'ava';

import { crypto } from '../../nmn/test/support/simulated-home.js';
import { NMN_PORT, startNmn } from '../../nmn/test/support/simulated-nmn.js';
import { ClientError } from '../src/errors.js';
import { foundNetwork } from '../src/found-network.js';
import type { CreatedNetwork, CreateNetworkOptions } from '../src/network.js';
import { openNetwork } from '../src/open-network.js';
import type { Platform } from '../src/platform/platform.js';
import { caught, platformOf } from './support/house.js';

const ROOT_FILE = '/media/stick/home.key';

/** An operator with an NMN, and somebody who creates a network with a URI of theirs. */
function site(seed: number) {
  const world = new SimulatedWorld({ seed, crypto, yieldTurn: () => new Promise(setImmediate) });
  const board = world.host({ name: 'nmn' });
  const nmn = startNmn(crypto, board);
  const operator = formatOperatorUri({
    nmnKey: nmn.staticKey,
    token: nmn.token,
    hosts: [{ host: board.address(NMN_PORT).host, port: NMN_PORT }],
  });
  const files = new Map<string, string>();
  const store = new MemoryStore();
  const platform = (host: SimulatedHost): Platform => ({
    ...platformOf(host),
    resolve: async name => [name],
    writePrivateFile: async (path, text) => {
      if (files.has(path)) throw new ClientError('FILE_EXISTS', `${path} exists already`);
      files.set(path, text);
    },
    removeFile: async path => void files.delete(path),
  });
  const create = (host: SimulatedHost, more: Partial<CreateNetworkOptions> = {}): Promise<CreatedNetwork> =>
    foundNetwork(platform(host), {
      operator,
      name: 'Home',
      user: 'Ada',
      store,
      rootFile: ROOT_FILE,
      ...more,
    });
  const during = async <T>(promise: Promise<T>): Promise<T> => {
    let settled = false;
    const done = (): void => {
      settled = true;
    };
    promise.then(done, done);
    await world.until(() => settled, seconds(120), 'the promise');
    return promise;
  };
  return {
    world,
    nmn,
    life: nmn.life,
    operator,
    files,
    store,
    platform,
    create,
    during,
    owner: world.host({ name: 'Ada' }),
  };
}

type Site = ReturnType<typeof site>;

/** Until the NMN has a creation in hand that it has not written yet. */
async function untilAsked({ world, nmn }: Site): Promise<void> {
  nmn.disk.held = true;
  await world.until(() => nmn.machine.pendingCommits > 0, seconds(10), 'the request');
  await world.run(milliseconds(50));
}

const keyOf = ({ files }: Site): string | undefined => files.get(ROOT_FILE);

test('a creation whose answer was lost is asked for again, and is the same network', async t => {
  const place = site(31);
  const { world, nmn, owner, create, during, store, platform } = place;
  const creating = create(owner);
  await untilAsked(place);
  owner.board.setConditions({ down: true });
  await world.run(milliseconds(50));
  nmn.disk.release();
  await world.run(seconds(20));
  owner.board.setConditions({ down: false });

  const created = await during(creating);

  t.is(nmn.disk.all().length, 1);
  t.is(created.networkId, nmn.disk.all()[0]!.network.key);
  t.regex(keyOf(place) ?? '', new RegExp(`^coconet-root-key-v1 ${created.networkId} `));
  t.is(nmn.disk.tokens.size, 1, 'it may still be asked for');
  const network = await during(openNetwork(platform(owner), { store, allowDocumentationAddresses: true }));
  await world.run(seconds(5));
  t.is(network.role, 'owner');
  t.is(nmn.disk.tokens.size, 0, 'its owner has come');
});

test('a creator that died after it had asked finishes at its next start, with the same root key', async t => {
  const place = site(32);
  const { world, nmn, owner, create, during } = place;
  void create(owner);
  await untilAsked(place);
  const again = owner.restart();
  nmn.disk.release();
  await world.run(seconds(1));
  const key = keyOf(place);

  const otherName = await caught(during(create(again, { name: 'Work' })));
  const created = await during(create(again));

  t.is(otherName.code, 'INVALID_OPTION');
  t.regex(otherName.message, /Home.*interrupted/);
  t.deepEqual(
    nmn.disk.all().map(({ network }) => network.key),
    [created.networkId],
  );
  t.is(keyOf(place), key);
});

test('an NMN that dies after it has written and before it has answered gives the same network', async t => {
  const place = site(33);
  const { world, nmn, life, owner, create, during } = place;
  const creating = create(owner);
  await untilAsked(place);
  nmn.host.crash();
  nmn.disk.release();
  await world.run(seconds(2));
  startNmn(crypto, nmn.host.board.powerOn(), life);

  const created = await during(creating);

  t.deepEqual(
    nmn.disk.all().map(({ network }) => network.key),
    [created.networkId],
  );
});

test('an NMN that dies before it has written is asked anew, with a new root key', async t => {
  const place = site(34);
  const { world, nmn, life, owner, create, during } = place;
  const creating = create(owner);
  await untilAsked(place);
  const key = keyOf(place);
  nmn.host.crash();
  nmn.disk.broken = true;
  nmn.disk.release();
  nmn.disk.broken = false;
  await world.run(seconds(2));
  startNmn(crypto, nmn.host.board.powerOn(), life);

  const created = await during(creating);

  t.deepEqual(
    nmn.disk.all().map(({ network }) => network.key),
    [created.networkId],
  );
  t.not(keyOf(place), key);
  t.regex(keyOf(place) ?? '', new RegExp(created.networkId));
});

test('a creation that the disk refuses spends no token and leaves no key', async t => {
  const place = site(35);
  const { world, nmn, owner, create, during } = place;
  nmn.disk.broken = true;

  const refused = await caught(during(create(owner)));
  await world.run(seconds(1));
  const left = keyOf(place);
  nmn.disk.broken = false;
  const created = await during(create(owner));

  t.is(refused.code, 'ADMIN_REFUSED');
  t.regex(refused.message, /cannot write to its disk/);
  t.is(left, undefined);
  t.deepEqual(
    nmn.disk.all().map(({ network }) => network.key),
    [created.networkId],
  );
});

test('of two who use one operator URI at once, one creates a network and the other leaves nothing behind', async t => {
  const place = site(36);
  const { world, nmn, owner, create, during, files } = place;
  const other = world.host({ name: 'Eve' });

  const outcomes = await during(
    Promise.allSettled([
      create(owner),
      create(other, { store: new MemoryStore(), rootFile: '/home/eve/home.key' }),
    ]),
  );
  const late = await caught(during(create(other, { store: new MemoryStore(), rootFile: '/late.key' })));

  t.is(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
  t.is(nmn.disk.all().length, 1);
  t.is(files.size, 1);
  t.is(late.code, 'JOIN_REFUSED');
  t.regex(late.message, /has made a network already/);
});

test('an NMN that never comes back leaves what finishes the creation, and says so', async t => {
  const place = site(37);
  const { nmn, owner, create, during, operator } = place;
  const creating = create(owner);
  await untilAsked(place);
  nmn.host.crash();

  const error = await caught(during(creating));

  t.is(error.code, 'NMN_UNREACHABLE');
  t.regex(error.message, /may be there nevertheless.*create it again in the same way/);
  t.truthy(keyOf(place));
  t.deepEqual(parseOperatorUri(operator).token, nmn.token);
});

test('a creation that is called off before it was asked for leaves nothing', async t => {
  const place = site(38);
  const { world, nmn, owner, create, during } = place;
  const abort = new AbortController();
  nmn.host.board.setConditions({ down: true });
  const creating = caught(create(owner, { signal: abort.signal }));
  await world.run(seconds(3));
  const began = owner.now();

  abort.abort();
  const error = await during(creating);

  t.is(error.code, 'CANCELLED');
  t.true(owner.now() - began < 1_000, 'at once');
  t.is(keyOf(place), undefined);
});
