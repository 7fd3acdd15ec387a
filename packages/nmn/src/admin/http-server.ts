import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { NmnError } from '../errors.js';
import type { HttpResponse, HttpRoute } from '../subsystem.js';

/**
 * Limits against clients that send slowly, much, or often (threat T25): a request here is one line and a few headers,
 * asked by a monitoring system every few seconds.
 */
const HEADERS_TIMEOUT = 5_000;
const REQUEST_TIMEOUT = 10_000;
const KEEP_ALIVE_TIMEOUT = 5_000;
const CHECK_INTERVAL = 1_000;
const MAX_HEADER_SIZE = 8_192;
const MAX_CONNECTIONS = 64;

/** Only there because a URL has to have a beginning. */
const BASE = 'http://localhost';

/** Where to listen, and which names in the Host header are ours. */
export interface HttpServerOptions {
  readonly host: string;
  readonly port: number;
  readonly allowedHosts: readonly string[];
  readonly onError?: (error: unknown) => void;
}

/**
 * Health, metrics and the routes of sub-systems. Answers only requests that name this host: a web page that makes a
 * browser connect here under another name gets nothing (threat T38).
 */
export class HttpServer {
  readonly #server: Server;
  readonly #routes: ReadonlyMap<string, HttpRoute>;
  readonly #hosts: ReadonlySet<string>;
  readonly #onError: (error: unknown) => void;

  private constructor(routes: readonly HttpRoute[], options: HttpServerOptions) {
    this.#routes = new Map(routes.map(route => [route.path, route]));
    this.#hosts = new Set([
      'localhost',
      '127.0.0.1',
      '[::1]',
      bracketed(options.host),
      ...options.allowedHosts,
    ]);
    this.#onError = options.onError ?? (() => undefined);
    this.#server = createServer(
      {
        headersTimeout: HEADERS_TIMEOUT,
        requestTimeout: REQUEST_TIMEOUT,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
        connectionsCheckingInterval: CHECK_INTERVAL,
        maxHeaderSize: MAX_HEADER_SIZE,
      },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** Throws `PORT_IN_USE` when somebody else listens there, `CONFIG_INVALID` when the address is none of this machine. */
  static async listen(routes: readonly HttpRoute[], options: HttpServerOptions): Promise<HttpServer> {
    const http = new HttpServer(routes, options);
    const { host, port } = options;
    await new Promise<void>((resolve, reject) => {
      http.#server.once('error', error => reject(listenError(error, host, port)));
      http.#server.listen({ host, port, exclusive: true }, resolve);
    });
    http.#server.on('error', http.#onError);
    return http;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>(resolve => this.#server.close(() => resolve()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = await this.#answer(request).catch((error: unknown) => {
      this.#onError(error);
      return plain(500, 'internal error');
    });
    response.writeHead(answer.status, {
      'content-type': answer.contentType,
      'content-length': Buffer.byteLength(answer.body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...(answer.status === 405 ? { allow: 'GET, HEAD' } : {}),
    });
    response.end(request.method === 'HEAD' ? undefined : answer.body);
    request.resume(); // A body means nothing here, but must be read for the connection to go on.
  }

  async #answer(request: IncomingMessage): Promise<HttpResponse> {
    const host = request.headers.host?.replace(/:\d+$/, '').toLowerCase();
    if (host === undefined || !this.#hosts.has(host)) return plain(421, 'this host is not served here');
    const target = request.url ?? '/';
    const url = URL.canParse(target, BASE) ? new URL(target, BASE) : undefined;
    const route = url && this.#routes.get(url.pathname);
    if (!url || !route)
      return plain(404, `there is nothing here; there are: ${[...this.#routes.keys()].join(', ')}`);
    if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'only GET is possible here');
    return route.handle({ method: 'GET', path: url.pathname, query: url.searchParams });
  }
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host).toLowerCase();

const plain = (status: number, sentence: string): HttpResponse => ({
  status,
  contentType: 'text/plain; charset=utf-8',
  body: `${sentence}\n`,
});

function listenError(error: NodeJS.ErrnoException, host: string, port: number): NmnError {
  if (error.code === 'EADDRINUSE')
    return new NmnError(
      'PORT_IN_USE',
      `TCP port ${port} of ${host} is taken by another program; choose another one with http.port, or 0 for any`,
      { cause: error },
    );
  return new NmnError(
    'CONFIG_INVALID',
    `the HTTP server cannot listen on ${host} port ${port} (${error.message}); choose http.host and http.port`,
    { cause: error },
  );
}
