import type { Contestant } from '../contestant.js';
import { coconet } from './coconet.js';
import { dgram } from './dgram.js';
import { tls } from './tls.js';

/** Whom everything is compared with. */
export const BASELINE = 'dgram';

/** Everyone who takes part, in the order of the columns. */
export const CONTESTANTS: Readonly<Record<string, Contestant>> = { coconet, dgram, tls };
