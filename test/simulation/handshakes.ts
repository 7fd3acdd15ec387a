import { type CryptoProvider, milliseconds, seconds } from '@coconet/cluster-protocol/core';
import { type Recorder, SeededRandom } from '@coconet/cluster-protocol/testing';
import { Duet } from '../../packages/cluster-protocol/test/interop/duet.js';
import type { Run } from './run.js';

/** Three packets in a row on average, three in ten in all. */
const BURSTS = { enter: 0.3 / 0.7 / 3, leave: 1 / 3, loss: 1 };
const LOSS = 0.3;
/** The patience of who calls. */
const PATIENCE = seconds(10);
const AN_EXCHANGE = seconds(20);

/** One handshake over a link that loses three packets in ten each way, and a message each way behind it. */
export function runHandshake(seed: number, crypto: CryptoProvider, recorder?: Recorder): Run {
  const luck = new SeededRandom(seed).fork('luck');
  const duet = new Duet({
    seed,
    crypto,
    ...(recorder && { recorder }),
    cautious: luck.below(4) === 0,
  });
  const { up, down } = duet.host('b').board.attachments[0]!;
  for (const pipe of [up, down])
    pipe.set(
      luck.below(2) === 0
        ? { burst: BURSTS, delay: milliseconds(15) }
        : { loss: LOSS, delay: milliseconds(15) },
    );
  const problems: string[] = [];
  const taken = duet.until(() => duet.connected, PATIENCE);
  if (taken === undefined) problems.push(`there is no session after ${PATIENCE} ms`);
  if (duet.a.failures > 0) problems.push(`${duet.a.failures} calls failed`);
  for (const name of ['a', 'b'] as const) duet.do(name, party => party.send(100));
  if (duet.until(() => duet.settled, AN_EXCHANGE) === undefined)
    problems.push('a message each way did not arrive');
  return {
    problems: [...problems, ...duet.ledger.judge(), ...duet.nonces.reused],
    virtual: duet.world.now,
    hash: duet.world.recorder.hash,
    counts: { datagrams: duet.world.recorder.datagrams, handshakeMs: taken ?? 0 },
  };
}
