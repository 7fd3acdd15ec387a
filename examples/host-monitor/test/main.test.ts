import { join } from 'node:path';

import {
  diagnostics,
  deviceInfo,
  identify,
  networkConfiguration,
  onOff,
  telemetry,
} from '@coconet/capabilities';
import { connect, type Network } from '@coconet/client-sdk';
import test from 'ava';

import { startDevNetwork, type DevNetwork } from '../../main-job/test/support/dev-network.js';
import { Program, SOURCE, temporaryFolder, type TestContext } from '../../main-job/test/support/program.js';

const MAIN = ['node', SOURCE, 'examples/host-monitor/src/main.ts'];

function startMonitor(t: TestContext, dev: DevNetwork, ...words: readonly string[]): Program {
  return new Program(t, [...MAIN, '--name', 'Attic', '--store', join(dev.folder, 'attic'), ...words], {
    variables: { COCONET_JOIN: dev.joinUris.command },
  });
}

async function startOwner(t: TestContext, dev: DevNetwork): Promise<Network> {
  const network = await connect({ store: dev.store });
  t.teardown(() => network.close());
  return network;
}

async function startAll(t: TestContext) {
  const dev = await startDevNetwork(t);
  const monitor = startMonitor(t, dev);
  await monitor.event({ event: 'ready' });
  return { dev, monitor, network: await startOwner(t, dev) };
}

const PATIENT = { timeout: 30_000 };

test.serial('it says that it is ready, and ends on SIGTERM with 0, on Ctrl-C with 130', async t => {
  const dev = await startDevNetwork(t);
  const monitor = startMonitor(t, dev);

  const ready = await monitor.event({ event: 'ready' });

  t.is(ready.name, 'Attic');
  t.is(await monitor.stop('SIGTERM'), 0);

  const again = startMonitor(t, dev);
  const { nodeId } = await again.event({ event: 'ready' });
  t.is(nodeId, ready.nodeId);
  t.is(await again.interrupt(), 130);
});

test.serial('at least eight attributes of this machine have a value, whatever machine it is', async t => {
  const { network } = await startAll(t);
  const values = new Map<string, unknown>();

  const stop = new AbortController();
  t.teardown(() => stop.abort());
  await network.resource('Attic/system', [deviceInfo], PATIENT);
  for await (const reports of network.watch({ node: 'Attic', signal: stop.signal })) {
    for (const { resourceId, attribute, value } of reports)
      if (resourceId !== 'beacon' && value !== null) values.set(`${resourceId} ${attribute}`, value);
    const wanted = ['cpuLoad', 'memoryUsed', 'uptime'].every(name => values.has(`system ${name}`));
    if (values.size >= 10 && wanted) stop.abort();
  }

  t.is(typeof values.get('system cpuLoad'), 'number');
  t.is(typeof values.get('system memoryUsed'), 'bigint');
  t.is(typeof values.get('system uptime'), 'bigint');
});

test.serial('the owner sees the addresses, the disk and whether anything is wrong', async t => {
  const { network } = await startAll(t);
  const link = await network.resource('Attic/network', [networkConfiguration], PATIENT);
  const system = await network.resource('Attic/system', [diagnostics], PATIENT);

  for await (const { addresses } of link.networkConfiguration.watch()) if (addresses !== null) break;
  for await (const { diskFree, faults } of system.diagnostics.watch()) {
    t.deepEqual(faults, []);
    if (diskFree !== null) break;
  }

  t.pass();
});

test.serial('the beacon is switched from afar, and shows it', async t => {
  const { network, monitor } = await startAll(t);
  const beacon = await network.resource('Attic/beacon', [onOff, identify], PATIENT);

  await beacon.onOff.turnOn({}, PATIENT);
  await monitor.event({ event: 'beacon', on: true });
  t.true((await beacon.onOff.read(PATIENT)).on);

  await beacon.identify.identify({ duration: 60_000, effect: 'beep' }, PATIENT);
  await monitor.event({ event: 'beacon', on: true, identifying: true });
  await beacon.identify.identify({ duration: 0 }, PATIENT);
  await monitor.event({ event: 'beacon', on: true, identifying: false }, monitor.events.length - 1);

  t.false((await beacon.identify.read(PATIENT)).identifying);
});

test.serial('switched on it is on again after kill -9', async t => {
  const { dev, network, monitor } = await startAll(t);
  const beacon = await network.resource('Attic/beacon', [onOff], PATIENT);
  await beacon.onOff.turnOn({}, PATIENT);
  // What is kept is written within a quarter of a second; a reading that is told afterwards shows that it has passed.
  const system = await network.resource('Attic/system', [diagnostics], PATIENT);
  let told = 0;
  for await (const { fresh } of system.diagnostics.watch()) if (fresh && ++told > 3) break;
  await monitor.stop('SIGKILL');

  const again = startMonitor(t, dev);

  await again.event({ event: 'beacon', on: true });
  await again.event({ event: 'ready' });
  t.true((await beacon.onOff.read(PATIENT)).on);
});

test.serial('telemetry tells the past, and goes on as batches', async t => {
  const { network } = await startAll(t);
  const { telemetry: series } = await network.resource('Attic/system', [telemetry], PATIENT);
  const batches = (async () => {
    for await (const { batch } of series.watch()) if (batch) return batch;
    return undefined;
  })();

  const { subscriptionId } = await series.subscribe({ channels: ['cpuLoad'] }, PATIENT);
  const batch = await batches;

  t.is(batch?.channelId, 'cpuLoad');
  t.is(batch?.interval, 2_000);
  const { points } = await series.ask.history(
    { channelId: 'cpuLoad', from: new Date(0), to: new Date(8.64e15) },
    PATIENT,
  );
  t.true(points.length > 0);
  await series.unsubscribe({ subscriptionId }, PATIENT);
  await t.throwsAsync(series.unsubscribe({ subscriptionId }, PATIENT), { code: 'NOT_FOUND' });
  await t.throwsAsync(series.subscribe({ channels: ['nothing'] }, PATIENT), { code: 'NOT_FOUND' });
});

test.serial('it answers while the NMN is gone, and after that has come back', async t => {
  const { dev, network, monitor } = await startAll(t);
  const beacon = await network.resource('Attic/beacon', [onOff], PATIENT);
  await beacon.onOff.turnOn({}, PATIENT);
  await dev.program.stop('SIGKILL');

  // Data that still took the relay would be lost for as long as a path is believed in.
  await beacon.onOff.turnOff({}, { timeout: 3_000 });
  t.false((await beacon.onOff.read({ timeout: 3_000 })).on);

  await startDevNetwork(t, dev.folder);
  await beacon.onOff.turnOn({}, PATIENT);
  t.true((await beacon.onOff.read(PATIENT)).on);
  t.is(await monitor.stop('SIGTERM'), 0);
});

test.serial('without an invitation it says what is missing', async t => {
  const store = join(await temporaryFolder(t), 'store');

  const monitor = new Program(t, [...MAIN, '--store', store]);

  t.is(await monitor.end(), 1);
  t.like(monitor.events.at(-1), { event: 'failed', code: 'NOT_A_MEMBER' });
  t.regex(monitor.errors.join('\n'), /^host-monitor: NOT_A_MEMBER: .*coconet invite/m);
});

test.serial('a damaged invitation is refused', async t => {
  const store = join(await temporaryFolder(t), 'store');

  const monitor = new Program(t, [...MAIN, '--store', store, '--join', 'coconet://host']);

  t.is(await monitor.end(), 1);
  t.like(monitor.events.at(-1), { event: 'failed', code: 'JOIN_URI_INVALID' });
});

test.serial('a store that another program holds is refused', async t => {
  const { dev } = await startAll(t);

  const second = startMonitor(t, dev);

  t.is(await second.end(), 1);
  t.like(second.events.at(-1), { event: 'failed', code: 'STORE_IN_USE' });
});

test.serial('called off while it waits for an NMN, it ends', async t => {
  const dev = await startDevNetwork(t);
  await dev.program.stop('SIGKILL');
  const monitor = startMonitor(t, dev);
  await monitor.event({ event: 'notice' });

  t.is(await monitor.interrupt(), 130);
});

test.serial('it explains itself, and refuses a wrong word with 2', async t => {
  const help = new Program(t, [...MAIN, '--help']);
  const wrong = new Program(t, [...MAIN, '--stoer']);

  t.is(await help.end(), 0);
  t.regex(help.lines.join('\n'), /--store FOLDER/);
  t.is(await wrong.end(), 2);
  t.regex(wrong.errors.join('\n'), /--stoer/);
});
