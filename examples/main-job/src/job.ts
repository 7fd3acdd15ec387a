import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { startDev, type Dev } from 'coconet';

import { Child } from './child.js';
import type { ChildEvent, DoneEvent, JobEvent } from './events.js';
import { Picture } from './picture.js';
import { printedLines } from './printed-lines.js';

/** How to run the main job. */
export interface JobOptions {
  /** Ends by itself when everything has been shown to work, or cannot be. */
  readonly once: boolean;
  /** Kept; `undefined`: a temporary one. */
  readonly folder: string | undefined;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: JobEvent) => void;
}

/** Name of this computer in its network. */
export const DEVICE = 'Computer';

/** Attributes that every machine has: with fewer, something is wrong. */
const ENOUGH_ATTRIBUTES = 8;

/** Time that `--once` takes at most before it is content with what has come, or says what has not; in ms. */
const ONCE_LIMIT = 17_000;

/** Waits before a process that ended is started again, in ms; after the last one the job gives up. */
const RESTARTS: readonly number[] = [250, 500, 1_000, 2_000, 4_000];

/** One of the two processes beside this one. */
type Role = 'host monitor' | 'app';

/** The main job: an NMN in this process, a host monitor and an app each in one of its own. */
export class Job {
  readonly picture: Picture = new Picture();
  readonly #options: JobOptions;
  readonly #children = new Map<Role, Child>();
  readonly #lost = new Map<Role, number>();
  readonly #timers = new Set<NodeJS.Timeout>();
  readonly #ended: Promise<DoneEvent | undefined>;
  #end: (how: DoneEvent | undefined) => void = () => undefined;
  /** Aborted at the end, whatever it is. */
  readonly #over = new AbortController();

  constructor(options: JobOptions) {
    this.#options = options;
    this.#ended = new Promise(done => {
      this.#end = how => {
        this.#over.abort();
        done(how);
      };
    });
  }

  /** Runs until it is done, fails, or is told to end; then `undefined`. Nothing of it is left when it resolves. */
  async run(): Promise<DoneEvent | undefined> {
    const { once, folder, signal } = this.#options;
    const stop = (): void => this.#end(undefined);
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    if (once) this.#later(ONCE_LIMIT, () => this.#giveUp());
    const root = folder === undefined ? await mkdtemp(join(tmpdir(), 'coconet-')) : resolve(folder);
    let dev: Dev | undefined;
    try {
      const starting = this.#open(root).catch((error: unknown) => {
        this.#fail(reasonOf(error));
        return undefined;
      });
      dev = await Promise.race([starting, this.#ended.then(() => undefined)]);
      if (dev) this.#startChildren(dev, root);
      const how = await this.#ended;
      // A start that was called off still has to be waited for: what it opened is closed below.
      dev ??= await starting;
      return how;
    } finally {
      signal.removeEventListener('abort', stop);
      for (const timer of this.#timers) clearTimeout(timer);
      await Promise.all([...this.#children.values()].map(child => child.stop()));
      await dev?.close();
      if (folder === undefined) await rm(root, { recursive: true, force: true });
    }
  }

  async #open(root: string): Promise<Dev> {
    const { folder } = this.#options;
    const dev = await startDev({
      folder: root,
      // A kept network stays at its port, which its members remember.
      ...(folder === undefined && { port: 0 }),
      onNotice: text => this.#tell({ event: 'notice', text }),
      signal: this.#over.signal,
    });
    const { port, networkId: network } = dev;
    this.#tell({ event: 'nmn', port, network, folder: root });
    return dev;
  }

  #startChildren(dev: Dev, root: string): void {
    this.#startChild('host monitor', dev, root);
    this.#startChild('app', dev, root);
    for (const line of printedLines(DEVICE, dev.clientStore)) this.#tell({ event: 'try', ...line });
  }

  #startChild(role: Role, dev: Dev, root: string): void {
    if (this.#over.signal.aborted) return;
    const isApp = role === 'app';
    const store = join(root, isApp ? 'app' : 'host-monitor');
    const child = new Child({
      name: `the ${role}`,
      script: new URL(isApp ? './client.ts' : '../../host-monitor/src/main.ts', import.meta.url),
      words: isApp ? ['--store', store, '--device', DEVICE] : ['--json', '--store', store, '--name', DEVICE],
      variables: { COCONET_JOIN: isApp ? dev.joinUris.client : dev.joinUri },
      onEvent: event => this.#take(role, event),
      onLost: why => this.#again(role, why, dev, root),
    });
    this.#children.set(role, child);
    if (child.pid !== undefined) this.#tell({ event: 'process', process: role, pid: child.pid });
  }

  #take(role: Role, event: ChildEvent): void {
    if (event.event === 'ready' || event.event === 'client') this.#lost.delete(role);
    if (event.event === 'ready') this.#tell({ event: 'device', name: event.name, nodeId: event.nodeId });
    else if (event.event !== 'failed') this.#tell(event);
  }

  #again(role: Role, why: string, dev: Dev, root: string): void {
    this.#children.delete(role);
    if (this.#over.signal.aborted) return;
    const times = this.#lost.get(role) ?? 0;
    this.#lost.set(role, times + 1);
    const wait = RESTARTS[times];
    if (this.#options.once || wait === undefined) {
      this.#fail(`${role}: ${why}`);
      return;
    }
    this.#tell({ event: 'restart', process: `the ${role}`, why });
    this.#later(wait, () => this.#startChild(role, dev, root));
  }

  #tell(event: JobEvent): void {
    if (this.#over.signal.aborted) return;
    this.picture.apply(event);
    this.#options.onEvent(event);
    if (this.#options.once) this.#finishOnce();
  }

  /** Ends it when everything has been shown. `wanted`: attributes that the app has to have. */
  #finishOnce(wanted: number = this.picture.measured ?? Infinity): void {
    const { directCommands, path, attributes } = this.picture;
    const [, second] = directCommands;
    if (second === undefined || path?.path !== 'direct') return;
    if (attributes < Math.max(wanted, ENOUGH_ATTRIBUTES)) return;
    this.#end({ event: 'done', ok: true, path: 'direct', commandRttMs: second.rttMs, attributes });
  }

  /** A source of readings that hangs keeps nobody from the rest. */
  #giveUp(): void {
    this.#finishOnce(ENOUGH_ATTRIBUTES);
    if (!this.#over.signal.aborted) this.#fail(this.#missing());
  }

  #fail(reason: string): void {
    this.#end({ event: 'done', ok: false, reason });
  }

  /** What `--once` still waits for. */
  #missing(): string {
    const { port, device, path, command, attributes, notices } = this.picture;
    const late = `after ${ONCE_LIMIT / 1_000} s `;
    const hint = notices.length === 0 ? '' : `; ${notices.join('; ')}`;
    if (port === undefined) return `${late}the NMN has not started${hint}`;
    if (device === undefined) return `${late}the device has not joined${hint}`;
    if (path === undefined) return `${late}the app has not found the device${hint}`;
    if (path.path !== 'direct') return `${late}the path is ${path.path ?? 'none'}: ${path.why}${hint}`;
    if (attributes < ENOUGH_ATTRIBUTES)
      return `${late}the app has ${attributes} attributes of ${ENOUGH_ATTRIBUTES}${hint}`;
    if (command?.failure !== undefined) return `the command ${command.line} failed: ${command.failure}`;
    return `${late}no command was answered over the direct path${hint}`;
  }

  #later(wait: number, action: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, wait);
    this.#timers.add(timer);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? `${String(error.code)}: ${error.message}` : error.message;
}
