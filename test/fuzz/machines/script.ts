import { Reader, varintLength, writeVarint } from '@coconet/cluster-protocol/core';

/** What happens to a machine, one thing after the other. */
export type Step =
  /** Somebody without keys sends a datagram; `source` says from where. */
  | { readonly kind: 'clear'; readonly source: number; readonly bytes: Uint8Array }
  /** The peer, which has the keys and follows no rule, sends frames; `number` says under which packet number. */
  | { readonly kind: 'sealed'; readonly number: number; readonly bytes: Uint8Array }
  /** Time passes: 2 to the power of `exponent`, in ms. */
  | { readonly kind: 'wait'; readonly exponent: number }
  /** The program of the victim, or of its honest peer, does something. */
  | { readonly kind: 'victim' | 'peer'; readonly verb: number; readonly argument: number };

/** A state that a machine is brought to, and what happens then. */
export interface Script {
  /** Which of the scenes; any number will do. */
  readonly scene: number;
  /** What everything random in the scene follows from. */
  readonly seed: number;
  readonly steps: readonly Step[];
}

const KINDS = ['clear', 'sealed', 'wait', 'victim', 'peer'] as const;
/** Steps of one script. */
export const MOST_STEPS = 96;

/** A script as bytes: scene, seed, then each step with its length. Any bytes are a script. */
export function encodeScript({ scene, seed, steps }: Script): Uint8Array {
  const length = steps.reduce((sum, step) => sum + 2 + lengthOf(step) + varintLength(lengthOf(step)), 2);
  const bytes = new Uint8Array(length);
  bytes.set([scene, seed]);
  let at = 2;
  for (const step of steps) {
    bytes[at] = KINDS.indexOf(step.kind);
    bytes[at + 1] = parameterOf(step);
    at = writeVarint(bytes, at + 2, lengthOf(step));
    if ('bytes' in step) bytes.set(step.bytes, at);
    else if ('argument' in step) bytes[at] = step.argument;
    at += lengthOf(step);
  }
  return bytes;
}

/** The inverse of {@link encodeScript}; what is cut off or unknown ends the script. */
export function decodeScript(bytes: Uint8Array): Script {
  const reader = new Reader(bytes);
  const scene = reader.uint8();
  const seed = reader.uint8();
  const steps: Step[] = [];
  while (reader.left > 0 && steps.length < MOST_STEPS) {
    const kind = KINDS[reader.uint8() % KINDS.length]!;
    const parameter = reader.uint8();
    const content = reader.bytes(reader.varint());
    if (reader.failed) break;
    steps.push(stepOf(kind, parameter, content));
  }
  return { scene, seed, steps };
}

function stepOf(kind: (typeof KINDS)[number], parameter: number, content: Uint8Array): Step {
  switch (kind) {
    case 'clear':
      return { kind, source: parameter, bytes: content };
    case 'sealed':
      return { kind, number: parameter, bytes: content };
    case 'wait':
      return { kind, exponent: parameter };
    default:
      return { kind, verb: parameter, argument: content[0] ?? 0 };
  }
}

const lengthOf = (step: Step): number => ('bytes' in step ? step.bytes.length : 'argument' in step ? 1 : 0);

function parameterOf(step: Step): number {
  switch (step.kind) {
    case 'clear':
      return step.source;
    case 'sealed':
      return step.number;
    case 'wait':
      return step.exponent;
    default:
      return step.verb;
  }
}
