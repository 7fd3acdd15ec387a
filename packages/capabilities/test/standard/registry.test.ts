import test from 'ava';
import {
  CapabilityError,
  CapabilityRegistry,
  decodeEntry,
  defineCapability,
  encodeEntry,
  level,
  onOff,
  standardRegistry,
  t as type,
} from '@coconet/capabilities';

const kettle = defineCapability({
  id: 'com.acme.kettle',
  name: 'kettle',
  title: 'Kettle',
  revision: 1,
  tier: 'vendor',
  attributes: { water: { id: 1, type: type.float32({ min: 0, max: 1.7, unit: 'L' }) } },
});

test('a capability is found by its id and by its name', t => {
  t.is(standardRegistry.byId(1), onOff);
  t.is(standardRegistry.byName('level'), level);
  t.is(standardRegistry.byId(4_000), undefined);
  t.is([...standardRegistry].length, 11);
});

test('an unknown name is answered with the nearest one', t => {
  const error = t.throws(() => standardRegistry.require('onof'), { instanceOf: CapabilityError });

  t.is(error.code, 'UNKNOWN_CAPABILITY');
  t.is(error.message, "no capability 'onof'; did you mean onOff?");
  t.is(error.details.nearest, 'onOff');
});

test('a vendor’s capability joins the standard without changing it', t => {
  const more = standardRegistry.with(kettle);

  t.is(more.byId('com.acme.kettle'), kettle);
  t.is(more.byId(1), onOff);
  t.is(standardRegistry.byName('kettle'), undefined);
});

test('two capabilities with one id or one name are refused; one capability twice is not', t => {
  const other = defineCapability({
    id: 'com.acme.other',
    name: 'kettle',
    title: 'Other',
    revision: 1,
    tier: 'vendor',
  });

  t.throws(() => new CapabilityRegistry([kettle, other]), { code: 'DUPLICATE_CAPABILITY' });
  t.notThrows(() => new CapabilityRegistry([kettle, kettle]));
});

test('an entry of an unknown capability or attribute passes untouched', t => {
  const reading = {
    resourceId: 'r',
    realtime: true,
    lastUpdated: null,
    version: 1,
    attribute: 'water',
    value: 1.5,
  };
  const entry = encodeEntry({ ...reading, capability: kettle });
  const later = { ...entry, capabilityId: onOff.id, attributeId: 900 };

  t.deepEqual(decodeEntry(standardRegistry, entry), { ok: true, value: { kind: 'unknown', entry } });
  t.deepEqual(decodeEntry(standardRegistry, later), { ok: true, value: { kind: 'unknown', entry: later } });
});

test('an entry whose value its definition does not allow is refused with its name', t => {
  const entry = encodeEntry({
    resourceId: 'r',
    capability: level,
    attribute: 'level',
    value: 40,
    realtime: true,
    lastUpdated: null,
    version: 1,
  });

  t.deepEqual(decodeEntry(standardRegistry, { ...entry, value: 140 }), {
    ok: false,
    reason: 'level.level is 140, allowed is 0…100 %',
  });
});

test('an enum value of a newer peer keeps its number beside the name unknown', t => {
  const entry = {
    resourceId: 'r',
    capabilityId: onOff.id,
    attributeId: 2,
    value: 9,
    realtime: true,
    lastUpdated: null,
    version: 1,
  };

  const read = decodeEntry(standardRegistry, entry);

  t.true(
    read.ok && read.value.kind === 'known' && read.value.value === 'unknown' && read.value.entry.value === 9,
  );
});
