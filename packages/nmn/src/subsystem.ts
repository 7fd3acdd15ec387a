import type { Duration } from '@coconet/cluster-protocol/core';

import type { Migration } from './storage/migrations/index.js';

/** One sample of a metric; a name of Prometheus' form, without the prefix `coconet_nmn_`. */
export interface Metric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly samples: readonly MetricSample[];
}

/** A value and the labels that tell it from the others of its metric. */
export interface MetricSample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** What a sub-system says about itself; `detail` is one sentence for people, without secrets. */
export interface Health {
  readonly status: 'ok' | 'degraded' | 'failed';
  readonly detail?: string;
}

/** A request to the HTTP server, already checked for host and size. */
export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

/** What is answered. */
export interface HttpResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** A path of the HTTP server: exact, from the root. */
export interface HttpRoute {
  readonly method: 'GET';
  readonly path: string;
  handle(request: HttpRequest): HttpResponse | Promise<HttpResponse>;
}

/** What sub-systems tell each other; they know of each other by this list alone. */
export type NmnEvent =
  | { readonly kind: 'networkAdded'; readonly networkKey: string }
  | { readonly kind: 'memberAdmitted'; readonly networkKey: string; readonly nodeId: number }
  | { readonly kind: 'memberRevoked'; readonly networkKey: string; readonly nodeId: number }
  | { readonly kind: 'memberOnline'; readonly networkKey: string; readonly nodeId: number }
  | { readonly kind: 'memberOffline'; readonly networkKey: string; readonly nodeId: number }
  | { readonly kind: 'relayShaped'; readonly networkKey: string; readonly nodeId: number };

/** A member on whose behalf a message came: its session has proved who it is. */
export interface Caller {
  readonly networkKey: string;
  readonly nodeId: number;
}

/** Handles messages of one service of the registry. */
export interface ServiceHandler {
  readonly service: number;
  handle(caller: Caller, bytes: Uint8Array): void;
}

/** What a sub-system is given when it starts. */
export interface SubsystemSurroundings {
  /** Tells the others. */
  emit(event: NmnEvent): void;
  /** Sends a message of one of its services; false: the node is not there. */
  send(to: Caller, service: number, bytes: Uint8Array): boolean;
  /** Runs `action` once, not before `delay` has passed; the result calls it off. */
  schedule(delay: Duration, action: () => void): () => void;
}

/**
 * A part of the NMN: membership, rendezvous, relay and STUN are such parts, and what comes later uses the same
 * interface. Parts meet through events alone. Tables begin with `name` and an underscore.
 */
export interface Subsystem {
  /** Lower-case letters: prefix of its tables, section of the configuration, label in health and metrics. */
  readonly name: string;
  readonly migrations?: readonly Migration[];
  readonly services?: readonly ServiceHandler[];
  readonly routes?: readonly HttpRoute[];
  start?(surroundings: SubsystemSurroundings): Promise<void> | void;
  stop?(): Promise<void> | void;
  handleEvent?(event: NmnEvent): void;
  health(): Health;
  metrics(): readonly Metric[];
}
