import test from 'ava';

import { instant, minutes, seconds, wallTime } from '../../src/base/index.js';
import { ClusterNode, tuningOf } from '../../src/interface/index.js';
import { memberSessions } from '../../src/interface/transport-options.js';
import { NonceWatch, SeededRandom } from '../../src/testing/index.js';
import { AuthenticatingProvider } from '../../src/testing/authenticating-provider.js';
import type { SessionTuning } from '../../src/session/index.js';
import { Household } from '../threats/household.js';

const PEER = { nodeId: 2, certificate: undefined, said: undefined } as const;

test('what is not chosen is as by default, and a path agent steers all sessions but that with the NMN', t => {
  const sessions = memberSessions(tuningOf({}), () => true);

  t.deepEqual(Object.keys(sessions({ ...PEER, kind: 'member' })).sort(), [
    'acceptStreams',
    'followPeer',
    'keepAlive',
  ]);
  t.is(sessions({ ...PEER, kind: 'member' }).followPeer, false);
  t.is(sessions({ ...PEER, kind: 'nmn' }).followPeer, true);
});

test('congestion control and the age of keys reach every session', t => {
  const sessions = memberSessions(
    tuningOf({ congestionControl: 'newReno', rekeyAfter: 3_600_000 }),
    () => true,
  );

  t.like(sessions({ ...PEER, kind: 'member' }), { congestionControl: 'newReno', rekeyAfter: minutes(60) });
});

test('what cannot be is refused at once, with what can', t => {
  const house = new Household(1);
  const lamp = house.start('lamp');
  const wrong: readonly [Partial<SessionTuning>, RegExp][] = [
    [{ rekeyAfter: seconds(9) }, /rekeyAfter is 9000 ms; give 10000 to 3600000/],
    [{ rekeyAfter: minutes(61) }, /give 10000 to 3600000/],
    [{ rekeyAfterPackets: 0 }, /give 1 to/],
    [JSON.parse('{"congestionControl":"bbr"}') as SessionTuning, /is bbr; give cubic or newReno/],
  ];

  for (const [transport, message] of wrong)
    t.throws(
      () =>
        new ClusterNode({
          provider: new NonceWatch(new AuthenticatingProvider()),
          random: new SeededRandom(1),
          now: instant(0),
          wall: wallTime(0),
          saved: lamp.saved,
          nmnAddresses: [],
          transport,
        }),
      { code: 'INVALID_ARGUMENT', message },
    );
});
