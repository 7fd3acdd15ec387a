import { testAll } from '../../../cluster-protocol/test/threats/test-all.js';
import { nmnThreats } from './nmn-threats.js';

testAll(nmnThreats);
