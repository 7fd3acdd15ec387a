import { CONGESTION } from './catalogue/congestion.js';
import { CRYPTO } from './catalogue/crypto.js';
import { KEYS } from './catalogue/keys.js';
import { MEMBERSHIP } from './catalogue/membership.js';
import { MESSAGES } from './catalogue/messages.js';
import { DELIVERY } from './catalogue/delivery.js';
import { PACKETS } from './catalogue/packets.js';
import { PATHS } from './catalogue/paths.js';
import { RECOVERY } from './catalogue/recovery.js';
import { STATE } from './catalogue/state.js';
import { STRANGERS } from './catalogue/strangers.js';
import { STREAMS } from './catalogue/streams.js';
import { WIRE } from './catalogue/wire.js';
import type { Mutant } from './mutant.js';

/** All faults, in the order of the layers. */
export const MUTANTS: readonly Mutant[] = [
  ...WIRE,
  ...CRYPTO,
  ...PACKETS,
  ...RECOVERY,
  ...CONGESTION,
  ...STREAMS,
  ...MESSAGES,
  ...KEYS,
  ...STRANGERS,
  ...PATHS,
  ...MEMBERSHIP,
  ...STATE,
  ...DELIVERY,
];
