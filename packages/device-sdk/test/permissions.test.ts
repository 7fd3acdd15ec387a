import { defineCapability, t as type } from '@coconet/capabilities';
import { seconds } from '@coconet/cluster-protocol';
import test from 'ava';
import { Home } from './support/home.js';

const safe = defineCapability({
  id: 'org.coconet.test.safe',
  name: 'safe',
  title: 'A box that opens',
  revision: 1,
  tier: 'vendor',
  attributes: {
    open: { id: 1, type: type.bool() },
    code: { id: 2, type: type.string(), writable: true, minimumRole: 'owner' },
  },
  commands: { open: { id: 8 }, reset: { id: 9, minimumRole: 'owner' } },
  infoRequests: { codes: { id: 1, minimumRole: 'owner', response: { codes: type.string() } } },
});

async function safeAtHome(seed: number): Promise<{ readonly home: Home; readonly runs: string[] }> {
  const home = await Home.create(seed);
  const device = await home.device();
  const box = device.addResource('box', [safe]);
  const runs: string[] = [];
  box.safe.set({ open: false, code: '1234' });
  box.safe.handle({ open: () => void runs.push('open'), reset: () => void runs.push('reset') });
  box.safe.answer({ codes: () => ({ codes: '1234' }) });
  return { home, runs };
}

test('an owner sees and does everything', async t => {
  const { home, runs } = await safeAtHome(61);
  const owner = home.phone('owner');

  owner.send({ type: 'describe', requestId: 1 });
  owner.subscribe();
  const sent = [
    owner.call('box', safe, 'open'),
    owner.call('box', safe, 'reset'),
    owner.write('box', safe, { code: '9' }),
  ];
  await home.until(() => sent.every(command => owner.ends(command).length === 1));
  await home.until(() => owner.all('description').length > 0 && owner.all('report').length > 0);

  t.true(sent.every(command => owner.ends(command)[0]!.code === 'success'));
  t.deepEqual(runs, ['open', 'reset']);
  const [capability] = owner.all('description')[0]!.resources[0]!.capabilities;
  t.deepEqual(capability!.commands, [1, 8, 9]);
  t.deepEqual(capability!.attributes, [1, 2]);
  t.deepEqual(capability!.infoRequests, [1]);
});

test('from a guest everything is hidden that is kept for owners', async t => {
  const { home, runs } = await safeAtHome(62);
  const guest = home.phone('phone');

  guest.send({ type: 'describe', requestId: 1 });
  guest.subscribe();
  guest.send({ type: 'read', requestId: 2, resourceId: 'box', capabilityId: safe.id });
  guest.send({
    type: 'ask',
    requestId: 3,
    resourceId: 'box',
    capabilityId: safe.id,
    infoRequestId: 1,
    timeoutMs: 0,
    params: [],
  });
  const [open, reset, write] = [
    guest.call('box', safe, 'open'),
    guest.call('box', safe, 'reset'),
    guest.write('box', safe, { code: '9' }),
  ];
  await home.run(seconds(2));

  t.is(guest.ends(open)[0]!.code, 'success');
  t.is(guest.ends(reset)[0]!.code, 'permissionDenied');
  t.is(guest.ends(write)[0]!.code, 'permissionDenied');
  t.deepEqual(runs, ['open']);
  const [capability] = guest.all('description')[0]!.resources[0]!.capabilities;
  t.deepEqual(capability!.commands, [8]);
  t.deepEqual(capability!.attributes, [1]);
  t.is(capability!.infoRequests, undefined);
  t.deepEqual(guest.valuesOf('box', 2), []);
  t.deepEqual(
    guest.all('values')[0]!.entries.map(({ attributeId }) => attributeId),
    [1],
  );
  t.is(guest.all('answer')[0]!.code, 'permissionDenied');
});

test('another device has no right at all', async t => {
  const { home, runs } = await safeAtHome(63);
  const shelf = home.phone('Shelf');

  shelf.send({ type: 'describe', requestId: 1 });
  shelf.subscribe(7);
  shelf.send({ type: 'read', requestId: 2, resourceId: 'box', capabilityId: safe.id });
  const sent = shelf.call('box', safe, 'open');
  await home.run(seconds(2));

  t.is(shelf.ends(sent)[0]!.code, 'permissionDenied');
  t.deepEqual(runs, []);
  t.deepEqual(
    shelf.all('refused').map(({ what, id, code }) => [what, id, code]),
    [
      ['request', 1, 'permissionDenied'],
      ['subscription', 7, 'permissionDenied'],
    ],
  );
  t.is(shelf.all('values')[0]!.code, 'permissionDenied');
  t.is(shelf.all('report').length + shelf.all('description').length, 0);
});

test('bytes of any kind are counted and cost nothing else', async t => {
  const { home } = await safeAtHome(64);
  const guest = home.phone('phone');

  for (let i = 0; i < 50; i++)
    guest.sendBytes(Uint8Array.from({ length: i }, () => home.world.random.below(256)));
  guest.send({ type: 'refused', what: 'request', id: 1, code: 'busy' });
  await home.run(seconds(2));
  const sent = guest.call('box', safe, 'open');
  await home.until(() => guest.ends(sent).length === 1);

  t.is(guest.messages.length, 1);
});
