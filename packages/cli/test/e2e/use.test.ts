import test from 'ava';

import type { Example } from '../../src/command.js';
import { COMMANDS } from '../../src/commands/index.js';
import { type Ended, Place, type ToolProcess } from '../support/tool-process.js';

interface ValueLine {
  readonly attribute: string;
  readonly value: unknown;
}

const endings: (() => unknown)[] = [];
const ending = { teardown: (action: () => unknown) => void endings.unshift(action) };

/** A network with a device that all tests of this file share, as in the README: dev, and lamp.js in it. */
let place: Place;
let dev: ToolProcess;

test.before(async () => {
  place = await Place.make(ending);
  await place.furnish();
  dev = place.shell('exec coconet dev --port 0 -- node lamp.js', { LAMP_MORE: '1' });
  await dev.line(/^ready Desk/);
});

test.after.always(async () => {
  dev.kill('SIGINT');
  await dev.ended();
  for (const end of endings) await end();
});

const inviteTo = async (kind: 'client' | 'device'): Promise<string> =>
  ((await place.json(['invite', kind])) as { readonly uri: string }).uri;

/** Commands that go on until they are ended, and what shows that they work. */
const GOING_ON: Readonly<Record<string, RegExp>> = {
  up: /Desk/,
  watch: /Desk.*on/,
  'nmn start': /listening/,
};

/** Examples of commands that a test of their own runs, word for word or with a port: dev.test.ts, network.test.ts. */
const ELSEWHERE = new Set(['dev', 'nmn start', 'nmn operator', 'network create']);

/** What an example leaves open, and what has to be in place of what it only shows. */
async function completed(line: string): Promise<string> {
  let whole = line;
  if (whole.includes("'coconet://"))
    whole = whole.replace(/'coconet:\/\/[^']*'/, `'${await inviteTo('client')}'`);
  // Each identity that is made stays out of the way of the others.
  if (/^coconet join /.test(whole) && !whole.includes('--store')) whole += ' --store ./joined';
  return whole;
}

test.serial('the examples of every help do what they say', async t => {
  t.timeout(240_000);
  const up = place.start(['up']);
  await up.line(/Desk.*online/);
  const examples = COMMANDS.filter(({ name }) => !ELSEWHERE.has(name)).flatMap(({ name, examples: all }) =>
    all.map((example: Example) => ({ name, line: example.line })),
  );
  const last = examples.filter(({ name }) => name === 'revoke');

  for (const { name, line } of examples.filter(each => !last.includes(each))) {
    const whole = await completed(line);
    const goesOn = line.includes('node lamp.js') ? /^ready/ : GOING_ON[name];
    if (goesOn === undefined) {
      const { status, stderr, stdout } = await place.shell(whole).ended();
      t.is(status, 0, `${whole}\n${stdout}\n${stderr}`);
      continue;
    }
    // A device of the same kind needs a name and a store of its own beside the first.
    const running = place.shell(
      line.startsWith('coconet') ? `exec ${whole}` : whole.replace('node', 'exec node'),
      {
        LAMP_NAME: 'Shelf',
        LAMP_STORE: place.path('shelf'),
      },
    );
    await t.notThrowsAsync(running.line(goesOn), whole);
    running.kill('SIGINT');
    t.is((await running.ended()).status, line.startsWith('coconet') ? 130 : 0, whole);
  }

  up.kill('SIGINT');
  t.is((await up.ended()).status, 130);
  t.is(last.length, 1);
});

test.serial('values of a resource read line by line, with units, and without what is not known', async t => {
  const { status, stdout } = await place.run(['get', 'Desk/board']);
  const one = await place.run(['get', 'Desk/board', 'diagnostics.memoryFree']);

  t.is(status, 0);
  t.regex(stdout, /^Desk\/board\n {2}diagnostics {2}\d{4}-\d\d-\d\dT[\d:.]+Z\n/);
  t.regex(stdout, /^ {4}memoryFree {2}1\.23 GB$/m);
  t.regex(stdout, /^ {4}faults {6}none$/m);
  t.regex(stdout, /^ {4}peers {7}nodeId=\d+ path=direct /m);
  t.regex(stdout, /^ {4}not known: cpuLoad, /m);
  t.is(one.stdout, '1234567890 B\n');
});

test.serial(
  'the nodes are listed with who they are, whether they are there, and how data gets there',
  async t => {
    const { status, stdout } = await place.run(['nodes']);

    t.is(status, 0);
    const [head, self, nmn, ...others] = stdout.trimEnd().split('\n');
    t.regex(head ?? '', /^NAME +ID +KIND +ROLE +STATE +PATH$/);
    t.regex(self ?? '', /\(dev\) +#\d+ +client +owner +this node +-$/);
    t.regex(nmn ?? '', /^\S+ +#\d+ +nmn +- +online +direct \(host\)/);
    t.regex(others.find(line => line.startsWith('Desk ')) ?? '', /^Desk +#\d+ +device +- +online +/);
  },
);

test.serial('a name that does not exist is an error after a moment, not after the time-out', async t => {
  const began = Date.now();

  const resource = await place.error(['get', 'Desk/lmap', 'onOff.on', '--timeout', '10m']);
  const node = await place.error(['call', 'Dsk/lamp', 'onOff.turnOn', '--timeout', '10m']);

  t.like(resource, { status: 1, code: 'UNKNOWN_RESOURCE' });
  t.regex(resource.message, /did you mean lamp/);
  t.like(node, { status: 1, code: 'UNKNOWN_NODE' });
  t.regex(node.message, /did you mean Desk/);
  t.true(Date.now() - began < 60_000);
});

test.serial('programs share the node of `up`, and go on when it is killed', async t => {
  t.timeout(120_000);
  const up = place.start(['up']);
  await up.line(/Desk.*online/);
  const watches = ['1', '2'].map(() => place.start(['watch', 'Desk/lamp', 'onOff.on', '--json']));
  for (const watch of watches) await watch.line(/"attribute":"on"/);
  const doctor = (await place.json(['doctor'])) as {
    readonly checks: readonly { readonly check: string; readonly detail: string }[];
  };
  t.regex(doctor.checks.find(({ check }) => check === 'store')?.detail ?? '', /another program holds it/);
  t.regex(doctor.checks.find(({ check }) => check === 'drops')?.detail ?? '', /^dropped by this node: /);
  const was = (await place.json(['get', 'Desk/lamp', 'onOff.on'])) as ValueLine;

  up.kill('SIGKILL');
  const called = await place.run([
    'call',
    'Desk/lamp',
    was.value === true ? 'onOff.turnOff' : 'onOff.turnOn',
  ]);

  t.like(called, { status: 0, stdout: 'done\n' });
  for (const watch of watches) {
    t.like(JSON.parse(await watch.line(new RegExp(`"value":${String(was.value !== true)}`))), {
      attribute: 'on',
    });
    watch.kill('SIGINT');
  }
  t.deepEqual(
    (await Promise.all(watches.map(watch => watch.ended()))).map(({ status }) => status),
    [130, 130],
  );
});

test.serial('a command right after a watch that was killed is answered', async t => {
  for (const command of ['onOff.turnOn', 'onOff.turnOff']) {
    const watch = place.start(['watch', 'Desk/lamp', '--json']);
    await watch.line(/"attribute":"on"/);
    watch.kill('SIGKILL');

    t.like(await place.run(['call', 'Desk/lamp', command, '--timeout', '5s']), { status: 0 });
  }
});

test.serial('a watch goes on when the device has been away, with what it has then', async t => {
  t.timeout(120_000);
  const first = place.lamp(await inviteTo('device'), 'Hall');
  await first.line(/^ready Hall/);
  const watch = place.start(['watch', 'Hall/lamp', 'onOff.on']);
  t.regex(await watch.line(/onOff\.on/), /onOff\.on {2}false$/);

  first.kill('SIGKILL');
  await first.ended();
  const again = place.lamp('', 'Hall');
  await again.line(/^ready Hall/);
  t.is((await place.run(['call', 'Hall/lamp', 'onOff.turnOn'])).status, 0);

  t.regex(await watch.line(/true/), /onOff\.on {2}true( \(older\))?$/);
  watch.kill('SIGINT');
  t.is((await watch.ended()).status, 130);
});

test.serial('what has never been read has neither a time nor a mark', async t => {
  const watch = await place.run(['watch', 'Desk/fan', '--count', '2']);

  t.is(watch.status, 0);
  t.regex(watch.stdout, /^\d{4}-\S+Z {2}Desk\/fan onOff\.on {2}false$/m);
  t.regex(watch.stdout, /^ {26}Desk\/fan onOff\.startupBehavior {2}-$/m);
});

test.serial('a reader who has seen enough ends a command well', async t => {
  const lines = ['coconet ls', 'coconet up', 'coconet nodes --json'];

  const ends: readonly Ended[] = await Promise.all(
    lines.map(line => place.shell(`{ ${line}; echo "status $?" >&2; } | head -1`).ended()),
  );

  for (const [index, { status, stdout, stderr }] of ends.entries()) {
    t.is(status, 0, lines[index]);
    t.is(stdout.trimEnd().split('\n').length, 1, lines[index]);
    t.regex(stderr, /status 0/, lines[index]);
    t.false(stderr.includes('Error'), stderr);
  }
});

test.serial('results that cannot be written are a failure that is said', async t => {
  const { status, stderr } = await place.shell('coconet nodes > /dev/full').ended();

  t.is(status, 1);
  t.regex(stderr, /^error: standard output cannot be written: .*\[OUTPUT_FAILED\]$/m);
});
