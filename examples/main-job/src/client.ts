import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { identify, onOff, standardRegistry, valueToJson } from '@coconet/capabilities';
import {
  connect,
  type AttributeReport,
  type Network,
  type NodeExplanation,
  type TypedResource,
} from '@coconet/client-sdk';

import type { ClientEvent, CommonEvent, ShownPath, ShownValue } from './events.js';

/** How often the path is asked for: often while it may still become better, then to see its round-trip time. */
const PATH_SETTLING = 200;
const PATH_SETTLED = 2_000;
/** ms between two commands. */
const BETWEEN_COMMANDS = 10_000;
const SECOND_COMMAND = 1_000;
/** A direct path comes within a second or never; commands do not wait for it longer than this. */
const DIRECT_PATIENCE = 5_000;
/** Longer than the device needs to join on a machine that is busy. */
const DEVICE_PATIENCE = 60_000;
const COMMAND_TIMEOUT = 5_000;
const BLINKING = 1_500;
/** A goodbye takes milliseconds. */
const GOODBYE = 3_000;
/** Exit status of a program that Ctrl-C has ended, as shells have it. */
const INTERRUPTED = 130;

const tell = (event: ClientEvent | CommonEvent): void =>
  void process.stdout.write(`${JSON.stringify(event)}\n`);

const { store, device } = options();
const asked = new AbortController();
let status = 0;
const stop = (code: number): void => {
  status = code;
  asked.abort();
  setTimeout(() => process.exit(status), GOODBYE).unref();
};
process.once('SIGINT', () => stop(INTERRUPTED));
process.once('SIGTERM', () => stop(0));
process.once('SIGHUP', () => stop(0));
// Its parent is gone, or closes it: nobody else would.
process.once('disconnect', () => stop(0));
process.stdout.on('error', () => stop(0));
if (process.send !== undefined && !process.connected) stop(0);

async function run(signal: AbortSignal): Promise<void> {
  const network = await connect({
    join: process.env.COCONET_JOIN,
    store,
    name: 'App',
    signal,
    onNotice: text => tell({ event: 'notice', text }),
  });
  try {
    tell({ event: 'client', nodeId: network.nodeId, network: network.networkId });
    const beacon = await network.resource(`${device}/beacon`, [identify, onOff], {
      timeout: DEVICE_PATIENCE,
      signal,
    });
    await Promise.all([
      followPresence(network, signal),
      followValues(network, signal),
      followPath(network, signal),
      sendCommands(network, beacon, signal),
    ]);
  } finally {
    await network.close();
  }
}

async function followPresence(network: Network, signal: AbortSignal): Promise<void> {
  let before: boolean | undefined;
  for await (const { node } of network.watchNodes({ signal })) {
    if (node.name !== device || node.online === before) continue;
    before = node.online;
    tell({ event: 'presence', online: node.online });
  }
}

async function followValues(network: Network, signal: AbortSignal): Promise<void> {
  for await (const reports of network.watch({ node: device, signal }))
    tell({ event: 'values', values: reports.map(shown) });
}

async function followPath(network: Network, signal: AbortSignal): Promise<void> {
  let before = '';
  while (!signal.aborted) {
    const explained = await network.explain(device);
    // Only what we send is timed by us, and an app that listens sends little: a ping is one message and its answer.
    const rtt = explained.path === null ? null : await roundTrip(network, signal);
    const path = shownPath({ ...explained, rtt });
    const now = JSON.stringify(path);
    if (now !== before) tell({ event: 'path', ...path });
    before = now;
    await pause(path.path === 'direct' ? PATH_SETTLED : PATH_SETTLING, signal);
  }
}

async function roundTrip(network: Network, signal: AbortSignal): Promise<number | null> {
  let round: number | null = null;
  for await (const { rtt } of network.ping(device, { count: 1, signal })) round = rtt;
  return round;
}

type Beacon = TypedResource<readonly [typeof identify, typeof onOff]>;

async function sendCommands(network: Network, beacon: Beacon, signal: AbortSignal): Promise<void> {
  const limit = { timeout: COMMAND_TIMEOUT, signal };
  await send(network, 'identify.identify', signal, () =>
    beacon.identify.identify({ duration: BLINKING }, limit),
  );
  const patience = performance.now() + DIRECT_PATIENCE;
  while (pathOf(network) !== 'direct' && performance.now() < patience && !signal.aborted)
    await pause(PATH_SETTLING / 4, signal);
  for (let count = 0; !signal.aborted; count++) {
    await send(network, 'onOff.toggle', signal, () => beacon.onOff.toggle({}, limit));
    // The first ones meet processes that are still busy with their start; the second shows what it is like from then on.
    await pause(count === 0 ? SECOND_COMMAND : BETWEEN_COMMANDS, signal);
  }
}

/** Waits, not longer than until the end. */
const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  delay(ms, undefined, { signal }).catch(() => undefined);

async function send(
  network: Network,
  command: string,
  signal: AbortSignal,
  call: () => Promise<unknown>,
): Promise<void> {
  const began = performance.now();
  const failure = await call().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  if (signal.aborted) return;
  const rttMs = rounded(performance.now() - began);
  const outcome = { line: `${device}/beacon ${command}`, rttMs, path: pathOf(network) };
  tell({ event: 'command', ...outcome, ...(failure !== undefined && { failure }) });
}

const pathOf = (network: Network): ShownPath['path'] =>
  network.nodes().find(({ name }) => name === device)?.path?.path ?? null;

function shown({ address, capability, attribute, value }: AttributeReport): ShownValue {
  const type = standardRegistry.byName(capability)?.attributes[attribute]?.type;
  return {
    address,
    capability,
    attribute,
    value: type === undefined ? String(value) : valueToJson(value),
    unit: type !== undefined && 'unit' in type ? type.unit : undefined,
  };
}

const shownPath = ({ path, scope, rtt, sentence }: NodeExplanation): ShownPath => ({
  path,
  scope,
  rttMs: rtt === null ? null : rounded(rtt),
  why: sentence,
});

/** Hundredths of a millisecond. */
const rounded = (ms: number): number => Math.round(ms * 100) / 100;

function options(): { readonly store: string; readonly device: string } {
  const { values } = parseArgs({ options: { store: { type: 'string' }, device: { type: 'string' } } });
  const { store: folder = '.coconet/app', device: name = 'Computer' } = values;
  return { store: folder, device: name };
}

try {
  await run(asked.signal);
} catch (error) {
  if (!asked.signal.aborted) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNEXPECTED';
    tell({ event: 'failed', code, text: error instanceof Error ? error.message : String(error) });
    status = 1;
  }
}
process.exit(status);
