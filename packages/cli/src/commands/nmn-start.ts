import { aborted } from '../aborted.js';
import type { Command } from '../command.js';
import { defineCommand } from '../command.js';
import { option } from '../option.js';
import { NMN_DATA, nmnFolder } from '../nmn-admin.js';

/** `coconet nmn start` */
export const nmnStartCommand: Command = defineCommand({
  name: 'nmn start',
  group: 'nmn',
  summary: 'runs an NMN until Ctrl-C or SIGTERM',
  details: [
    'An NMN admits nodes to networks, introduces them to each other, and relays as a last resort; it cannot read what they say. It listens on all interfaces, unless --bind says otherwise. Its log goes to standard error, one JSON value a line.',
  ],
  options: {
    data: NMN_DATA,
    port: option.port('UDP port for nodes; default 28620'),
    bind: option.texts('ADDRESS', 'an address of this machine to listen on; may be repeated; default: all'),
    publicHost: option.texts(
      'HOST',
      'name or address, with or without :PORT, at which nodes reach this NMN; may be repeated',
    ),
    httpPort: option.port(
      'TCP port of health and metrics, on this machine alone; default: the next one after --port',
    ),
    logLevel: option.choice(['error', 'warn', 'info', 'debug'], 'how much it logs; default info'),
  },
  examples: [
    { line: 'coconet nmn start', says: 'then, in another terminal: coconet network create NAME' },
    {
      line: 'coconet nmn start --data ./nmn --port 4000 --public-host nmn.example.org',
      says: 'behind a name',
    },
  ],
  run: async ({ data, port, bind, publicHost, httpPort, logLevel }, { out, signal, surroundings }) => {
    const { startNmn } = await import('@coconet/nmn');
    const dataFolder = nmnFolder(data, surroundings);
    const http = httpPort ?? besides(port);
    const starting = startNmn({
      config: {
        dataFolder,
        listen: { ...(port !== undefined && { port }), bind },
        publicHosts: publicHost,
        http: { ...(http !== undefined && { port: http }) },
        ...(logLevel !== undefined && { logLevel }),
      },
      log: line => out.note(line),
    });
    const nmn = await out.progress('opening the data folder', starting);
    try {
      out.result(
        { event: 'listening', port: nmn.port, httpPort: nmn.httpPort, bind, data: dataFolder },
        () => {
          const where = bind.length === 0 ? 'all interfaces' : bind.join(', ');
          return `NMN listening on ${where}, UDP port ${nmn.port}; data in ${dataFolder}; Ctrl-C stops it`;
        },
      );
      await Promise.race([nmn.closed, aborted(signal)]);
    } finally {
      await nmn.close();
    }
  },
});

/** HTTP port of an NMN whose UDP port was chosen and whose HTTP port was not: the next one. */
function besides(port: number | undefined): number | undefined {
  if (port === undefined) return undefined;
  return port === 0 || port === 65_535 ? 0 : port + 1;
}
