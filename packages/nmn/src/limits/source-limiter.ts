import type { Instant } from '@coconet/cluster-protocol/core';
import { addressBytes, type SocketAddress } from '@coconet/cluster-protocol/wire';

import { type BucketRate, TokenBucket } from './token-bucket.js';

/**
 * Sources remembered at once. Each costs about 100 bytes; when more than that many ask within the time a bucket needs to
 * refill, newcomers share one bucket, so that a flood from many addresses cannot buy itself a fresh allowance for each.
 */
export const MAX_SOURCES = 8_192;

/**
 * Attempts per source and in all. A source is an IPv4 address or an IPv6 /64, because a single host has all of the
 * latter to itself (RFC 4291, section 2.5.4); the port does not count.
 */
export class SourceLimiter {
  readonly #perSource: BucketRate;
  readonly #all: TokenBucket;
  readonly #sources = new Map<string, TokenBucket>();
  #shared: TokenBucket | undefined;

  constructor(perSource: BucketRate, global: BucketRate, now: Instant) {
    this.#perSource = perSource;
    this.#all = new TokenBucket(global, now);
  }

  /** Whether one more attempt of `address` may be looked at. A source that is over its own rate costs the others nothing. */
  admit(now: Instant, address: SocketAddress): boolean {
    return this.#bucketOf(now, sourceOf(address)).take(now) && this.#all.take(now);
  }

  /** An attempt of `address` that was admitted has turned out to be honest: it counts as none. */
  forgive(now: Instant, address: SocketAddress): void {
    this.#bucketOf(now, sourceOf(address)).give(now);
    this.#all.give(now);
  }

  /** Sources remembered now. */
  get size(): number {
    return this.#sources.size;
  }

  #bucketOf(now: Instant, source: string): TokenBucket {
    const known = this.#sources.get(source);
    if (known) return known;
    if (this.#sources.size >= MAX_SOURCES) this.#forgetRefilled(now);
    if (this.#sources.size >= MAX_SOURCES) return (this.#shared ??= new TokenBucket(this.#perSource, now));
    const bucket = new TokenBucket(this.#perSource, now);
    this.#sources.set(source, bucket);
    return bucket;
  }

  /** Oldest first, and no more than a few per call: the map keeps the order of insertion, and refilled ones gather at its head. */
  #forgetRefilled(now: Instant): void {
    let looked = 0;
    for (const [source, bucket] of this.#sources) {
      if (bucket.full(now)) this.#sources.delete(source);
      if (++looked >= 16) return;
    }
  }
}

/** What counts as one source: the IPv4 address, or the first 64 bits of the IPv6 address. */
export function sourceOf(address: SocketAddress): string {
  return address.family === 4 ? address.host : addressBytes(address).subarray(0, 8).join('.') + '/64';
}
