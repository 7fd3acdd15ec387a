import { killRounds } from './kill.js';
import type { Rounds } from './round.js';

/** Everything bad that can be had, by name. */
export const KINDS: Readonly<Record<string, Rounds>> = { kill: killRounds };
