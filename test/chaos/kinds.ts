import { killRounds } from './kill.js';
import { revocationRounds } from './revocation.js';
import type { Rounds } from './round.js';

/** Everything bad that can be had, by name. */
export const KINDS: Readonly<Record<string, Rounds>> = { kill: killRounds, revocation: revocationRounds };
