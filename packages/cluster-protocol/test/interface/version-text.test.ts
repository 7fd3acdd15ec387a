import test from 'ava';
import { versionText } from '../../src/interface/version-text.js';

test('a version refusal is explained with who has to be updated', t => {
  t.is(
    versionText({ lowest: 2, highest: 2 }),
    'it speaks version 2 of the cluster protocol, this node version 1: update this node',
  );
  t.is(
    versionText({ lowest: 3, highest: 5 }),
    'it speaks versions 3 to 5 of the cluster protocol, this node version 1: update this node',
  );
  t.is(
    versionText({ lowest: 0, highest: 0 }),
    'it speaks version 0 of the cluster protocol, this node version 1: update the other one',
  );
});
