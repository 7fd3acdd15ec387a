import {
  formatOperatorUri,
  type Host,
  type HostPort,
  MAX_HOSTS,
  milliseconds,
  parseHostPort,
  type RunningMachine,
  seconds,
  type TraceSink,
} from '@coconet/cluster-protocol/core';
import { createNodeHost } from '@coconet/cluster-protocol/node';

import { AdminSocket, type NetworkSummary, type NmnStatus } from './admin/admin-socket.js';
import { healthResponse, overallHealth } from './admin/health.js';
import { HttpServer } from './admin/http-server.js';
import { formatMetrics, METRICS_CONTENT_TYPE } from './admin/metrics.js';
import { builtInSubsystems } from './built-in.js';
import { type NmnConfig, type NmnConfigInput, parseConfig } from './config.js';
import { NmnError } from './errors.js';
import { errorText, Log } from './log.js';
import { NmnMachine } from './nmn-machine.js';
import type { NmnMachineEvent } from './nmn-machine-options.js';
import { NmnStore } from './storage/nmn-store.js';
import type { HttpRoute, NmnEvent, Subsystem, SubsystemSurroundings } from './subsystem.js';

/** How to start an NMN. */
export interface NmnOptions {
  readonly config: NmnConfigInput;
  /** Gets every line of the log, without a line break. Default: the lines are dropped. */
  readonly log?: (line: string) => void;
  /** Further sub-systems. */
  readonly subsystems?: readonly Subsystem[];
  /** Clocks, sockets, chance and cryptography. Default: those of this process. */
  readonly host?: Host;
}

/** A read of a network from disk that failed is tried again after this. */
const RELOAD_RETRY = seconds(5);

/**
 * Starts an NMN and resolves when it answers. Throws `CONFIG_INVALID`, `DATA_FOLDER_…`, `DATABASE_…`, `PORT_IN_USE` or
 * `ADMIN_SOCKET_FAILED`; nothing is left open then, and a data folder that the start began is gone.
 *
 * ```ts
 * const nmn = await startNmn({ config: { dataFolder: './nmn', listen: { port: 0, bind: ['127.0.0.1'] } } });
 * console.log(await nmn.operatorUri());
 * await nmn.close();
 * ```
 */
export async function startNmn(options: NmnOptions): Promise<RunningNmn> {
  const config = parseConfig(options.config);
  const host = options.host ?? (await createNodeHost());
  return RunningNmn.start(config, host, options);
}

/** An NMN that runs in this process. */
export class RunningNmn {
  /** UDP port. */
  readonly port: number;
  /** Resolves when the NMN has stopped, whoever asked it to. */
  readonly closed: Promise<void>;
  readonly #config: NmnConfig;
  readonly #host: Host;
  readonly #store: NmnStore;
  readonly #machine: NmnMachine;
  readonly #running: RunningMachine;
  readonly #subsystems: readonly Subsystem[];
  readonly #staticKey: Uint8Array;
  readonly #log: Log;
  readonly #trace: TraceSink | undefined;
  #http: HttpServer | undefined;
  #admin: AdminSocket | undefined;
  #closing: Promise<void> | undefined;
  #hasClosed: () => void = () => undefined;

  private constructor(parts: {
    readonly config: NmnConfig;
    readonly host: Host;
    readonly store: NmnStore;
    readonly machine: NmnMachine;
    readonly running: RunningMachine;
    readonly subsystems: readonly Subsystem[];
    readonly staticKey: Uint8Array;
    readonly log: Log;
    readonly trace: TraceSink | undefined;
  }) {
    this.#config = parts.config;
    this.#host = parts.host;
    this.#store = parts.store;
    this.#machine = parts.machine;
    this.#running = parts.running;
    this.#subsystems = parts.subsystems;
    this.#staticKey = parts.staticKey;
    this.#log = parts.log;
    this.#trace = parts.trace;
    this.port = parts.running.links[0]?.port ?? 0;
    this.closed = new Promise(resolve => {
      this.#hasClosed = resolve;
    });
  }

  /** See {@link startNmn}. */
  static async start(config: NmnConfig, host: Host, options: NmnOptions): Promise<RunningNmn> {
    const write = options.log ?? (() => undefined);
    const log = new Log(config.logLevel, { write, now: () => host.now(), wallTime: () => host.wallTime() });
    const extra = options.subsystems ?? [];
    const store = await NmnStore.open(
      config.dataFolder,
      extra.flatMap(subsystem => subsystem.migrations ?? []),
    );
    let nmn: RunningNmn | undefined;
    const trace = host.trace?.('nmn');
    try {
      const identity = await store.identify(host.crypto, host.random);
      const machine = new NmnMachine({
        provider: host.crypto,
        random: host.random,
        config,
        now: host.now(),
        wall: () => host.wallTime(),
        ...identity,
        networks: await store.changes.load(),
        operatorTokens: await store.settings.operatorTokens(),
        trace,
      });
      const early: NmnMachineEvent[] = [];
      const sink = { take: (event: NmnMachineEvent): void => void early.push(event) };
      const running = await host.run(machine, config.listen, event => {
        sink.take(event);
      });
      const subsystems = [...builtInSubsystems(machine), ...extra];
      const staticKey = identity.staticKey.publicKey;
      const parts = { config, host, store, machine, running, subsystems, staticKey, log, trace };
      const started = new RunningNmn(parts);
      nmn = started;
      sink.take = event => started.#take(event);
      for (const event of early) started.#take(event);
      await started.#open();
      return started;
    } catch (error) {
      if (nmn) await nmn.#close(() => store.discard());
      else {
        trace?.close();
        await store.discard();
      }
      throw error;
    }
  }

  /** TCP port of the HTTP server; `undefined` when it is off. */
  get httpPort(): number | undefined {
    return this.#http?.port;
  }

  /** X25519 public key, which join URIs pin. */
  get staticKey(): Uint8Array {
    return this.#staticKey;
  }

  /** Where nodes reach this NMN, best first, at most eight. */
  get hosts(): readonly HostPort[] {
    const { publicHosts, listen } = this.#config;
    const port = this.port;
    const told = publicHosts.map(text =>
      parseHostPort(/:\d+$/.test(text) && !/^[^[]*:.*:/.test(text) ? text : `${bracketed(text)}:${port}`),
    );
    if (told.length > 0) return told.slice(0, MAX_HOSTS);
    if (listen.bind.length > 0)
      return listen.bind.map(address => ({ host: address, port })).slice(0, MAX_HOSTS);
    const addresses = this.#running.links.flatMap(link =>
      link.addresses.map(({ host, internal }) => ({ host, internal, port: link.port, family: link.family })),
    );
    // A zone means something on this machine alone.
    const usable = addresses.filter(
      ({ host }) => !host.includes('%') && !host.toLowerCase().startsWith('fe80'),
    );
    return usable
      .sort((a, b) => Number(a.internal) - Number(b.internal) || a.family - b.family)
      .map(({ host, port: at }) => ({ host, port: at }))
      .slice(0, MAX_HOSTS);
  }

  /** A URI with which somebody may create one network on this NMN, once, within the configured time. */
  async operatorUri(): Promise<string> {
    if (this.#closing) throw new NmnError('INVALID_STATE', 'the NMN is stopping');
    const token = await new Promise<Uint8Array | undefined>(resolve => {
      this.#machine.createOperatorToken(resolve);
      this.#running.turn();
    });
    if (!token)
      throw new NmnError('STORAGE_FAILED', 'the token could not be written to disk; is the disk full?');
    return formatOperatorUri({ nmnKey: this.#staticKey, token, hosts: this.hosts });
  }

  /** What this NMN says of itself. */
  status(): NmnStatus {
    const networks = this.networks();
    return {
      pid: process.pid,
      port: this.port,
      httpPort: this.httpPort,
      networks: networks.length,
      members: networks.reduce((sum, { members }) => sum + members, 0),
      sessions: this.#machine.sessionCount,
      health: overallHealth(this.#subsystems),
      dropped: this.#machine.drops.snapshot(),
    };
  }

  /** The networks that are served. */
  networks(): NetworkSummary[] {
    return [...this.#machine.networks.all()].map(({ ledger }) => {
      const members = ledger.state.members().filter(({ credential }) => credential.leaf.kind !== 'nmn');
      const online = members.filter(({ nodeId }) =>
        this.#machine.rendezvous.online(ledger.key, nodeId),
      ).length;
      return { network: ledger.key, name: ledger.stored.name, members: members.length, online };
    });
  }

  /** Says goodbye to all nodes, finishes what is on its way to the disk, and lets everything go. */
  close(): Promise<void> {
    this.#closing ??= this.#close(() => this.#store.close());
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #open(): Promise<void> {
    const { http } = this.#config;
    const surroundings: SubsystemSurroundings = {
      emit: event => this.#spread(event),
      send: (to, service, bytes) => {
        const sent = this.#machine.send(this.#host.now(), to, service, bytes);
        this.#running.turn();
        return sent;
      },
      schedule: (delay, action) => this.#host.schedule(delay, action),
    };
    for (const subsystem of this.#subsystems) await subsystem.start?.(surroundings);
    if (http.enabled)
      this.#http = await HttpServer.listen(this.#routes(), {
        ...http,
        onError: error => this.#log.warn('httpFailed', { error: errorText(error) }),
      });
    this.#admin = await AdminSocket.listen(this.#store.folder, {
      status: () => this.status(),
      listNetworks: () => this.networks(),
      operatorToken: async () => ({ uri: await this.operatorUri() }),
      stop: () => {
        // Answered first: the socket goes with the rest.
        this.#host.schedule(milliseconds(0), () => void this.close());
        return { stopping: true };
      },
    });
    const { port, httpPort } = this;
    this.#log.info('started', { port, httpPort, networks: this.#machine.networks.size });
  }

  #routes(): HttpRoute[] {
    return [
      { method: 'GET', path: '/health', handle: () => healthResponse(this.#subsystems) },
      {
        method: 'GET',
        path: '/metrics',
        handle: () => ({
          status: 200,
          contentType: METRICS_CONTENT_TYPE,
          body: formatMetrics(this.#subsystems),
        }),
      },
      ...this.#subsystems.flatMap(subsystem => subsystem.routes ?? []),
    ];
  }

  #take(event: NmnMachineEvent): void {
    switch (event.kind) {
      case 'commit':
        void this.#commit(event);
        return;
      case 'reload':
        void this.#reload(event.networkKey);
        return;
      case 'message':
        for (const { services = [] } of this.#subsystems)
          for (const handler of services)
            if (handler.service === event.service) handler.handle(event.caller, event.bytes);
        return;
      case 'event':
        this.#spread(event.event);
        return;
      case 'log':
        this.#log[event.level](event.event, event.fields);
    }
  }

  async #commit({ id, changes }: Extract<NmnMachineEvent, { kind: 'commit' }>): Promise<void> {
    try {
      await this.#store.changes.commit(changes);
      this.#machine.handleCommitted(this.#host.now(), id);
    } catch (error) {
      this.#log.error('commitFailed', { error: errorText(error) });
      this.#machine.handleCommitFailed(this.#host.now(), id);
    }
    this.#running.turn();
  }

  async #reload(networkKey: string): Promise<void> {
    if (this.#closing) return;
    try {
      const contents = await this.#store.changes.loadNetwork(networkKey);
      this.#machine.handleLoaded(this.#host.now(), networkKey, contents);
      this.#running.turn();
    } catch (error) {
      this.#log.error('reloadFailed', { network: networkKey, error: errorText(error) });
      this.#host.schedule(RELOAD_RETRY, () => void this.#reload(networkKey));
    }
  }

  #spread(event: NmnEvent): void {
    this.#log.debug(event.kind, { ...event });
    for (const subsystem of this.#subsystems) subsystem.handleEvent?.(event);
  }

  async #close(closeStore: () => Promise<void>): Promise<void> {
    await this.#admin?.close();
    await this.#http?.close();
    this.#machine.close(this.#host.now());
    this.#running.turn();
    await this.#store.changes.close();
    // What the last commits had to say leaves before the sockets close.
    await new Promise<void>(resolve => {
      this.#host.schedule(milliseconds(10), resolve);
    });
    await this.#running.close();
    this.#trace?.close();
    for (const subsystem of [...this.#subsystems].reverse()) await subsystem.stop?.();
    await closeStore();
    this.#log.info('stopped', {});
    this.#hasClosed();
  }
}

const bracketed = (host: string): string =>
  host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
