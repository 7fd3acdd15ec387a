import test from 'ava';
import { days, type Instant, instant, minutes, type WallTime, wallTime } from '../../src/base/index.js';
import { MemberMind } from '../../src/interface/member-mind.js';
import {
  decodeCredential,
  decodeSyncMessage,
  encodeSyncMessage,
  type MembershipCertificate,
  type SessionPeer,
} from '../../src/network/index.js';
import { createCryptoProvider } from '../../src/nodejs/crypto-provider.js';
import { memberOf, savedNode, SeededRandom, smallNetwork } from '../../src/testing/index.js';

const crypto = await createCryptoProvider();
const BIRTH = wallTime(1_772_323_200_000);
const LATER = wallTime(BIRTH + days(20));
const BOOT = instant(5_000);

/** Two members of a network that is as old as `BIRTH`; each boots when its clock reads what is given, without an NMN. */
function pair(clocks: { readonly lamp: WallTime; readonly phone: WallTime }) {
  const random = new SeededRandom(7);
  const network = smallNetwork(crypto, random, BIRTH, [
    { name: 'lamp', kind: 'device' },
    { name: 'phone', kind: 'client', role: 'guest' },
  ]);
  const mind = (name: 'lamp' | 'phone'): MemberMind =>
    new MemberMind({
      provider: crypto,
      random,
      now: BOOT,
      wall: clocks[name],
      saved: savedNode(network, name, random),
      nmnAddresses: [],
    });
  const who = (name: string): SessionPeer => {
    const { nodeId, membership } = memberOf(network, name);
    const credential = decodeCredential(membership.credential);
    const certificate: MembershipCertificate | undefined = credential.ok ? credential.value.leaf : undefined;
    return { nodeId, kind: 'member', certificate, said: undefined };
  };
  return { network, lamp: mind('lamp'), phone: mind('phone'), who };
}

type Pair = ReturnType<typeof pair>;

/** The first words of a session between the two, as `alter` leaves those of the lamp. */
function meet(
  { lamp, phone, who }: Pair,
  now: Instant,
  alter = (bytes: Uint8Array): Uint8Array => bytes,
): void {
  const fromPhone = phone.sessionOpened(now, who('lamp'));
  const fromLamp = lamp.sessionOpened(now, who('phone'));
  for (const bytes of fromLamp) phone.receive(now, who('lamp').nodeId, alter(bytes));
  for (const bytes of fromPhone) lamp.receive(now, who('phone').nodeId, bytes);
}

/** What a member that lies about the time says instead. */
const claiming =
  (time: WallTime) =>
  (bytes: Uint8Array): Uint8Array => {
    const decoded = decodeSyncMessage(bytes);
    return decoded.ok && decoded.value.type === 'heads'
      ? encodeSyncMessage({ ...decoded.value, time })
      : bytes;
  };

/** The lamp has heard from the authority just now, as one that ran on through all the time has. */
const sure = ({ lamp }: Pair): void => {
  lamp.time.observeAuthority(BOOT, LATER);
};

test('without any NMN a member whose clock counts confirms the clock of one that was restarted', t => {
  const both = pair({ lamp: LATER, phone: wallTime(LATER + minutes(4)) });
  sure(both);
  const before = both.phone.time.at(BOOT).confirmed;

  meet(both, BOOT);

  t.false(before);
  t.true(both.phone.time.at(BOOT).confirmed);
  t.is(both.phone.time.at(BOOT).time, wallTime(LATER + minutes(4)));
});

test('a clock that is six minutes away from the member’s is not confirmed', t => {
  for (const offset of [-6, 6]) {
    const both = pair({ lamp: LATER, phone: wallTime(LATER + offset * minutes(1)) });
    sure(both);

    meet(both, BOOT);

    t.false(both.phone.time.at(BOOT).confirmed);
  }
});

test('two members whose clocks nobody confirmed do not confirm each other', t => {
  const both = pair({ lamp: LATER, phone: LATER });

  meet(both, BOOT);

  t.false(both.lamp.time.at(BOOT).confirmed);
  t.false(both.phone.time.at(BOOT).confirmed);
});

test('a member that lies about the time does not move the lower bound beyond what was signed', t => {
  const future = wallTime(LATER + days(3_650));
  for (const clock of [LATER, future]) {
    const both = pair({ lamp: LATER, phone: clock });
    sure(both);
    const before = both.phone.time.lowerBound(BOOT);

    meet(both, BOOT, claiming(future));

    t.is(both.phone.time.lowerBound(BOOT), before);
    t.is(before, BIRTH);
    // A clock that agrees with the lie is believed, as any clock is that somebody agrees with; the bound outlives it.
    t.is(both.phone.time.at(BOOT).confirmed, clock === future);
    both.phone.time.handleClock(BOOT, LATER);
    t.false(both.phone.time.at(BOOT).confirmed);
    t.is(both.phone.time.at(BOOT).time, BIRTH);
  }
});

test('a certificate that a member shows raises the lower bound to the moment it was issued, and that is written', t => {
  const both = pair({ lamp: LATER, phone: wallTime(0) });
  const { certificate, ...rest } = both.who('lamp');
  const issuedAt = wallTime(BIRTH + days(5));

  both.phone.sessionOpened(BOOT, { ...rest, certificate: { ...certificate!, issuedAt } });

  t.is(both.phone.time.lowerBound(BOOT), issuedAt);
  const event = both.phone.pollEvent();
  t.true(event?.kind === 'persist' && event.changes.has('network/time'));
});
