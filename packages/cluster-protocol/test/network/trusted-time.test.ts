import test from 'ava';
import { days, instant, minutes, wallTime } from '../../src/base/index.js';
import {
  DEFAULT_OFFLINE_GRACE,
  TrustedTime,
  judgeTime,
  renewalTime,
  verifyCredential,
} from '../../src/network/index.js';
import { BIRTH, TestNetwork, crypto, daysLater } from './fixture.js';

const YEAR = days(365);
const boot = instant(5_000);
const at = (ms: number) => instant(boot + ms);

/** The credential of a node, made at `BIRTH` for 180 days, judged under a clock `offset` away from the truth. */
function judgeUnder(offset: number, { truth = daysLater(10), confirm = true, seen = BIRTH }): string {
  const net = new TestNetwork(3);
  const trusted = new TrustedTime(boot, seen);
  trusted.handleClock(boot, wallTime(truth + offset));
  if (confirm) trusted.observeAuthority(boot, truth);
  const result = verifyCredential(crypto, net.admit('lamp').credential, {
    ...net.anchor,
    time: trusted.at(boot, { lastNmnContact: truth }),
    isRevoked: () => false,
    isRetired: () => false,
    inviter: () => undefined,
  });
  return `${result.ok ? 'ok' : result.refusal} ${trusted.at(boot).confirmed ? 'confirmed' : 'unconfirmed'}`;
}

test('clocks of every kind get the expected result', t => {
  const table: [what: string, offset: number, options: Parameters<typeof judgeUnder>[1], expected: string][] =
    [
      ['right', 0, {}, 'ok confirmed'],
      ['10 years behind', -10 * YEAR, {}, 'ok unconfirmed'],
      ['at 1970', 0 - daysLater(10), {}, 'ok unconfirmed'],
      ['1 hour behind', 0 - minutes(60), {}, 'ok unconfirmed'],
      ['6 minutes behind', 0 - minutes(6), {}, 'ok unconfirmed'],
      ['4 minutes behind', 0 - minutes(4), {}, 'ok confirmed'],
      ['4 minutes ahead', minutes(4), {}, 'ok confirmed'],
      ['6 minutes ahead', minutes(6), {}, 'ok unconfirmed'],
      ['10 years ahead', 10 * YEAR, {}, 'ok unconfirmed'],
      ['10 years ahead, nothing signed heard', 10 * YEAR, { confirm: false }, 'ok unconfirmed'],
      [
        'right, nothing signed heard, certificate long over',
        0,
        { truth: daysLater(500), confirm: false },
        'ok unconfirmed',
      ],
      ['right, certificate over', 0, { truth: daysLater(181) }, 'expired confirmed'],
      [
        'at 1970, certificate over by the bound',
        0 - daysLater(181),
        { truth: daysLater(181) },
        'expired unconfirmed',
      ],
      [
        '4 minutes before the certificate',
        0,
        { truth: daysLater(-4 / 1440), seen: wallTime(0) },
        'ok confirmed',
      ],
      [
        '6 minutes before the certificate',
        0,
        { truth: daysLater(-6 / 1440), seen: wallTime(0) },
        'notYetValid confirmed',
      ],
      [
        '6 minutes before the certificate by an unconfirmed clock',
        0,
        { truth: daysLater(-6 / 1440), seen: wallTime(0), confirm: false },
        'ok unconfirmed',
      ],
    ];
  for (const [what, offset, options, expected] of table) t.is(judgeUnder(offset, options), expected, what);
});

test('the lower bound rises with signed times and uptime and never falls', t => {
  const trusted = new TrustedTime(boot, daysLater(1));

  trusted.observeAuthority(at(1_000), daysLater(3));
  trusted.observeAuthority(at(2_000), daysLater(2));
  trusted.handleClock(at(3_000), daysLater(0));

  t.is(trusted.lowerBound(at(11_000)), wallTime(daysLater(3) + 10_000));
});

test('a member confirms a clock that agrees and raises nothing', t => {
  const trusted = new TrustedTime(boot, BIRTH);

  trusted.observeMember(boot, daysLater(3000));
  t.is(trusted.lowerBound(boot), BIRTH);
  t.false(trusted.at(boot).confirmed, 'no clock yet');

  trusted.handleClock(boot, daysLater(5));
  trusted.observeMember(boot, daysLater(3000));
  t.false(trusted.at(boot).confirmed, 'the clock says something else');

  trusted.observeMember(boot, daysLater(5));
  t.like(trusted.at(boot), { confirmed: true, time: daysLater(5) });
});

test('a clock that jumps in the middle of a session is not believed until something signed agrees with it', t => {
  for (const jump of [-10 * YEAR, 0 - minutes(6), minutes(6), 10 * YEAR]) {
    const trusted = new TrustedTime(boot, BIRTH);
    trusted.handleClock(boot, daysLater(5));
    trusted.observeAuthority(boot, daysLater(5));

    trusted.handleClock(at(60_000), wallTime(daysLater(5) + 60_000 + jump));

    t.like(trusted.at(at(60_000)), { confirmed: false, time: wallTime(daysLater(5) + 60_000) });

    trusted.observeAuthority(at(61_000), wallTime(daysLater(5) + 61_000));
    t.false(trusted.at(at(61_000)).confirmed);

    trusted.handleClock(at(62_000), wallTime(daysLater(5) + 62_000));
    trusted.observeAuthority(at(62_000), wallTime(daysLater(5) + 62_000));
    t.true(trusted.at(at(62_000)).confirmed);
  }
});

test('a clock that is set right by a small step stays confirmed', t => {
  const trusted = new TrustedTime(boot, BIRTH);
  trusted.handleClock(boot, daysLater(5));
  trusted.observeMember(boot, daysLater(5));

  trusted.handleClock(at(1_000), wallTime(daysLater(5) + 1_000 - minutes(3)));

  t.true(trusted.at(at(1_000)).confirmed);
});

test('a member cannot confirm a clock that stands before the lower bound', t => {
  const trusted = new TrustedTime(boot, daysLater(100));
  trusted.handleClock(boot, daysLater(50));

  trusted.observeMember(boot, daysLater(50));

  t.like(trusted.at(boot), { confirmed: false, time: daysLater(100) });
});

test('the bound outlives a restart, the confirmation does not', t => {
  const trusted = new TrustedTime(boot, BIRTH);
  trusted.handleClock(boot, daysLater(5));
  trusted.observeAuthority(boot, daysLater(5));

  const restored = TrustedTime.restore(instant(0), trusted.snapshot(at(30_000)));

  t.true(restored.ok);
  if (!restored.ok) return;
  t.is(restored.value.lowerBound(instant(0)), wallTime(daysLater(5) + 30_000));
  t.false(restored.value.at(instant(0)).confirmed);
});

test('a broken snapshot is malformed', t => {
  for (const bytes of [[], [1], [2, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0]])
    t.false(TrustedTime.restore(boot, Uint8Array.from(bytes)).ok);
});

test('a board without a clock that was never set joins and judges by what the authority signed', t => {
  const trusted = new TrustedTime(boot);
  trusted.handleClock(boot, wallTime(0));

  trusted.observeAuthority(boot, daysLater(20));

  const view = trusted.at(at(days(1)));
  t.like(view, { time: daysLater(21), confirmed: false });
  t.is(view.judge(daysLater(20), daysLater(200)), 'valid');
  t.is(view.judge(daysLater(30), daysLater(200)), 'valid', 'not-before is not judged without a clock');
  t.is(view.judge(BIRTH, daysLater(20.5)), 'graceful', 'no contact to the NMN is known');
});

test('past its end a certificate is good among members without contact to the NMN, up to the grace', t => {
  const span = { notBefore: BIRTH, notAfter: daysLater(180) };
  const judge = (day: number, contactDay?: number) =>
    judgeTime(
      daysLater(day),
      true,
      span,
      contactDay === undefined ? {} : { lastNmnContact: daysLater(contactDay) },
    );

  t.is(judge(180), 'valid');
  t.is(judge(181, 170), 'graceful');
  t.is(judge(181), 'graceful');
  t.is(judge(181, 180.5), 'expired');
  t.is(judge(580, 170), 'graceful');
  t.is(judge(580.1, 170), 'expired');
  t.is(DEFAULT_OFFLINE_GRACE, days(400));
  t.is(judgeTime(daysLater(182), true, span, { offlineGrace: days(1) }), 'expired');
});

test('renewal is due at two thirds of the life', t => {
  t.is(renewalTime({ notBefore: BIRTH, notAfter: daysLater(180) }), daysLater(120));
});

test('a clock that goes back in small steps is not believed below the lower bound', t => {
  const trusted = new TrustedTime(boot, BIRTH);
  trusted.handleClock(boot, BIRTH);
  trusted.observeAuthority(boot, BIRTH);
  t.true(trusted.at(boot).confirmed);

  trusted.handleClock(at(1), wallTime(BIRTH - minutes(4)));
  t.true(trusted.at(at(1)).confirmed);
  trusted.handleClock(at(2), wallTime(BIRTH - minutes(8)));

  t.false(trusted.at(at(2)).confirmed);
});
