import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism, loadavg } from 'node:os';
import { createInterface, type Interface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { type ClusterEvent, toHex } from '@coconet/cluster-protocol/core';
import { memberOf } from '@coconet/cluster-protocol/testing';

import { type Exercise, Failures } from '../../packages/cluster-protocol/test/threats/exercise.js';
import { openFloodNetwork, SERVICE, startMember } from './flood-network.js';

const SEED = 5;
/** Between two messages of the session that is measured. */
const PACE = 5;

interface TargetReport {
  readonly cpuMs: number;
  readonly held: number;
  readonly rss: number;
  readonly drops: Readonly<Record<string, number>>;
}

/** Another process that answers in JSON lines. */
class FloodProcess {
  readonly #child: ChildProcess;
  readonly #lines: Interface;

  constructor(script: string, args: readonly string[]) {
    const path = fileURLToPath(new URL(script, import.meta.url));
    const source = new URL('../../packages/cli/bin/source.js', import.meta.url).href;
    this.#child = spawn(process.execPath, [`--import=${source}`, path, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#lines = createInterface({ input: this.#child.stdout! });
  }

  async line(): Promise<unknown> {
    const [line] = (await once(this.#lines, 'line')) as [string];
    return JSON.parse(line) as unknown;
  }

  async ask(question: string): Promise<unknown> {
    const answer = this.line();
    this.#child.stdin!.write(`${question}\n`);
    return answer;
  }

  /** Ends it; its last words, if it has any. */
  async end(hasLastWords: boolean): Promise<unknown> {
    const last = hasLastWords ? this.line() : undefined;
    const exited = once(this.#child, 'exit');
    this.#child.stdin!.end();
    const words = await last;
    await exited;
    return words;
  }
}

/** Round trips of a live session for some time, and how long new sessions take meanwhile; milliseconds. */
async function measure(
  world: Awaited<ReturnType<typeof openFloodNetwork>>,
  phone: Live,
  lampPort: number,
  seconds: number,
): Promise<{
  readonly trips: readonly number[];
  readonly sessions: readonly number[];
  readonly unanswered: number;
}> {
  const end = performance.now() + seconds * 1_000;
  const [trips, sessions]: [number[], number[]] = [[], []];
  let unanswered = 0;
  const newcomers = (async (): Promise<void> => {
    while (performance.now() < end) {
      sessions.push(await newSession(world, lampPort));
      await wait(200);
    }
  })();
  while (performance.now() < end) {
    const trip = await phone.roundTrip();
    if (trip === undefined) unanswered++;
    else trips.push(trip);
    await wait(PACE);
  }
  await newcomers;
  return { trips, sessions, unanswered };
}

/** Milliseconds until a node that comes anew is heard; 5,000 when it is not within that. */
async function newSession(
  world: Awaited<ReturnType<typeof openFloodNetwork>>,
  lampPort: number,
): Promise<number> {
  const { host, network } = world;
  const start = performance.now();
  let heard: (() => void) | undefined;
  const { node, running } = await startMember(host, network, 'door', lampPort, event => {
    if (event.kind === 'connected') heard?.();
  });
  const connected = new Promise<void>(resolve => (heard = resolve));
  node.connect(host.now(), memberOf(network, 'lamp').nodeId);
  running.turn();
  await Promise.race([connected, wait(5_000)]);
  const took = performance.now() - start;
  node.close(host.now());
  running.turn();
  await running.close();
  return took;
}

/** The session that goes on during the flood. */
class Live {
  readonly #send: (bytes: Uint8Array) => void;
  #heard: (() => void) | undefined;

  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send;
  }

  handle(event: ClusterEvent): void {
    if (event.kind === 'message') this.#heard?.();
  }

  /** Milliseconds there and back; `undefined`: nothing within two seconds. */
  async roundTrip(): Promise<number | undefined> {
    const start = performance.now();
    const heard = new Promise<true>(resolve => (this.#heard = () => resolve(true)));
    this.#send(new Uint8Array(16));
    const isHeard = await Promise.race([heard, wait(2_000, false)]);
    return isHeard ? performance.now() - start : undefined;
  }
}

const realFlood: Exercise = {
  threat: 'T5',
  title: 'over real sockets a flood of message 1 leaves the live session quick and the memory flat',
  unit: 'seconds of each flood',
  sizes: { full: 10 },
  async run(size, progress) {
    const failures = new Failures();
    const madeAt = new Date().getTime();
    const world = await openFloodNetwork(SEED, madeAt);
    const { host, network } = world;
    const target = new FloodProcess('flood-target.ts', [String(SEED), String(madeAt)]);
    const { port } = (await target.line()) as { port: number };
    const key = toHex(memberOf(network, 'lamp').keys.static.publicKey);
    const lampId = memberOf(network, 'lamp').nodeId;
    let heard = (_event: ClusterEvent): void => undefined;
    const { node, running } = await startMember(host, network, 'phone', port, event => heard(event));
    const live = new Live(bytes => {
      node.send(host.now(), lampId, SERVICE, bytes);
      running.turn();
    });
    heard = event => {
      live.handle(event);
    };
    const report = async (): Promise<TargetReport> => (await target.ask('collect')) as TargetReport;
    // Latencies of a machine that is busy with other things say little: the load stands beside them.
    const counts: Record<string, number | string> = {
      load: +loadavg()[0]!.toFixed(1),
      cores: availableParallelism(),
    };
    await measure(world, live, port, 2); // What the engine learns is nobody's latency.
    const idle = await measure(world, live, port, Math.max(2, size / 3));
    const before = await report();
    counts.idleP99Ms = percentile(idle.trips, 0.99);
    counts.idleNewSessionP99Ms = percentile(idle.sessions, 0.99);
    for (const mac of ['bad', 'good'] as const) {
      const sender = new FloodProcess('flood-sender.ts', [String(port), key, mac]);
      await wait(1_500); // It compiles.
      const atStart = await report();
      const during = await measure(world, live, port, size);
      const atEnd = await report();
      const busy = atEnd.cpuMs - atStart.cpuMs;
      const handled = dropped(atEnd) - dropped(atStart);
      const { sent, seconds } = (await sender.end(true)) as { sent: number; seconds: number };
      await wait(3_000);
      const after = await report();
      await wait(1_000);
      const calm = (await report()).cpuMs - after.cpuMs;
      counts[`${mac}Mac1SentPerS`] = Math.round(sent / seconds);
      // The rest was lost before the socket was read: what one of them costs says how much processor all would have taken.
      counts[`${mac}Mac1HandledPerS`] = Math.round(handled / size);
      counts[`${mac}Mac1CpuUsEach`] = +((busy * 1_000) / handled).toFixed(1);
      counts[`${mac}Mac1CpuShare`] = +(busy / size / 1_000).toFixed(2);
      counts[`${mac}Mac1P99Ms`] = percentile(during.trips, 0.99);
      counts[`${mac}Mac1Unanswered`] = during.unanswered;
      counts[`${mac}Mac1NewSessionP99Ms`] = percentile(during.sessions, 0.99);
      counts[`${mac}Mac1GrowthMiB`] = +((after.held - before.held) / 2 ** 20).toFixed(1);
      counts[`${mac}Mac1RssGrowthMiB`] = +((after.rss - before.rss) / 2 ** 20).toFixed(1);
      counts[`${mac}Mac1CalmCpuShare`] = +(calm / 1_000).toFixed(2);
      failures.unless(
        after.held - before.held <= 10 * 2 ** 20,
        `with ${mac} mac1: more than 10 MiB are held after it`,
      );
      failures.unless(
        percentile(during.sessions, 0.99) <= 1_000,
        `with ${mac} mac1: a new session took more than 1 s`,
      );
      failures.unless(
        during.unanswered === 0,
        `with ${mac} mac1: the live session was not heard for two seconds`,
      );
      failures.unless(calm <= 100, `with ${mac} mac1: the processor is still busy 3 s after it`);
      progress(size);
    }
    await running.close();
    await target.end(false);
    return { counts, failures: failures.list };
  },
};

const dropped = ({ drops }: TargetReport): number =>
  Object.values(drops).reduce((sum, count) => sum + count, 0);

/** In milliseconds, two decimals. */
function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return +(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN).toFixed(2);
}

export const floodThreats: readonly Exercise[] = [realFlood];
