import { milliseconds, seconds } from '../../src/base/index.js';
import type { BurstLoss } from '../../src/testing/index.js';
import { SeededRandom } from '../../src/testing/index.js';
import { Duet, type DuetOptions } from './duet.js';

/** Three packets in a row on average, three in ten in all. */
export const BURSTS: BurstLoss = { enter: 0.3 / 0.7 / 3, leave: 1 / 3, loss: 1 };

const LOSS = 0.3;
/**
 * Half of all tries fail at this loss, and there are 8 in the first 10 s: four calls in a thousand would end in vain. In a
 * minute there are 33.
 */
const PATIENCE = seconds(60);
/** A message each way at this loss, however unlucky. */
const AN_EXCHANGE = seconds(20);

/** What came of a handshake. */
export interface LossyHandshake {
  readonly duet: Duet;
  /** Ms until both had the session. */
  readonly taken: number | undefined;
  readonly problems: readonly string[];
}

/** One handshake over a link that loses three packets in ten each way, and a message each way behind it. */
export function lossyHandshake(
  options: Omit<DuetOptions, 'link' | 'cautious' | 'patience'>,
  inBursts: boolean,
): LossyHandshake {
  const luck = new SeededRandom(options.seed).fork('luck');
  const duet = new Duet({ ...options, cautious: luck.below(4) === 0, patience: PATIENCE });
  // On one end alone: a packet that met two such links would be lost in every second case.
  duet
    .host('b')
    .board.setConditions({ delay: milliseconds(15), ...(inBursts ? { burst: BURSTS } : { loss: LOSS }) });
  const problems: string[] = [];
  const taken = duet.until(() => duet.connected, PATIENCE);
  if (taken === undefined) problems.push(`there is no session after ${PATIENCE} ms`);
  if (duet.a.failures > 0) problems.push(`${duet.a.failures} calls failed`);
  for (const name of ['a', 'b'] as const) duet.do(name, party => party.send(100));
  if (duet.until(() => duet.settled, AN_EXCHANGE) === undefined)
    problems.push('a message each way did not arrive');
  problems.push(...duet.ledger.judge(), ...duet.nonces.reused);
  return { duet, taken, problems };
}
