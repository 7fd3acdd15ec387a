import { defineCapability, level, onOff, t as type, telemetry } from '@coconet/capabilities';
import { milliseconds, seconds } from '@coconet/cluster-protocol';
import test from 'ava';
import { CommandRefused } from '../src/index.js';
import type { CommandContext } from '../src/index.js';
import { Home } from './support/home.js';
import type { Phone } from './support/phone.js';

const counterCapability = defineCapability({
  id: 'org.coconet.test.counter',
  name: 'counter',
  title: 'Counts what is asked of it',
  revision: 1,
  tier: 'vendor',
  attributes: {
    count: { id: 1, type: type.uint32() },
    step: { id: 2, type: type.uint8({ min: 1, max: 9 }), writable: true },
    secret: { id: 3, type: type.string(), minimumRole: 'admin' },
  },
  commands: {
    add: {
      id: 8,
      parameters: { by: type.optional(type.uint8({ max: 100 })) },
      response: { total: type.uint32() },
    },
    ensure: { id: 9, idempotent: true },
    erase: { id: 10, minimumRole: 'owner' },
    fail: { id: 11 },
  },
  infoRequests: { history: { id: 1, response: { totals: type.array(type.uint32(), { arrayLength: 10 }) } } },
});

const cutReplies = (phone: Phone, cut: boolean): void => {
  for (const attachment of phone.host.board.attachments) attachment.down.set({ loss: cut ? 1 : 0 });
};

test('under loss and duplication every command runs once and every sender learns so', async t => {
  const home = await Home.create(11);
  const device = await home.device();
  const counter = device.addResource('counter', [counterCapability]);
  let runs = 0;
  counter.counter.handle({ add: () => ({ total: ++runs }) });
  const phone = home.phone();
  for (const host of [phone.host, home.host])
    for (const attachment of host.board.attachments)
      attachment.set({ loss: 0.3, duplicate: 0.3, reorder: 0.3, jitter: milliseconds(20) });

  const sent = Array.from({ length: 30 }, () => phone.call('counter', counterCapability, 'add'));
  await home.until(() => sent.every(command => phone.ends(command).length > 0), seconds(60), 'all statuses');
  await home.run(seconds(20));

  t.is(runs, 30);
  t.true(sent.every(command => phone.ends(command).length === 1));
  t.deepEqual(
    sent.map(command => Number(phone.ends(command)[0]!.response?.[0])).sort((a, b) => a - b),
    Array.from({ length: 30 }, (_, i) => i + 1),
  );
});

test('a finished command that comes again after a restart gets its stored status and does not run', async t => {
  const home = await Home.create(12);
  let runs = 0;
  const start = async (): Promise<void> => {
    const device = await home.device();
    device.addResource('counter', [counterCapability]).counter.handle({ add: () => ({ total: ++runs }) });
  };
  await start();
  const phone = home.phone();
  phone.connect();
  await home.until(() => phone.connections() === 1);
  cutReplies(phone, true);

  const sent = phone.call('counter', counterCapability, 'add');
  await home.until(() => runs === 1);
  await home.run(milliseconds(300));
  home.restart();
  cutReplies(phone, false);
  await start();
  await home.until(() => phone.ends(sent).length > 0, seconds(20), 'the stored status');
  await home.run(seconds(10));

  t.is(runs, 1);
  t.deepEqual(
    phone.ends(sent).map(({ code, response }) => [code, response]),
    [['success', [1]]],
  );
});

test('a command whose device died in its handler does not run again and settles as outcomeUnknown', async t => {
  const home = await Home.create(13);
  let runs = 0;
  const first = await home.device();
  first.addResource('counter', [counterCapability]).counter.handle({
    add: () => {
      runs++;
      return new Promise(() => undefined);
    },
  });
  const phone = home.phone();
  phone.connect();
  const sent = phone.call('counter', counterCapability, 'add');
  await home.until(() => runs === 1);

  home.restart();
  const second = await home.device();
  second.addResource('counter', [counterCapability]).counter.handle({ add: () => ({ total: ++runs }) });
  await home.until(() => phone.ends(sent).length > 0, seconds(30), 'the late truth');
  await home.run(seconds(5));

  t.is(runs, 1);
  t.deepEqual(
    phone.ends(sent).map(({ code }) => code),
    ['outcomeUnknown'],
  );
});

test('an interrupted command that is idempotent runs again when it comes again', async t => {
  const home = await Home.create(14);
  const first = await home.device();
  let began = 0;
  first.addResource('counter', [counterCapability]).counter.handle({
    ensure: () => {
      began++;
      return new Promise(() => undefined);
    },
  });
  const phone = home.phone();
  phone.connect();
  await home.until(() => phone.connections() === 1);
  cutReplies(phone, true);
  const sent = phone.call('counter', counterCapability, 'ensure');
  await home.until(() => began === 1);
  await home.run(milliseconds(100));

  home.restart();
  cutReplies(phone, false);
  let again = 0;
  const second = await home.device();
  second.addResource('counter', [counterCapability]).counter.handle({
    ensure: () => {
      again++;
    },
  });
  await home.until(() => phone.ends(sent).length > 0, seconds(20), 'the status');

  t.is(again, 1);
  t.is(phone.ends(sent)[0]!.code, 'success');
});

test('what there is not, may not be or is out of range is refused with its status and its field', async t => {
  const home = await Home.create(15);
  const device = await home.device();
  const lamp = device.addResource('lamp', [level, onOff, counterCapability]);
  let runs = 0;
  lamp.level.handle({
    setLevel: () => {
      runs++;
    },
  });
  lamp.counter.handle({
    erase: () => {
      runs++;
    },
  });
  lamp.level.limit({ level: { max: 80 } });
  const phone = home.phone();

  const cases = [
    [phone.call('lamb', level, 'setLevel', { level: 1 }), 'notFound', 'resourceId', /did you mean lamp\?/],
    [
      phone.call('lamp', telemetry, 'unsubscribe', { subscriptionId: '1' }),
      'notFound',
      'capabilityId',
      /level/,
    ],
    [phone.command('lamp', level, 8, [1], { instance: 'L1' }), 'notFound', 'instance', /has no level 'L1'/],
    [phone.command('lamp', level, 99), 'commandNotSupported', 'commandId', /it has setLevel/],
    [phone.call('lamp', onOff, 'toggle'), 'commandNotSupported', 'commandId', /it has none/],
    [phone.command('lamp', onOff, 0), 'commandNotSupported', 'commandId', /refresh/],
    [phone.command('lamp', level, 8, [140]), 'invalid', 'level', /is 140, allowed is 0…100 %/],
    [phone.command('lamp', level, 8, ['bright']), 'invalid', 'level', /not a number/],
    [phone.command('lamp', level, 8, []), 'invalid', 'level', /is missing/],
    [phone.command('lamp', counterCapability, 10), 'permissionDenied', undefined, /needs the role owner/],
    [phone.write('lamp', counterCapability, { step: 3 }), 'success', undefined, undefined],
    [phone.command('lamp', counterCapability, 1, [2, 12]), 'invalid', 'step', /is 12, allowed is 1…9/],
    [phone.command('lamp', counterCapability, 1, [1, 12]), 'invalid', 'count', /cannot be written/],
  ] as const;
  await home.until(() => cases.every(([sent]) => phone.ends(sent).length === 1));

  for (const [sent, code, field, sentence] of cases) {
    const status = phone.ends(sent)[0]!;
    t.is(status.code, code);
    t.is(status.field, field);
    if (sentence !== undefined) t.regex(status.message ?? '', sentence);
  }
  t.is(runs, 0);
  t.is(lamp.counter.get('step'), 3);
});

test('a refused command stays refused, also after a restart that would allow it', async t => {
  const home = await Home.create(16);
  await home.device();
  const phone = home.phone();
  phone.connect();
  await home.until(() => phone.connections() === 1);
  cutReplies(phone, true);
  const sent = phone.call('counter', counterCapability, 'add');
  await home.run(milliseconds(300));

  home.restart();
  cutReplies(phone, false);
  let runs = 0;
  const device = await home.device();
  device.addResource('counter', [counterCapability]).counter.handle({ add: () => ({ total: ++runs }) });
  await home.until(() => phone.ends(sent).length > 0, seconds(20), 'the status');
  await home.run(seconds(5));

  t.is(runs, 0);
  t.is(phone.ends(sent)[0]!.code, 'notFound');
});

test('a handler ends its command with a response, a refusal, its own mistake or a failure without details', async t => {
  const home = await Home.create(17);
  const device = await home.device();
  const { counter } = device.addResource('counter', [counterCapability]);
  const outcomes: (() => { total: number })[] = [
    () => ({ total: 7 }),
    () => {
      throw new CommandRefused('authFailed', 'that code is wrong', { field: 'code' });
    },
    () => {
      counter.set({ count: -1 });
      return { total: 0 };
    },
    () => {
      throw new Error('ENOENT /secret/path');
    },
    () => ({ total: -5 }),
  ];
  counter.handle({ add: ({ by }) => outcomes[by ?? 0]!() });
  const phone = home.phone();

  const sent = outcomes.map((_, by) => phone.call('counter', counterCapability, 'add', { by }));
  await home.until(() => sent.every(command => phone.ends(command).length === 1));

  const ends = sent.map(command => phone.ends(command)[0]!);
  t.deepEqual(
    ends.map(({ code }) => code),
    ['success', 'authFailed', 'invalid', 'failure', 'failure'],
  );
  t.deepEqual(ends[0]!.response, [7]);
  t.is(ends[1]!.field, 'code');
  t.is(ends[2]!.field, 'count');
  t.notRegex(ends[3]!.message!, /secret|ENOENT|at /);
  t.true(home.notices.some(text => text.includes('ENOENT /secret/path')));
  t.true(home.notices.some(text => text.includes('does not fit its definition')));
});

test('a running command is told that its sender cancelled it, and reports how far it was', async t => {
  const home = await Home.create(18);
  const device = await home.device();
  const { counter } = device.addResource('counter', [counterCapability]);
  let running: CommandContext | undefined;
  counter.handle({
    add: (_, context) => {
      running = context;
      context.progress(25, 'a quarter');
      return new Promise((_resolve, reject) => {
        context.signal.addEventListener('abort', () => {
          reject(new Error('stopped'));
        });
      });
    },
  });
  const phone = home.phone();

  const sent = phone.call('counter', counterCapability, 'add');
  await home.until(() => phone.all('status').length === 1);
  phone.send({ type: 'cancel', ...sent });
  await home.until(() => phone.ends(sent).length === 1);

  t.true(running!.signal.aborted);
  t.deepEqual(
    phone.all('status').map(({ code, progress, message }) => [code, progress, message]),
    [
      ['inProgress', 25, 'a quarter'],
      ['failure', undefined, 'counter counter.add was stopped because its sender cancelled it'],
    ],
  );
});

test('a cancel that overtakes its command keeps it from running', async t => {
  const home = await Home.create(19);
  const device = await home.device();
  let runs = 0;
  device.addResource('counter', [counterCapability]).counter.handle({ add: () => ({ total: ++runs }) });
  const phone = home.phone();
  phone.connect();
  await home.until(() => phone.connections() === 1);

  const next = phone.send({ type: 'unsubscribe', subscriptionId: 9 }) + 2;
  phone.send({ type: 'cancel', incarnation: phone.incarnation, sequence: next });
  await home.run(seconds(1));
  const sent = phone.call('counter', counterCapability, 'add');
  await home.run(seconds(1));

  t.is(sent.sequence, next);
  t.is(runs, 0);
  t.deepEqual(
    phone.ends(sent).map(({ code }) => code),
    ['cancelled'],
  );
});

test('a command whose time is over before the ledger has it is expired and never runs', async t => {
  const home = await Home.create(20);
  const device = await home.device();
  let runs = 0;
  device.addResource('counter', [counterCapability]).counter.handle({ add: () => ({ total: ++runs }) });
  home.host.disk().syncDelay = milliseconds(500);
  const phone = home.phone();
  phone.connect();
  await home.until(() => phone.connections() === 1);

  const sent = phone.call('counter', counterCapability, 'add', {}, { expiresInMs: 200 });
  await home.until(() => phone.ends(sent).length === 1);

  t.is(phone.ends(sent)[0]!.code, 'expired');
  t.is(runs, 0);
});

test('a status that is later than the sender waits is sent all the same', async t => {
  const home = await Home.create(21);
  const device = await home.device();
  let finish: (() => void) | undefined;
  device.addResource('counter', [counterCapability]).counter.handle({
    add: () =>
      new Promise(resolve => {
        finish = () => {
          resolve({ total: 1 });
        };
      }),
  });
  const phone = home.phone();

  const sent = phone.call('counter', counterCapability, 'add', {}, { timeoutMs: 100 });
  await home.run(seconds(10));
  t.is(phone.ends(sent).length, 0);
  finish!();
  await home.until(() => phone.ends(sent).length === 1);

  t.is(phone.ends(sent)[0]!.code, 'success');
});

test('a device that cannot record a command refuses it', async t => {
  const home = await Home.create(22);
  const device = await home.device();
  let runs = 0;
  device.addResource('counter', [counterCapability]).counter.handle({ add: () => ({ total: ++runs }) });
  const phone = home.phone();
  phone.connect();
  await home.until(() => phone.connections() === 1);
  home.host.disk().full = true;

  const sent = phone.call('counter', counterCapability, 'add');
  await home.until(() => phone.ends(sent).length === 1);

  t.is(runs, 0);
  t.is(phone.ends(sent)[0]!.code, 'failure');
  t.true(home.notices.some(text => text.includes('disk is full')));
});

test('commands beyond what one sender may have under way are answered busy', async t => {
  const home = await Home.create(23);
  const device = await home.device();
  device
    .addResource('counter', [counterCapability])
    .counter.handle({ ensure: () => new Promise(() => undefined) });
  const phone = home.phone();

  const sent = Array.from({ length: 70 }, () => phone.call('counter', counterCapability, 'ensure'));
  await home.run(seconds(2));

  const ends = sent.flatMap(command => phone.ends(command));
  t.is(ends.length, 6);
  t.true(ends.every(({ code }) => code === 'busy'));
});

test('commands to one resource start in the order they came, the fast after the slow', async t => {
  const home = await Home.create(24);
  const device = await home.device();
  const order: string[] = [];
  device.addResource('counter', [counterCapability]).counter.handle({
    add: () => ({ total: order.push('add') }),
    ensure: () => void order.push('ensure'),
  });
  home.host.disk().syncDelay = milliseconds(100);
  const phone = home.phone();
  phone.connect();
  await home.until(() => phone.connections() === 1);

  phone.call('counter', counterCapability, 'add');
  await home.run(milliseconds(60));
  phone.call('counter', counterCapability, 'ensure');
  await home.until(() => order.length === 2);

  t.deepEqual(order, ['add', 'ensure']);
});

test('refresh asks the handler for the attributes wanted, or for all', async t => {
  const home = await Home.create(25);
  const device = await home.device();
  const wanted: string[] = [];
  const lamp = device.addResource('lamp', [onOff]);
  lamp.onOff.handle({ refresh: names => void wanted.push(names.join()) });
  const phone = home.phone();

  const all = phone.command('lamp', onOff, 0);
  await home.until(() => phone.ends(all).length === 1);
  const one = phone.command('lamp', onOff, 0, [1]);
  const wrong = phone.command('lamp', onOff, 0, [77]);
  await home.until(() => phone.ends(one).length + phone.ends(wrong).length === 2);

  t.deepEqual(wanted, ['on,startupBehavior', 'on']);
  t.is(phone.ends(wrong)[0]!.code, 'invalid');
});

test('a write handler may refuse all values, and what it sets itself is not set over', async t => {
  const home = await Home.create(26);
  const device = await home.device();
  const { counter } = device.addResource('counter', [counterCapability]);
  counter.handle({
    write: ({ step }) => {
      if (step === 9) throw new CommandRefused('rejected', 'nine is too fast');
      if (step === 8) counter.set({ step: 7 });
    },
  });
  const phone = home.phone();

  const [plain, rounded, refused] = [5, 8, 9].map(step =>
    phone.write('counter', counterCapability, { step }),
  );
  await home.until(() => [plain, rounded, refused].every(sent => phone.ends(sent!).length === 1));

  t.is(counter.get('step'), 7);
  t.deepEqual(
    [plain, rounded, refused].map(sent => phone.ends(sent!)[0]!.code),
    ['success', 'success', 'rejected'],
  );
});

test('an info request is answered, or refused with its reason', async t => {
  const home = await Home.create(27);
  const device = await home.device();
  device
    .addResource('counter', [counterCapability])
    .counter.answer({ history: () => ({ totals: [1, 2, 3] }) });
  device.addResource('silent', [counterCapability]);
  const phone = home.phone();
  const ask = (requestId: number, resourceId: string): number =>
    phone.send({
      type: 'ask',
      requestId,
      resourceId,
      capabilityId: counterCapability.id,
      infoRequestId: 1,
      timeoutMs: 0,
      params: [],
    });

  ask(1, 'counter');
  ask(2, 'silent');
  await home.until(() => phone.all('answer').length === 2);

  const answers = phone.all('answer').sort((a, b) => a.requestId - b.requestId);
  t.deepEqual(answers[0]!.response, [[1, 2, 3]]);
  t.is(answers[1]!.code, 'commandNotSupported');
});

test('closing aborts handlers and tells their senders before it says goodbye', async t => {
  const home = await Home.create(28);
  const device = await home.device();
  device.addResource('counter', [counterCapability]).counter.handle({
    add: (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          reject(new CommandRefused('rejected', 'going down'));
        });
      }),
  });
  const phone = home.phone();
  const sent = phone.call('counter', counterCapability, 'add');
  await home.run(seconds(1));

  await home.during(device.close());
  await home.run(seconds(1));

  t.is(phone.ends(sent)[0]!.code, 'rejected');
  t.true(phone.events.some(event => event.kind === 'disconnected' && event.reason === 'closed'));
});
