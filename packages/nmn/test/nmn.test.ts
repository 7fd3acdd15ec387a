import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import {
  createNodeKeys,
  formatRootKey,
  parseOperatorUri,
  toBase64Url,
  toHex,
} from '@coconet/cluster-protocol/core';
import { createNodeHost } from '@coconet/cluster-protocol/node';
import test, { type ExecutionContext } from 'ava';

import { connectToNmn } from '../src/admin/admin-socket.js';
import { type RunningNmn, startNmn } from '../src/nmn.js';
import type { Subsystem } from '../src/subsystem.js';
import { createWith, invite, joinWith } from './support/members.js';
import { temporaryFolder } from './support/surroundings.js';

const host = await createNodeHost();
const onLoopback = { listen: { port: 0, bind: ['127.0.0.1'] }, http: { port: 0 } };

interface Started {
  readonly nmn: RunningNmn;
  readonly folder: string;
  readonly lines: string[];
}

async function start(
  t: ExecutionContext,
  folder?: string,
  subsystems: readonly Subsystem[] = [],
): Promise<Started> {
  const dataFolder = folder ?? join(await temporaryFolder(t), 'nmn');
  const lines: string[] = [];
  const config = { ...onLoopback, dataFolder, logLevel: 'debug' as const };
  const nmn = await startNmn({ config, log: line => lines.push(line), subsystems });
  t.teardown(() => nmn.close());
  return { nmn, folder: dataFolder, lines };
}

test('an operator URI makes a network, an invitation a member, and both are there after a restart', async t => {
  const first = await start(t);
  const owner = await createWith(host, await first.nmn.operatorUri());
  const joined = await joinWith(host, owner, await invite(owner.runtime));
  const before = first.nmn.networks();
  await owner.runtime.close();
  await first.nmn.close();

  const second = await start(t, first.folder);

  t.like(before[0], { name: 'Home', members: 2 });
  t.like(second.nmn.networks()[0], { name: 'Home', members: 2, online: 0 });
  t.deepEqual(second.nmn.staticKey, first.nmn.staticKey);
  t.true(joined.membership.nodeId > 0);
});

test('an operator URI works once', async t => {
  const { nmn } = await start(t);
  const uri = await nmn.operatorUri();
  const owner = await createWith(host, uri);
  t.teardown(() => owner.runtime.close());

  await t.throwsAsync(createWith(host, uri), { message: /operator URI has made a network already/ });
  t.is(nmn.networks().length, 1);
});

test('a claim joins one node; the same node may ask again, another is refused', async t => {
  const { nmn } = await start(t);
  const owner = await createWith(host, await nmn.operatorUri());
  t.teardown(() => owner.runtime.close());
  const claim = await invite(owner.runtime);
  const keys = createNodeKeys(host.crypto, host.random);

  const first = await joinWith(host, owner, claim, keys);
  const again = await joinWith(host, owner, claim, keys);

  t.deepEqual(again.membership, first.membership);
  await t.throwsAsync(joinWith(host, owner, claim), {
    code: 'JOIN_REFUSED',
    message: /used by another node/,
  });
  await t.throwsAsync(joinWith(host, owner, new Uint8Array(16)), { code: 'JOIN_REFUSED' });
});

test('of fifty nodes with one claim at once, one becomes a member', async t => {
  const { nmn } = await start(t);
  const owner = await createWith(host, await nmn.operatorUri());
  t.teardown(() => owner.runtime.close());
  const claim = await invite(owner.runtime);

  const outcomes = await Promise.allSettled(Array.from({ length: 50 }, () => joinWith(host, owner, claim)));

  t.is(outcomes.filter(outcome => outcome.status === 'fulfilled').length, 1);
  t.is(nmn.networks()[0]!.members, 2);
});

test('no secret is in the logs, and what is at rest is private', async t => {
  const umask = process.umask(0);
  t.teardown(() => process.umask(umask));
  const { nmn, folder, lines } = await start(t);
  const uri = await nmn.operatorUri();
  const owner = await createWith(host, uri);
  const claim = await invite(owner.runtime);
  const joined = await joinWith(host, owner, claim);
  await t.throwsAsync(joinWith(host, owner, claim));
  const modes = await Promise.all(
    (await readdir(folder)).map(async name => [name, (await stat(join(folder, name))).mode & 0o777] as const),
  );
  await owner.runtime.close();
  await nmn.close();

  const atRest = Buffer.concat(
    await Promise.all((await readdir(folder)).map(name => readFile(join(folder, name)))),
  );
  const log = lines.join('\n');
  const secretsEverywhere = [
    claim,
    parseOperatorUri(uri).token,
    owner.genesis.root.privateKey,
    owner.genesis.ownerKeys.static.privateKey,
  ];
  for (const secret of secretsEverywhere) {
    t.false(atRest.includes(Buffer.from(secret)));
    for (const text of [
      toHex(secret),
      toBase64Url(secret),
      formatRootKey(host.crypto, owner.genesis.root).trim(),
    ])
      t.false(log.includes(text) || atRest.includes(text));
  }
  t.false(log.includes(toHex(joined.secrets)) || log.includes(toBase64Url(joined.secrets)));
  t.true(lines.length > 3);
  for (const line of lines) t.notThrows(() => JSON.parse(line) as unknown);
  if (process.platform !== 'win32') for (const [name, mode] of modes) t.is(mode, 0o600, name);
});

test('a port that is taken is said to be, and nothing is left behind', async t => {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  const { port } = socket.address();
  const above = await temporaryFolder(t);
  const dataFolder = join(above, 'deep', 'nmn');
  const config = { ...onLoopback, dataFolder, listen: { port, bind: ['127.0.0.1'] } };

  await t.throwsAsync(startNmn({ config }), { code: 'PORT_IN_USE', message: new RegExp(`${port}`) });

  t.deepEqual(await readdir(above), []);
  await (await startNmn({ config: { ...config, listen: { ...config.listen, port: 0 } } })).close();
});

test('a taken HTTP port ends the start and lets the rest go', async t => {
  const { nmn } = await start(t);
  const dataFolder = await temporaryFolder(t);
  const config = { ...onLoopback, dataFolder, http: { port: nmn.httpPort! } };

  await t.throwsAsync(startNmn({ config }), { code: 'PORT_IN_USE', message: /http\.port/ });

  t.deepEqual(await readdir(dataFolder), [], 'a folder that was there stays, as empty as it was');
  await (await startNmn({ config: { ...config, http: { enabled: false } } })).close();
});

test('a start that fails takes nothing away from a folder that was used before', async t => {
  const { nmn } = await start(t);
  const used = await start(t);
  await used.nmn.close();
  const config = { ...onLoopback, dataFolder: used.folder, http: { port: nmn.httpPort! } };
  // A backup that was put back without its marker is not a new folder either.
  await rm(join(used.folder, 'nmn.json'));

  await t.throwsAsync(startNmn({ config }), { code: 'PORT_IN_USE' });

  const again = await start(t, used.folder);
  t.deepEqual(again.nmn.staticKey, used.nmn.staticKey);
});

test('a second NMN on the folder, and a wrong setting, are refused', async t => {
  const { folder } = await start(t);

  await t.throwsAsync(startNmn({ config: { ...onLoopback, dataFolder: folder } }), {
    code: 'DATA_FOLDER_IN_USE',
  });
  await t.throwsAsync(startNmn({ config: { dataFolder: folder, listen: { port: 70_000 } } }), {
    code: 'CONFIG_INVALID',
    message: /listen\.port is 70000/,
  });
});

test('health and metrics are served on loopback under our own names only', async t => {
  const { nmn } = await start(t);
  const owner = await createWith(host, await nmn.operatorUri());
  t.teardown(() => owner.runtime.close());
  const base = `http://127.0.0.1:${nmn.httpPort!}`;

  const health = await fetch(`${base}/health`);
  const metrics = await (await fetch(`${base}/metrics`)).text();
  const foreign = await rawRequest(
    nmn.httpPort!,
    'GET /health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
  );
  const post = await fetch(`${base}/health`, { method: 'POST', body: 'x' });
  const missing = await fetch(`${base}/../etc/passwd`);

  t.is(health.status, 200);
  t.like(await health.json(), {
    status: 'ok',
    subsystems: { membership: { status: 'ok' }, relay: { status: 'ok' } },
  });
  t.regex(metrics, /^coconet_nmn_membership_networks 1$/m);
  t.regex(metrics, /^# TYPE coconet_nmn_relay_forwarded_bytes_total counter$/m);
  t.regex(foreign, /^HTTP\/1\.1 421 /);
  t.is(post.status, 405);
  t.is(missing.status, 404);
});

function rawRequest(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.end(text));
    socket.on('data', chunk => {
      answer += chunk.toString();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

test('the local socket tells status and networks, makes operator URIs and stops the NMN', async t => {
  const { nmn, folder } = await start(t);
  const admin = await connectToNmn(folder);
  t.teardown(() => admin.close());

  const uri = await admin.operatorToken();
  const owner = await createWith(host, uri, 'Büro');
  const status = await admin.status();
  const networks = await admin.listNetworks();
  await owner.runtime.close();
  await admin.stop();
  await nmn.closed;

  t.like(status, { pid: process.pid, port: nmn.port, networks: 1, health: 'ok' });
  t.like(networks[0], { name: 'Büro', members: 1 });
  await t.throwsAsync(connectToNmn(folder), { code: 'ADMIN_SOCKET_FAILED', message: /start it/ });
});

test('the local socket tells what the NMN has dropped, by reason', async t => {
  const { nmn, folder } = await start(t);
  const admin = await connectToNmn(folder);
  t.teardown(() => admin.close());
  t.deepEqual((await admin.status()).dropped, {});
  const socket = createSocket('udp4');
  t.teardown(() => void socket.close());

  // A data packet for nobody: asked again until it came, for UDP promises nothing.
  let dropped = {};
  while (!('unknownIndex' in dropped)) {
    await new Promise(resolve => {
      socket.send(Uint8Array.of(0xd4, ...new Uint8Array(30)), nmn.port, '127.0.0.1', resolve);
    });
    ({ dropped } = await admin.status());
  }

  t.deepEqual(Object.keys(dropped), ['unknownIndex']);
});

test('a data folder with a path too long for a socket has its local socket elsewhere', async t => {
  const folder = join(await temporaryFolder(t), 'a'.repeat(100), 'b'.repeat(60));
  await start(t, folder);

  const admin = await connectToNmn(folder);

  t.is((await admin.status()).networks, 0);
  admin.close();
});

test('a sub-system of somebody else has tables, routes, metrics and events like ours', async t => {
  const heard: string[] = [];
  const letters: Subsystem = {
    name: 'letters',
    migrations: [
      {
        name: '20270101000000-letters-initial',
        up: async database => {
          await database.schema.createTable('letters_box', table => {
            table.text('id').primary();
          });
        },
      },
    ],
    routes: [
      {
        method: 'GET',
        path: '/letters',
        handle: () => ({ status: 200, contentType: 'text/plain', body: 'two' }),
      },
    ],
    handleEvent: event => heard.push(event.kind),
    stop: () => void heard.push('stopped'),
    health: () => ({ status: 'failed', detail: 'no stamps' }),
    metrics: () => [{ name: 'letters', help: 'Letters.', type: 'gauge', samples: [{ value: 2 }] }],
  };
  const { nmn } = await start(t, undefined, [letters]);
  const owner = await createWith(host, await nmn.operatorUri());
  const base = `http://127.0.0.1:${nmn.httpPort!}`;

  t.is(await (await fetch(`${base}/letters`)).text(), 'two');
  t.is((await fetch(`${base}/health`)).status, 503);
  t.regex(await (await fetch(`${base}/metrics`)).text(), /^coconet_nmn_letters 2$/m);
  await owner.runtime.close();
  await nmn.close();
  t.true(heard.includes('networkAdded'));
  t.is(heard.at(-1), 'stopped');
});

test('the program starts from a file, answers, and ends cleanly on SIGTERM', async t => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'nmn.json');
  await writeFile(file, JSON.stringify({ ...onLoopback, dataFolder: join(folder, 'data') }));
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import=tsx', '--conditions=coconet-source', main, file]);
  const exited = once(child, 'exit');
  const lines = createInterface({ input: child.stdout });
  const seen: string[] = [];

  for await (const line of lines) {
    seen.push((JSON.parse(line) as { event: string }).event);
    if (seen.at(-1) === 'started') child.kill('SIGTERM');
  }

  t.deepEqual(await exited, [0, null]);
  t.deepEqual(seen, ['started', 'stopped']);
});

test('the program says in one line what is wrong with its configuration', async t => {
  const file = join(await temporaryFolder(t), 'nmn.json');
  await writeFile(file, '{"dataFolder": "x", "lissten": {}}');
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import=tsx', '--conditions=coconet-source', main, file]);
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });

  const [code] = (await once(child, 'close')) as [number];

  t.is(code, 1);
  t.regex(said, /^CONFIG_INVALID: lissten is not a setting; there are: .*listen.*\n$/);
});
