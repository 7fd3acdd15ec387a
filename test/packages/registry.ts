import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

import { publishedPackages, readManifest, STAGED, tarballName, TARBALLS } from '../../scripts/packages.js';

/**
 * A registry on this machine that has our packages as `npm run pack` made them, and sends npm to the real one for all
 * others: `npm i coconet` then does here what it will do for everybody.
 */
export class Registry {
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  /** @param upstream - the registry of all other packages */
  static async start(upstream: string): Promise<Registry> {
    const documents = new Map<string, (url: string) => string>();
    const tarballs = new Map<string, Buffer>();
    for (const { folder, manifest } of publishedPackages()) {
      const name = tarballName(manifest);
      const bytes = readFileSync(join(TARBALLS, name));
      const integrity = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
      const published = readManifest(join(STAGED, folder));
      tarballs.set(`/-/${name}`, bytes);
      documents.set(`/${manifest.name}`, url =>
        JSON.stringify({
          name: manifest.name,
          'dist-tags': { latest: manifest.version },
          versions: { [manifest.version]: { ...published, dist: { integrity, tarball: `${url}-/${name}` } } },
        }),
      );
    }
    const server = createServer(({ url: path = '/', headers }, response) => {
      const plain = decodeURIComponent(path);
      const answer = documents.get(plain)?.(`http://${headers.host ?? ''}/`) ?? tarballs.get(plain);
      if (answer === undefined)
        response.writeHead(307, { location: new URL(path.slice(1), upstream).href }).end();
      // The next run may get the same port, and has other packages.
      else response.writeHead(200, { 'cache-control': 'no-store' }).end(answer);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Registry(server);
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }
}
