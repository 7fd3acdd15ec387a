import { malformed, parsed, type Parsed } from '../base/index.js';
import {
  encodeWith,
  MAX_CONTROL,
  Reader,
  readSocketAddress,
  type SocketAddress,
  writeSocketAddress,
} from '../wire/index.js';

/** Type of the control frame that carries a {@link CandidateList} (docs/spec/04-path.md, section 3). */
export const CANDIDATES_CONTROL = 0x01;

/**
 * Addresses that a node tells of itself and probes of a peer at once: ICE's agents rarely gather more, and with ten
 * probes each it bounds what one introduction can cause to 80 packets (docs/spec/04-path.md, section 4).
 */
export const MAX_CANDIDATES = 8;

/** The latest list wins by its generation, which stays below 2^32: one list a second for a century. */
const MAX_GENERATION = 0xffff_ffff;

const KINDS = { host: 1, reflexive: 2 } as const;
const NAMES = new Map<number, CandidateKind>([
  [KINDS.host, 'host'],
  [KINDS.reflexive, 'reflexive'],
]);

/** How a node came to know an address of its own: an interface has it, or others see it there. */
export type CandidateKind = keyof typeof KINDS;

/**
 * Where an address of the peer comes from: `host` and `reflexive` the peer named, at `observed` the NMN saw it, at
 * `remembered` it answered before, from `heard` its packets come.
 */
export type TargetKind = 'host' | 'reflexive' | 'observed' | 'remembered' | 'heard';

/** One address where a node says it may be reached. */
export interface Candidate {
  readonly kind: CandidateKind;
  readonly address: SocketAddress;
}

/** What a `candidates` control frame says: all addresses of its sender, the most useful first. Replaces older lists. */
export interface CandidateList {
  /** Grows with every list of a session: control frames may overtake each other. */
  readonly generation: number;
  /** At most {@link MAX_CANDIDATES}. */
  readonly candidates: readonly Candidate[];
}

/** The content of a `candidates` control frame, in a new array. */
export function encodeCandidates(list: CandidateList): Uint8Array {
  return encodeWith(MAX_CONTROL, writer => {
    writer.varint(list.generation).uint8(list.candidates.length);
    for (const candidate of list.candidates) {
      writeSocketAddress(writer.uint8(KINDS[candidate.kind]), candidate.address);
    }
  });
}

/** The list in the content of a `candidates` control frame; kinds of later versions are left out. Never throws. */
export function decodeCandidates(bytes: Uint8Array): Parsed<CandidateList> {
  const reader = new Reader(bytes);
  const generation = reader.varint();
  const count = reader.uint8();
  if (generation > MAX_GENERATION || count > MAX_CANDIDATES) reader.fail();
  const candidates: Candidate[] = [];
  for (let i = 0; i < count && !reader.failed; i++) {
    const kind = NAMES.get(reader.uint8());
    const address = readSocketAddress(reader);
    if (kind !== undefined && address !== undefined) candidates.push({ kind, address });
  }
  return reader.complete ? parsed({ generation, candidates }) : malformed;
}
