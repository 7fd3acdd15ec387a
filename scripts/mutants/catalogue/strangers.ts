import type { Mutant } from '../mutant.js';

/** Handshakes with whoever calls, under load and at peace. */
export const STRANGERS: readonly Mutant[] = [
  {
    name: 'a cookie of one address counts for every other',
    file: 'session/cookie.ts',
    original: 'blake2b(COOKIE_LENGTH, pathName(path), secret)',
    replacement: 'blake2b(COOKIE_LENGTH, pathName(path).fill(0), secret)',
    tests: ['session/cookie'],
  },
  {
    name: 'a cookie from long ago still counts',
    file: 'session/cookie.ts',
    original:
      '    for (const old of [this.#secretBefore, period === this.#period + 1 ? undefined : this.#secret])\n' +
      '      if (old) this.#provider.zero(old);\n' +
      '    this.#secretBefore = period === this.#period + 1 ? this.#secret : undefined;\n',
    replacement: '    this.#secretBefore = this.#secret;\n',
    tests: ['session/cookie'],
  },
  {
    name: 'a secret of zeros makes cookies after one was overwritten',
    file: 'session/cookie.ts',
    original: 'this.#secretBefore = period === this.#period + 1 ? this.#secret : undefined;',
    replacement: 'this.#secretBefore = this.#secret;',
    tests: ['session/cookie'],
  },
  {
    name: 'whoever saw no initiation can make a cookie for it',
    file: 'session/cookie.ts',
    original: 'const ad = concatBytes(packet.subarray(0, HEADER), mac1);',
    replacement: 'const ad = concatBytes(packet.subarray(0, HEADER), mac1.slice().fill(0));',
    tests: ['session/strangers', 'session/handshake-vectors'],
  },
  {
    name: 'load that has passed is remembered as if it went on',
    file: 'session/load.ts',
    original: 'Math.min(limit, Math.max(this.#paidAt, now) + INTERVAL_MS)',
    replacement: 'Math.max(this.#paidAt, now) + INTERVAL_MS + 0 * limit',
    tests: ['session/limits'],
  },
  {
    name: 'every address of an IPv6 network is a source of its own',
    file: 'session/source-limits.ts',
    original: 'addressBytes(remote).subarray(0, 8)',
    replacement: 'addressBytes(remote).subarray(0, 16)',
    tests: ['session/limits'],
  },
  {
    name: 'sources are remembered without end',
    file: 'session/source-limits.ts',
    original: 'this.#wholeAt.size >= MAX_SOURCES && !this.#forget(now)',
    replacement: 'this.#wholeAt.size >= MAX_SOURCES && !this.#forget(now) && this.#wholeAt.size > 1e9',
    tests: ['session/limits'],
  },
  {
    name: 'a source is told of its lost session as often as it asks',
    file: 'session/reset-limiter.ts',
    original: 'if (last !== undefined && elapsed(last, now) < INTERVAL_MS) return false;',
    replacement: '',
    tests: ['session/limits'],
  },
  {
    name: 'the nonce of a retry counts for ever',
    file: 'session/freshness.ts',
    original: 'encodeText(String(period))',
    replacement: 'encodeText(String(period & 1))',
    tests: ['session/freshness', 'session/strangers'],
  },
  {
    name: 'the nonce of a retry proves every address',
    file: 'session/freshness.ts',
    original: 'blake2b(NONCE_LENGTH, pathName(path), this.#keyOf(period))',
    replacement: 'blake2b(NONCE_LENGTH, pathName(path).fill(0), this.#keyOf(period))',
    tests: ['session/freshness', 'session/strangers'],
  },
  {
    name: 'the answer to message 1 may be longer than it',
    file: 'session/incoming-handshake.ts',
    original: 'if (length > this.#requestLength) return undefined;',
    replacement: '',
    tests: ['session/endpoint'],
  },
  {
    name: 'one unproved handshake more is kept than there is room for',
    file: 'session/responder.ts',
    original: 'sessions.pendingCount >= MAX_PENDING && !waiting',
    replacement: 'sessions.pendingCount > MAX_PENDING && !waiting',
    tests: ['session/strangers'],
  },
  {
    name: 'one session more is opened than there may be',
    file: 'session/responder.ts',
    original: 'sessions.openCount >= maxSessions &&',
    replacement: 'sessions.openCount > maxSessions &&',
    tests: ['session/endpoint'],
  },
  {
    name: 'a version refusal that names our own version is believed',
    file: 'session/dialer.ts',
    original: "if (lowest <= WIRE_VERSION && WIRE_VERSION <= highest) return 'unexpected';",
    replacement: '',
    tests: ['session/handshake-vectors', 'session/endpoint'],
  },
  {
    name: 'a reset is believed whoever sends it',
    file: 'session/endpoint.ts',
    original: "if (!this.#options.provider.equal(packet.subarray(5), live.remoteToken)) return 'badTag';",
    replacement: '',
    tests: ['session/endpoint'],
  },
  {
    name: 'a path that nobody uses any more is kept',
    file: 'session/endpoint-paths.ts',
    original: '--entry.holders <= 0',
    replacement: '--entry.holders < 0',
    tests: ['session/endpoint'],
  },
];
