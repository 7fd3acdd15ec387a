/** What became of bytes from the network: the value, or in words why there is none. Decoders never throw. */
export type Decoded<T> = { readonly ok: true; readonly value: T } | Refused;

/** Why something from the network was not taken. The reason is for logs and counters, not for matching. */
export interface Refused {
  readonly ok: false;
  readonly reason: string;
}

/** The good end of a decoder. */
export const decoded = <T>(value: T): Decoded<T> => ({ ok: true, value });
/** The bad end of a decoder. */
export const refused = (reason: string): Refused => ({ ok: false, reason });
