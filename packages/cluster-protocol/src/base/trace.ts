/** A value of JSON. What is `undefined` is left out. */
export type TraceValue =
  string | number | boolean | undefined | readonly TraceValue[] | { readonly [name: string]: TraceValue };

/** Something that happened inside an endpoint, in the words of qlog (docs/guides/see-inside.md). */
export interface TraceEvent {
  /** Namespace, colon, name: `quic:packet_sent`. */
  readonly name: string;
  /** What the name asks for. Never a key, a secret, or a byte of what an application sends. */
  readonly data: { readonly [name: string]: TraceValue };
  /** Which session, named alike at both ends; absent: no session yet. */
  readonly group: string | undefined;
  /** Which path: link, address and, over a relay, channel; absent: none in particular. */
  readonly path: string | undefined;
}

/** Hears what happens inside an endpoint, at once and in order, and stamps it with a clock of its own. */
export interface TraceSink {
  record(event: TraceEvent): void;
  /** Nothing more comes. */
  close(): void;
}
