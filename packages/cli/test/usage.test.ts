import test from 'ava';

import { COMMANDS } from '../src/commands/index.js';
import { runTool } from './support/run-tool.js';

const URI = 'coconet://127.0.0.1:1/#v=1';

/** A line of each command that is understood, so that one thing at a time can be wrong. */
const GOOD: Readonly<Record<string, readonly string[]>> = {
  dev: [],
  'nmn start': [],
  'nmn operator': [],
  'nmn status': [],
  'network create': ['home'],
  'network list': [],
  'invite device': [],
  'invite client': [],
  join: [URI],
  revoke: ['Desk'],
  up: [],
  nodes: [],
  ls: [],
  get: ['Desk/lamp'],
  set: ['Desk/lamp', 'level.startupLevel', '40'],
  call: ['Desk/lamp', 'onOff.turnOn'],
  watch: ['Desk/lamp'],
  ping: ['Desk'],
  explain: ['Desk'],
  doctor: [],
};

test('the table below knows every command', t => {
  t.deepEqual(
    Object.keys(GOOD),
    COMMANDS.map(({ name }) => name),
  );
});

for (const [name, words] of Object.entries(GOOD)) {
  const line = [...name.split(' '), ...words];

  test(`coconet ${name} refuses an option that it does not have, and names the nearest`, async t => {
    const { status, stdout, stderr } = await runTool([...line, '--jsn']);

    t.is(status, 2);
    t.is(stdout, '');
    t.is(
      stderr,
      `error: coconet ${name} has no option --jsn; did you mean --json? [USAGE]\nnext: coconet ${name} --help lists its options\n`,
    );
  });

  test(`coconet ${name} refuses --store without a folder`, async t => {
    const { status, stderr } = await runTool([...line, '--store']);

    t.is(status, 2);
    t.is(stderr.split('\n')[0], 'error: --store needs a value: --store FOLDER [USAGE]');
  });

  test(`coconet ${name} refuses an option that is given twice`, async t => {
    const { status, stderr } = await runTool([...line, '--json', '--json']);

    t.is(status, 2);
    t.like(JSON.parse(stderr), { error: { code: 'USAGE', message: '--json is given twice' } });
  });
}

const MISSING: readonly (readonly [line: string, what: string])[] = [
  ['network create', 'NAME is missing'],
  ['join', 'URI is missing'],
  ['revoke', 'NODE is missing'],
  ['get', 'DEVICE/RESOURCE is missing'],
  ['set', 'DEVICE/RESOURCE is missing'],
  ['set Desk/lamp', 'CAPABILITY.ATTRIBUTE is missing'],
  ['set Desk/lamp level.startupLevel', 'VALUE is missing'],
  ['call', 'DEVICE/RESOURCE is missing'],
  ['call Desk/lamp', 'CAPABILITY.COMMAND is missing'],
  ['watch', 'ADDRESS is missing'],
  ['ping', 'NODE is missing'],
  ['explain', 'NODE is missing'],
];

for (const [line, what] of MISSING) {
  test(`coconet ${line}: ${what}`, async t => {
    const { status, stderr } = await runTool(line.split(' '));

    t.is(status, 2);
    t.regex(stderr, new RegExp(`^error: ${what} \\[USAGE\\]\nnext: usage: coconet `));
  });
}

const WRONG: readonly (readonly [words: readonly string[], message: string, next?: string])[] = [
  [[], 'no command is given', 'coconet --help lists the commands'],
  [['nods'], "there is no command 'nods'", 'did you mean coconet nodes?'],
  [['xyzzy-plugh'], "there is no command 'xyzzy-plugh'", 'coconet --help lists the commands'],
  [['nmn', 'strat'], "there is no command 'nmn strat'", 'did you mean coconet nmn start?'],
  [['nmn'], 'coconet nmn needs a further word: nmn start, nmn operator, nmn status'],
  [['invite'], 'coconet invite needs a further word: invite device, invite client'],
  [['help', 'lss'], "there is no command 'lss'", 'did you mean coconet ls?'],
  [['--jsno', 'nodes'], 'there is no option --jsno before the command', 'did you mean --json?'],
  [['nodes', 'Desk'], "'Desk' is one argument too many"],
  [['dev', 'node', 'lamp.js'], "'node' stands where no argument belongs; a command to run comes after --"],
  [
    ['dev', '--port', '65536'],
    '--port 65536 is not a port: give a number from 1 to 65535, or 0 for any free one',
  ],
  [
    ['nmn', 'start', '--port', 'http'],
    '--port http is not a port: give a number from 1 to 65535, or 0 for any free one',
  ],
  [
    ['nmn', 'start', '--log-level', 'infos'],
    '--log-level infos is not one of error, warn, info, debug',
    'did you mean info?',
  ],
  [['nmn', 'start', '--bind', ''], '--bind is empty, but needs a value: --bind ADDRESS'],
  [['invite', 'client', '--role', 'owner'], '--role owner is not one of admin, guest'],
  [
    ['invite', 'device', '--expires', 'soon'],
    '--expires soon is not a duration: give it as 500ms, 10s or 2m, up to 24 days',
  ],
  [
    ['invite', 'device', '--name', '--expires'],
    '--name needs a value, but is followed by --expires: --name NAME',
    'a value that begins with a dash is written --name=--expires',
  ],
  [['ping', 'Desk', '--count', '0'], '--count 0 is not a count: give a whole number from 1'],
  [['nodes', '--json=yes'], "--json takes no value, but was given 'yes'"],
  [['get', '/lamp'], "'/lamp' is not an address: it reads DEVICE/RESOURCE, as in Desk/lamp or '#17/lamp'"],
  [['get', '#x/lamp'], "'#x' is not a node id: it reads # and a number, as in '#17'"],
  [
    ['get', 'Desk/lamp', 'on off'],
    "'on off' names no member of a capability: it reads CAPABILITY.MEMBER, as in onOff.on",
  ],
  [['call', 'Desk', 'onOff.turnOn'], "'Desk' names a device but no resource: write Desk/RESOURCE"],
  [
    ['call', 'Desk/lamp', 'onOff'],
    "'onOff' names a capability but no member: write onOff.MEMBER, as in onOff.on",
  ],
  [
    ['call', 'Desk/lamp', 'level.setLevel', '40'],
    "'40' is no parameter: parameters read name=value, as in level=40",
  ],
  [['call', 'Desk/lamp', 'level.setLevel', 'level=1', 'level=2'], 'the parameter level is given twice'],
  [['call', 'Desk/lamp', 'level.setLevel', '--params', '[1]'], '--params is not a JSON object'],
  [
    ['call', 'Desk/lamp', 'level.setLevel', 'level=1', '--params', '{}'],
    'give the parameters as name=value or as --params, not both',
  ],
];

for (const [words, message, next] of WRONG) {
  test(`coconet ${words.join(' ')}: ${message}`, async t => {
    const { status, stdout, stderr } = await runTool(words);

    t.is(status, 2);
    t.is(stdout, '');
    t.is(stderr.split('\n')[0], `error: ${message} [USAGE]`);
    if (next !== undefined) t.is(stderr.split('\n')[1], `next: ${next}`);
  });
}

const WRONG_VALUES: readonly (readonly [words: readonly string[], code: string, mentions: string])[] = [
  [['get', 'Desk/lamp', 'onOf.on'], 'UNKNOWN_CAPABILITY', 'did you mean onOff?'],
  [['get', 'Desk/lamp', 'onOff.onn'], 'UNKNOWN_ATTRIBUTE', 'did you mean on?'],
  [['get', 'Desk/lamp', 'onOff.turnOn'], 'UNKNOWN_ATTRIBUTE', 'use coconet call'],
  [['call', 'Desk/lamp', 'onOff.turnOnn'], 'UNKNOWN_COMMAND', 'did you mean turnOn?'],
  [['call', 'Desk/lamp', 'onOff.on'], 'UNKNOWN_COMMAND', 'use coconet get'],
  [['call', 'Desk/lamp', 'level.setLevel', 'levl=40'], 'UNKNOWN_PARAMETER', 'did you mean level?'],
  [['call', 'Desk/lamp', 'level.setLevel', 'level=140'], 'VALUE_OUT_OF_RANGE', 'level.setLevel(level)'],
  [['call', 'Desk/lamp', 'level.setLevel', 'level=-5'], 'VALUE_OUT_OF_RANGE', 'level.setLevel(level)'],
  [['call', 'Desk/lamp', 'level.setLevel', 'level=much'], 'VALUE_WRONG_TYPE', 'level.setLevel(level)'],
  [['call', 'Desk/lamp', 'level.setLevel'], 'MISSING_PARAMETER', 'level'],
  [
    ['call', 'Desk/lamp', 'level.setLevel', '--params', '{"level":"40"}'],
    'VALUE_WRONG_TYPE',
    'level.setLevel(level)',
  ],
  [['set', 'Desk/lamp', 'level.startupLevel', '-5'], 'VALUE_OUT_OF_RANGE', 'level.startupLevel is -5'],
  [['set', 'Desk/lamp', 'onOff.on', 'true'], 'NOT_WRITABLE', 'onOff.on can only be read'],
  [['watch', 'Desk/lamp', 'onOff.onn'], 'UNKNOWN_ATTRIBUTE', 'did you mean on?'],
  [['join', 'https://example.org'], 'JOIN_URI_INVALID', 'coconet://'],
  [['join', URI], 'JOIN_URI_INVALID', 'net'],
];

for (const [words, code, mentions] of WRONG_VALUES) {
  test(`coconet ${words.join(' ')} is ${code}, before anything is asked of anybody`, async t => {
    const { status, stdout, stderr } = await runTool([...words, '--json']);

    const { error } = JSON.parse(stderr) as {
      readonly error: { readonly code: string; readonly message: string };
    };
    t.is(status, 2);
    t.is(stdout, '');
    t.is(error.code, code);
    t.true(error.message.includes(mentions), error.message);
  });
}

test('a command without a store says so, and what to do, and leaves nothing behind', async t => {
  const { status, stderr } = await runTool(['nodes']);

  t.is(status, 1);
  t.is(
    stderr,
    'error: this node is in no network: there is nothing in its store /nonexistent/home/.local/share/coconet/client (the default) [NO_MEMBERSHIP]\n' +
      'next: join with `coconet join URI`, create a network with `coconet network create NAME`, try one with `coconet dev`, or name another store with --store\n',
  );
});

test('options of every command may stand before it', async t => {
  const { stderr } = await runTool(['--json', '--store', '/nonexistent/store', 'nodes']);

  t.like(JSON.parse(stderr), { error: { code: 'NO_MEMBERSHIP' } });
  t.true(stderr.includes('/nonexistent/store (named by --store)'));
});

test('errors are coloured on a terminal, and not with NO_COLOR', async t => {
  const coloured = await runTool(['nods'], { onTerminal: true });
  const plain = await runTool(['nods'], { onTerminal: true, variables: { NO_COLOR: '1' } });

  t.true(coloured.stderr.startsWith('\u001b[31merror:\u001b[39m'));
  t.true(plain.stderr.startsWith('error: '));
});

test('what was typed cannot move the cursor of the terminal that shows the error', async t => {
  const { stderr } = await runTool(['\u001b[2Jnodes']);

  t.true(stderr.startsWith("error: there is no command '\\u001b[2Jnodes'"));
});
