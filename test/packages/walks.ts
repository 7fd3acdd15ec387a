import { also, alsoStart, type Block, interrupt, type Program, run, see, start, type Walk } from './walk.js';

const README = 'README.md';
const DEVICE = 'docs/guides/first-device.md';
const CLIENT = 'docs/guides/first-client.md';
const NAT = 'docs/guides/behind-a-nat.md';
const CAPABILITY = 'docs/guides/add-a-capability.md';
const NMN = 'docs/guides/run-an-nmn.md';
const ERRORS = 'docs/guides/errors.md';
const INSIDE = 'docs/guides/see-inside.md';

/** The first line of the README: what every other way through the documents begins with. */
export const FIRST_LINE = 'npm i coconet @coconet/device-sdk @coconet/client-sdk @coconet/capabilities';

/** A whole program of a document. */
const whole = (file: string, document: string, begins: string): Program => ({
  file,
  parts: [{ document, begins }],
});

const LAMP: Block = { document: README, begins: "import { createDevice } from '@coconet/device-sdk';" };
const APP: Block = { document: README, begins: "import { connect } from '@coconet/client-sdk';" };

/** The README with `coconet dev` running: this is the last line that it prints. */
const DEV_IS_READY = /npx coconet nodes\n/;

const TYPESCRIPT = [
  run('npm i -D typescript @types/node'),
  run('npx tsc --init --types node', /Created a new tsconfig\.json/),
  run('npx tsc', /^$/),
];

/** What we test with, users may use; the newest one of tomorrow must not stop us today. */
const PINNED = { 'typescript @types/node': '$TYPESCRIPT' };

const fiveMinutes: Walk = {
  title: 'the five minutes of the README and its app are true to the letter',
  documents: [README],
  folder: 'first',
  programs: [
    { file: 'lamp.js', parts: [LAMP] },
    { file: 'app.js', parts: [APP] },
  ],
  stands: {},
  steps: [
    run(FIRST_LINE),
    run('npm pkg set type=module'),
    also('npx coconet --version', /^\d+\.\d+\.\d+\n$/m),
    run('npx coconet --help', /coconet dev/),
    start('dev', 'npx coconet dev -- node lamp.js', DEV_IS_READY),
    run('npx coconet call Desk/lamp onOff.turnOn', /^done$/m),
    run('npx coconet get Desk/lamp onOff.on', /^true$/m),
    run('npx coconet explain Desk', /^Desk \(#\d+\): direct on this machine, [\d.]+ ms: /m),
    start('watch', 'npx coconet watch Desk/lamp', /Desk\/lamp onOff\.on {2}true\b/),
    start('app', 'COCONET_JOIN="$(npx coconet invite client)" node app.js', /^true (true|false)$/m),
    interrupt('app'),
    start('again', 'node app.js', /^true (true|false)$/m),
    also('npx coconet call Desk/lamp onOff.turnOff', /^done$/m),
    see('watch', /Desk\/lamp onOff\.on {2}false\b/),
    see('again', /^false true$/m),
    interrupt('watch'),
    also('npx coconet call Desk/lamp onOff.turnOn', /^done$/m),
    see('again', /^true true$/m),
    interrupt('dev'),
    start('lamp', 'node lamp.js'),
    run('npx coconet call Desk/lamp onOff.turnOff', /^done$/m),
    // Told when it changed, or when the app had found the lamp again after that.
    see('again', /^false (true|false)$/m),
    interrupt('again'),
    interrupt('lamp'),
  ],
};

const sdksAlone: Walk = {
  title:
    'the programs of the README run where the SDKs alone were installed, without scripts, in both languages',
  documents: [README],
  folder: 'empty',
  programs: [
    { file: 'lamp.js', parts: [LAMP] },
    { file: 'app.js', parts: [APP] },
    { file: 'lamp.ts', parts: [LAMP] },
    { file: 'app.ts', parts: [APP] },
  ],
  stands: PINNED,
  steps: [
    also('npm i --ignore-scripts @coconet/device-sdk @coconet/client-sdk @coconet/capabilities'),
    run('npm pkg set type=module'),
    alsoStart('lamp', 'COCONET_JOIN="$DEVICE" node lamp.js'),
    alsoStart('app', 'COCONET_JOIN="$CLIENT" node app.js', /^true (true|false)$/m),
    interrupt('app'),
    interrupt('lamp'),
    also('rm lamp.js app.js'),
    ...TYPESCRIPT,
    start('lamp', 'node lamp.js'),
    start('app', 'node app.js', /^true (true|false)$/m),
    interrupt('app'),
    interrupt('lamp'),
  ],
};

const guides: Walk = {
  title:
    'the guides to the first device and the first app, to paths, insides and errors are true to the letter',
  documents: [DEVICE, CLIENT, NAT, INSIDE, README],
  folder: 'copy',
  programs: [
    whole('dimmer.js', DEVICE, "import { createDevice, CommandRefused } from '@coconet/device-sdk';"),
    whole('remote.js', CLIENT, "import { connect, CommandError } from '@coconet/client-sdk';"),
    whole('remote.ts', CLIENT, "import { connect } from '@coconet/client-sdk';"),
    whole('events.js', INSIDE, "import { readdirSync, readFileSync } from 'node:fs';"),
    { file: 'lamp.js', parts: [LAMP] },
    {
      file: 'attic.js',
      parts: [
        `import { createDevice } from '@coconet/device-sdk';
import { deviceInfo, diagnostics, level } from '@coconet/capabilities';
const device = await createDevice({ name: 'Attic', join: process.env.COCONET_JOIN, store: './attic' });
const lamp = device.addResource('lamp', [level]);
const readDimmer = async () => 42;
`,
        {
          document: DEVICE,
          begins:
            'lamp.level.handle({ refresh: async () => lamp.level.set({ level: await readDimmer() }) });',
        },
        {
          document: DEVICE,
          begins:
            "device.on('connected', ({ name, path }) => console.log(`${name} is there, ${path.path}`));",
        },
        { document: DEVICE, begins: "device.addResource('system', [deviceInfo, diagnostics]);" },
      ],
    },
    {
      file: 'watching.js',
      parts: [
        `import { connect } from '@coconet/client-sdk';
import { onOff } from '@coconet/capabilities';
const network = await connect({ store: './remote' });
const lamp = await network.resource('Desk/lamp', [onOff]);
`,
        {
          document: CLIENT,
          begins: 'for await (const { on, fresh, at } of lamp.onOff.watch()) console.log(on, fresh, at);',
        },
      ],
    },
    {
      file: 'honest.ts',
      parts: [
        `import { connect } from '@coconet/client-sdk';
import { onOff } from '@coconet/capabilities';
const network = await connect({ store: './remote' });
const lamp = await network.resource('Desk/lamp', [onOff]);
`,
        { document: ERRORS, begins: "import { CommandError } from '@coconet/client-sdk';" },
        "console.log('ran');\nawait network.close();\n",
      ],
    },
  ],
  stands: PINNED,
  steps: [
    run('npm i coconet @coconet/device-sdk @coconet/capabilities'),
    run('npm pkg set type=module'),
    start('dev', 'npx coconet dev -- node dimmer.js', DEV_IS_READY),
    run('npx coconet ls Hall', /Hall\/lamp/),
    run('npx coconet call Hall/lamp level.setLevel level=40', /^done$/m),
    see('dev', / wants 40 %$/m),
    run('npx coconet get Hall/lamp level.level', /^40 ?%?$/m),

    alsoStart('lamp', 'COCONET_JOIN="$(npx coconet invite device)" node lamp.js'),
    run('npm i coconet @coconet/client-sdk @coconet/capabilities'),
    run(
      'COCONET_JOIN="$(npx coconet invite client --name Remote)" node remote.js',
      /^\{ on: true, fresh: true, at: \S+ \}\ndirect on this machine, /m,
    ),
    alsoStart('watching', 'node watching.js', /^true (true|false) \d{4}-\d\d-\d\dT\S+$/m),
    interrupt('watching'),

    run('npx coconet nodes', /^Desk .* online .*^Hall .* online .*^Remote /ms),
    run('npx coconet explain Desk', /^Desk \(#\d+\): direct on this machine, /m),
    run('npx coconet ping Desk', /^4 of 4 answered; /m),
    run('npx coconet doctor', /^ok +drops +dropped by this node/m),
    run('COCONET_QLOG=./traces npx coconet ping Desk', /^4 of 4 answered; /m),
    run('node events.js', /'quic:packet_sent': \d+/),

    ...TYPESCRIPT,
    also('node remote.js', /^40$/m),
    also('node honest.js', /^ran\n$/),

    alsoStart('attic', 'COCONET_JOIN="$(npx coconet invite device)" node attic.js'),
    also('npx coconet call Attic/lamp level.refresh', /^done$/m),
    see('attic', /^.+ is there, (direct|relay)$/m),
    also('npx coconet call Attic/system diagnostics.selfTest'),
    also('npx coconet get Attic/lamp level.level', /^42 ?%?$/m),
    interrupt('dev'),
    see('attic', /^the NMN is \w+$/m),
    interrupt('attic'),
    interrupt('lamp'),
  ],
};

const capability: Walk = {
  title: 'the guide to capabilities makes a kettle that an app can boil',
  documents: [CAPABILITY, README],
  folder: 'copy',
  programs: [
    whole('kettle.ts', CAPABILITY, "import { defineCapability, shape, t } from '@coconet/capabilities';"),
    {
      file: 'pot.ts',
      parts: [
        `import { createDevice } from '@coconet/device-sdk';
import { kettle } from './kettle.js';
const device = await createDevice({ name: 'Kitchen', join: process.env.COCONET_JOIN, store: './kitchen' });
const heater = {
  on: (ms: number): void => console.log('on for', ms),
  off: (): void => console.log('off'),
};
`,
        { document: CAPABILITY, begins: "const pot = device.addResource('pot', [kettle]);" },
      ],
    },
    {
      file: 'cook.ts',
      parts: [
        `import { connect } from '@coconet/client-sdk';
import { kettle } from './kettle.js';
const network = await connect({ join: process.env.COCONET_JOIN, store: './cook' });
`,
        { document: CAPABILITY, begins: "const pot = await network.resource('Kitchen/pot', [kettle]);" },
        'console.log((await pot.kettle.read()).water);\nawait network.close();\n',
      ],
    },
  ],
  stands: PINNED,
  steps: [
    run('npm pkg set type=module'),
    ...TYPESCRIPT,
    alsoStart('dev', 'npx coconet dev', DEV_IS_READY),
    alsoStart('pot', 'COCONET_JOIN="$(npx coconet invite device)" node pot.js'),
    also('COCONET_JOIN="$(npx coconet invite client)" node cook.js', /^1\.2/m),
    see('pot', /^on for 600000$/m),
    interrupt('pot'),
    interrupt('dev'),
  ],
};

const nmn: Walk = {
  title: 'the guide to an NMN makes a network, invites to it, watches it and revokes',
  documents: [NMN, DEVICE],
  folder: 'copy',
  programs: [
    whole('dimmer.js', DEVICE, "import { createDevice, CommandRefused } from '@coconet/device-sdk';"),
  ],
  // The name of a public server, and ports that may be taken.
  stands: {
    'nmn start': 'nmn start --port $PORT --http-port $HTTP_PORT',
    'nmn.example.org:28620': '127.0.0.1:$PORT',
    'nmn.example.org': '127.0.0.1',
    ':28621/': ':$HTTP_PORT/',
  },
  steps: [
    run('npm i coconet'),
    also('npm pkg set type=module'),
    start(
      'nmn',
      'npx coconet nmn start --data ./nmn --public-host nmn.example.org',
      /listening on all interfaces/,
    ),
    run('npx coconet doctor nmn.example.org:28620'),
    run('npx coconet network create home --data ./nmn --root-file ./home.root.key', /home/),
    also('stat -c %a home.root.key', /^600$/m),
    run('npx coconet network list --data ./nmn', /home/),
    run('npx coconet nmn operator --data ./nmn', /^coconet-operator:\/\/\S+$/m),
    run('npx coconet invite device --name Hall', /^coconet:\/\/\S+$/m),
    run('npx coconet invite client', /^coconet:\/\/\S+$/m),
    run('npx coconet invite client --role admin', /^coconet:\/\/\S+$/m),
    start('hall', 'COCONET_JOIN="$(npx coconet invite device --name Hall)" node dimmer.js'),
    also('npx coconet call Hall/lamp onOff.turnOn', /^done$/m),
    run('npx coconet nodes', /^Hall .* online /m),
    run("npx coconet revoke Hall --reason 'sold it'", /Hall/),
    run('npx coconet nmn status --data ./nmn', /home|networks/),
    run('curl -s http://127.0.0.1:28621/health', /ok/),
    run('curl -s http://127.0.0.1:28621/metrics', /^# TYPE coconet_/m),
    interrupt('hall'),
    interrupt('nmn'),
  ],
};

/** All ways through the documents. Each is a test of its own, in this order: the others begin with the first one's folder. */
export const WALKS: readonly Walk[] = [fiveMinutes, sdksAlone, guides, capability, nmn];

/** What nobody runs here: a line of a shell block or the first line of another block, and why. */
export const NOT_RUN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  [README]: {
    'npm ci && npm start': 'is about the repository; the tests of examples/main-job run what it starts',
    'npm ci && npm test': 'is this: the tests run after it',
  },
  [NMN]: {
    '[Unit]': 'needs a machine that systemd runs; its ExecStart is the line above it',
  },
};
