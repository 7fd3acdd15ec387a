import { testAll } from './test-all.js';
import { keyThreats } from './key-threats.js';

testAll(keyThreats);
