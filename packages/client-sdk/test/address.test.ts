import test from 'ava';
import { nodeOf, parseAddress, parseNode } from '../src/address.js';
import { ClientError } from '../src/index.js';
import type { NodeInfo } from '../src/index.js';

const node = (nodeId: number, name: string, kind: NodeInfo['kind'] = 'device'): NodeInfo => ({
  nodeId,
  name,
  kind,
  role: 'none',
  user: '',
  self: false,
  online: true,
  lastSeen: null,
  path: null,
});

const codeOf = (act: () => unknown): string | undefined => {
  try {
    act();
    return undefined;
  } catch (error) {
    return error instanceof ClientError ? `${error.code} ${error.message}` : 'another error';
  }
};

test('an address is cut at its first slash, and # begins an id', t => {
  t.deepEqual(parseAddress('Desk/lamp'), { device: { kind: 'name', name: 'Desk' }, resourceId: 'lamp' });
  t.deepEqual(parseAddress('#17/zwave/4/1'), { device: { kind: 'id', nodeId: 17 }, resourceId: 'zwave/4/1' });
  t.deepEqual(parseNode(17), { kind: 'id', nodeId: 17 });
});

for (const [address, what] of [
  ['lamp', /has no slash.*Desk\/lamp/],
  ['/lamp', /lacks its device/],
  ['Desk/', /lacks its resource/],
  ['#x/lamp', /'#x' is no node id/],
  ['#0/lamp', /no node id/],
  ['#99999999999/lamp', /no node id/],
  ['', /has no slash/],
] as const)
  test(`'${address}' is refused as an address, with what is wrong`, t => {
    const said = codeOf(() => parseAddress(address));

    t.true(said?.startsWith('ADDRESS_INVALID'), said);
    t.regex(said ?? '', what);
  });

test('a node that is not there is named with the nearest one, an ambiguous one with all', t => {
  const nodes = [node(1, 'Desk'), node(2, 'Shelf'), node(3, 'Shelf', 'client')];

  t.is(nodeOf(nodes, parseNode('Desk')).nodeId, 1);
  t.is(nodeOf(nodes, parseNode('#3')).nodeId, 3);
  t.is(
    codeOf(() => nodeOf(nodes, parseNode('Dsek'))),
    'UNKNOWN_NODE the network has no node Dsek; did you mean Desk?',
  );
  t.is(
    codeOf(() => nodeOf([], parseNode('Desk'))),
    'UNKNOWN_NODE the network has no node Desk; there are none',
  );
  t.is(
    codeOf(() => nodeOf(nodes, parseNode('Shelf'))),
    'AMBIGUOUS_NAME 2 nodes are called Shelf: say which with its id, #2 (device) or #3 (client)',
  );
});
