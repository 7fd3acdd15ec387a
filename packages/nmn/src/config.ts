import { type Duration, days, milliseconds, minutes, seconds } from '@coconet/cluster-protocol/core';

import { NmnError } from './errors.js';
import { LOG_LEVELS, type LogLevel } from './log.js';
import type { BucketRate } from './limits/token-bucket.js';
import { DEFAULT_RELAY_OPTIONS, type RelayOptions } from './relay/relay-options.js';
import { DEFAULT_RENDEZVOUS_OPTIONS, type RendezvousOptions } from './rendezvous/rendezvous-service.js';

/**
 * The port of an NMN, UDP and TCP alike. Unassigned in IANA's registry of service names and port numbers, and below the
 * ranges from which operating systems draw ports for outgoing traffic (RFC 6335, section 6; Linux begins at 32768), so
 * that no other program is given it by chance while the NMN restarts.
 */
export const DEFAULT_PORT = 28_620;

/** Where the NMN listens for nodes. */
export interface ListenConfig {
  /** 1–65535, or 0 for any free port. */
  readonly port: number;
  /** Addresses to bind; empty: all of this machine. */
  readonly bind: readonly string[];
}

/** The HTTP server with health and metrics. */
export interface HttpConfig {
  readonly enabled: boolean;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Further values of the Host header that are answered, for a reverse proxy. */
  readonly allowedHosts: readonly string[];
}

/** Rules of membership that an operator may choose. */
export interface MembershipConfig {
  /** Life of a membership certificate; it is renewed at two thirds. */
  readonly certificateLife: Duration;
  /** After this time without a new head a member calls its network state stale. */
  readonly headLife: Duration;
  /** How long after a start the NMN waits for a member to show what it has seen, before it signs. */
  readonly settleTime: Duration;
  readonly invitationLife: Duration;
  /** Join attempts that are looked at, per source and in all; one that proves its claim does not count. */
  readonly joinsPerSource: BucketRate;
  readonly joins: BucketRate;
  readonly operatorTokenLife: Duration;
  readonly networks: number;
  readonly openInvitations: number;
}

/** Everything an operator can choose, complete and valid. */
export interface NmnConfig {
  /** Absolute or relative to the working directory. */
  readonly dataFolder: string;
  readonly listen: ListenConfig;
  /** Names or addresses that nodes are told to reach this NMN at, `host` or `host:port`; empty: what the links have. */
  readonly publicHosts: readonly string[];
  readonly http: HttpConfig;
  readonly logLevel: LogLevel;
  readonly membership: MembershipConfig;
  readonly rendezvous: RendezvousOptions;
  readonly relay: RelayOptions;
}

/** What a person writes: any part of {@link NmnConfig}; durations in milliseconds. */
export type NmnConfigInput = DeepPartial<NmnConfig> & { readonly dataFolder: string };

type DeepPartial<T> = T extends number | string | boolean | readonly unknown[]
  ? T
  : { readonly [K in keyof T]?: DeepPartial<T[K]> | undefined };

/**
 * Defaults. In any minute at most 100 wrong join attempts of one source and 2,000 in all are looked at, which leaves a
 * 128-bit claim unguessable; right ones do not count, so a whole house may join at once. An operator token is used within the hour or made anew.
 */
export const DEFAULT_CONFIG: Omit<NmnConfig, 'dataFolder'> = {
  listen: { port: DEFAULT_PORT, bind: [] },
  publicHosts: [],
  http: { enabled: true, host: '127.0.0.1', port: DEFAULT_PORT + 1, allowedHosts: [] },
  logLevel: 'info',
  membership: {
    certificateLife: days(180),
    headLife: days(7),
    settleTime: seconds(3),
    invitationLife: days(7),
    joinsPerSource: { perSecond: 40 / 60, capacity: 60 },
    joins: { perSecond: 1_000 / 60, capacity: 1_000 },
    operatorTokenLife: minutes(60),
    networks: 1_024,
    openInvitations: 256,
  },
  rendezvous: DEFAULT_RENDEZVOUS_OPTIONS,
  relay: DEFAULT_RELAY_OPTIONS,
};

/** Longest duration of a configuration: ten years, which is what "for ever" means for a certificate. */
const LONGEST = days(3_653);

/**
 * The complete configuration of an input. Throws `CONFIG_INVALID` that names the place, what is there and what would be
 * right; a name that is not known is an error too, because it is a mistyped one.
 */
export function parseConfig(input: unknown): NmnConfig {
  const root = new Section('', input);
  const listen = root.section('listen');
  const http = root.section('http');
  const membership = root.section('membership');
  const rendezvous = root.section('rendezvous');
  const relay = root.section('relay');
  const d = DEFAULT_CONFIG;
  const config: NmnConfig = {
    dataFolder: root.text('dataFolder', undefined),
    listen: { port: listen.port('port', d.listen.port), bind: listen.texts('bind', d.listen.bind) },
    publicHosts: root.texts('publicHosts', d.publicHosts),
    http: {
      enabled: http.flag('enabled', d.http.enabled),
      host: http.text('host', d.http.host),
      port: http.port('port', d.http.port),
      allowedHosts: http.texts('allowedHosts', d.http.allowedHosts),
    },
    logLevel: root.choice('logLevel', LOG_LEVELS, d.logLevel),
    membership: {
      certificateLife: membership.duration('certificateLife', d.membership.certificateLife),
      headLife: membership.duration('headLife', d.membership.headLife),
      settleTime: membership.duration('settleTime', d.membership.settleTime),
      invitationLife: membership.duration('invitationLife', d.membership.invitationLife),
      joinsPerSource: membership.rate('joinsPerSource', d.membership.joinsPerSource),
      joins: membership.rate('joins', d.membership.joins),
      operatorTokenLife: membership.duration('operatorTokenLife', d.membership.operatorTokenLife),
      networks: membership.count('networks', d.membership.networks),
      openInvitations: membership.count('openInvitations', d.membership.openInvitations),
    },
    rendezvous: {
      asking: rendezvous.rate('asking', d.rendezvous.asking),
      beingAsked: rendezvous.rate('beingAsked', d.rendezvous.beingAsked),
    },
    relay: {
      leaseLife: relay.duration('leaseLife', d.relay.leaseLife),
      nodeBytesPerSecond: relay.count('nodeBytesPerSecond', d.relay.nodeBytesPerSecond),
      nodeBurst: relay.count('nodeBurst', d.relay.nodeBurst),
      networkBytesPerSecond: relay.count('networkBytesPerSecond', d.relay.networkBytesPerSecond),
      networkBurst: relay.count('networkBurst', d.relay.networkBurst),
      leasesPerNode: relay.count('leasesPerNode', d.relay.leasesPerNode),
      leasesPerNetwork: relay.count('leasesPerNetwork', d.relay.leasesPerNetwork),
      leases: relay.count('leases', d.relay.leases),
    },
  };
  for (const section of [root, listen, http, membership, rendezvous, relay]) section.finish();
  return config;
}

/** One object of the input: each getter checks one name, `finish` refuses the names that nobody asked for. */
class Section {
  readonly #path: string;
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #asked = new Set<string>();

  constructor(path: string, input: unknown) {
    this.#path = path;
    if (typeof input !== 'object' || input === null || Array.isArray(input))
      throw invalid(path || 'the configuration', input, 'an object');
    this.#values = input as Record<string, unknown>;
  }

  section(name: string): Section {
    return new Section(this.#at(name), this.#get(name) ?? {});
  }

  text(name: string, fallback: string | undefined): string {
    const value = this.#get(name) ?? fallback;
    if (typeof value !== 'string' || value === '') throw invalid(this.#at(name), value, 'a text');
    return value;
  }

  texts(name: string, fallback: readonly string[]): readonly string[] {
    const value: unknown = this.#get(name) ?? fallback;
    if (!Array.isArray(value) || !value.every(item => typeof item === 'string' && item !== ''))
      throw invalid(this.#at(name), value, 'a list of texts');
    return value as string[];
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.#get(name) ?? fallback;
    if (typeof value !== 'boolean') throw invalid(this.#at(name), value, 'true or false');
    return value;
  }

  choice<T extends string>(name: string, choices: readonly T[], fallback: T): T {
    const value = this.#get(name) ?? fallback;
    const chosen = choices.find(choice => choice === value);
    if (chosen === undefined) throw invalid(this.#at(name), value, `one of ${choices.join(', ')}`);
    return chosen;
  }

  port(name: string, fallback: number): number {
    return this.#number(name, fallback, 0, 65_535, 'a port from 1 to 65535, or 0 for any free one', true);
  }

  count(name: string, fallback: number): number {
    return this.#number(name, fallback, 1, Number.MAX_SAFE_INTEGER, 'a whole number above 0', true);
  }

  duration(name: string, fallback: Duration): Duration {
    const wanted = 'a number of milliseconds from 0 to ten years';
    return milliseconds(this.#number(name, fallback, 0, LONGEST, wanted, false));
  }

  rate(name: string, fallback: BucketRate): BucketRate {
    const section = this.section(name);
    const rate = {
      perSecond: section.#number('perSecond', fallback.perSecond, 1e-6, 1e9, 'a number above 0', false),
      capacity: section.#number('capacity', fallback.capacity, 1, 1e9, 'a number from 1', false),
    };
    section.finish();
    return rate;
  }

  finish(): void {
    const unknown = Object.keys(this.#values).find(name => !this.#asked.has(name));
    if (unknown === undefined) return;
    const known = [...this.#asked].join(', ');
    throw new NmnError('CONFIG_INVALID', `${this.#at(unknown)} is not a setting; there are: ${known}`);
  }

  #number(name: string, fallback: number, low: number, high: number, wanted: string, whole: boolean): number {
    const value = this.#get(name) ?? fallback;
    const fits =
      typeof value === 'number' && value >= low && value <= high && (!whole || Number.isInteger(value));
    if (!fits) throw invalid(this.#at(name), value, wanted);
    return value;
  }

  #get(name: string): unknown {
    this.#asked.add(name);
    return Object.hasOwn(this.#values, name) ? this.#values[name] : undefined;
  }

  #at(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }
}

function invalid(place: string, value: unknown, wanted: string): NmnError {
  const shown = value === undefined ? 'missing' : shortJson(value);
  return new NmnError('CONFIG_INVALID', `${place} is ${shown}, but must be ${wanted}`);
}

/** A value as a person wrote it, cut to what fits a sentence. Functions and symbols have no JSON, whatever the types say. */
function shortJson(value: unknown): string {
  const json = JSON.stringify(value) as string | undefined;
  return json?.slice(0, 80) ?? typeof value;
}
