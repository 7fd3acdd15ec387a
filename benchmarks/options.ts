import { parseArgs } from 'node:util';

import { BUILT_IN, PEERS } from './contestants/index.js';
import { WORKS, type Work } from './work.js';

/** Fewer rounds than this give a median that one neighbour of the machine can move. */
const DEFAULT_ROUNDS = 5;
const MAX_ROUNDS = 1_000;
/** Packets over the link in memory: enough for every allocation to show, in about two seconds. */
const DEFAULT_PACKETS = 200_000;
const MAX_PACKETS = 1_000_000_000;

/** All kinds of work: those between two lasting processes, the memory of fresh ones, and the core alone. */
export const ALL_WORKS = [...WORKS, 'memory', 'core'] as const;

/** What the command line asks for. */
export interface BenchOptions {
  readonly json: boolean;
  readonly rounds: number;
  /** Shows that everything runs; the figures mean nothing. */
  readonly quick: boolean;
  /** Those who are to be installed too. */
  readonly peers: boolean;
  /** Contestants wanted. */
  readonly contestants: readonly string[];
  readonly works: readonly (Work | 'memory' | 'core')[];
  /** Packets over the link in memory. */
  readonly packets: number;
}

const known = (names: readonly string[]): string => names.join(', ');

/** What `--help` prints. */
export const USAGE: string = `Compares the cluster protocol with raw sockets, TLS 1.3 and its peers on the same work, as ratios of the same round.

  npm run bench -- [--peers] [--only NAMES] [--rounds N] [--packets N] [--json] [--quick]

  --peers      with those who have to be installed first, into benchmarks/peers: ${known(Object.keys(PEERS))}
  --only NAMES some contestants, some kinds of work or both, with commas between them; contestants: ${known(Object.keys(BUILT_IN))}
               and the peers; work: ${known(ALL_WORKS)}
  --rounds N   rounds, 1 to ${MAX_ROUNDS}; ${DEFAULT_ROUNDS} unless given
  --packets N  packets over the link in memory, where allocations are counted; ${DEFAULT_PACKETS} unless given
  --json       one JSON value on standard output instead of tables
  --quick      next to no work in each round: shows that everything runs, its figures mean nothing
  --help       this text
`;

/** The options; or a sentence that says what is wrong with them, or that help is wanted. */
export function parseOptions(args: readonly string[]): BenchOptions | { readonly wrong: string } | 'help' {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        peers: { type: 'boolean', default: false },
        only: { type: 'string', default: '' },
        rounds: { type: 'string', default: String(DEFAULT_ROUNDS) },
        packets: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
  const { json, quick } = values;
  if (values.help) return 'help';
  const rounds = whole(values.rounds, MAX_ROUNDS);
  if (rounds === undefined)
    return { wrong: `--rounds is ${values.rounds}; give a whole number from 1 to ${MAX_ROUNDS}` };
  const packets = values.packets === undefined ? DEFAULT_PACKETS : whole(values.packets, MAX_PACKETS);
  if (packets === undefined)
    return { wrong: `--packets is ${values.packets}; give a whole number from 1 to ${MAX_PACKETS}` };
  const only = values.only.split(',').filter(name => name !== '');
  const peers = values.peers || only.some(name => name in PEERS);
  const all = [...Object.keys(BUILT_IN), ...(peers ? Object.keys(PEERS) : [])];
  const stranger = only.find(name => !all.includes(name) && !isWork(name));
  if (stranger !== undefined)
    return {
      wrong: `--only names '${stranger}'; there are ${known([...all, ...ALL_WORKS])}`,
    };
  const contestants = all.filter(name => only.includes(name));
  // A set-up is compared with one exchange.
  const wanted = only.includes('setUps') ? [...only, 'commands'] : only;
  const works = ALL_WORKS.filter(name => wanted.includes(name));
  return {
    json,
    quick,
    peers,
    rounds,
    packets,
    contestants: contestants.length > 0 ? contestants : all,
    works: works.length > 0 ? works : ALL_WORKS,
  };
}

const isWork = (name: string): boolean => (ALL_WORKS as readonly string[]).includes(name);

function whole(text: string, most: number): number | undefined {
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  return number >= 1 && number <= most ? number : undefined;
}
