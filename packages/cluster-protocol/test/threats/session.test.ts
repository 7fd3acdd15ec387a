import { testAll } from './test-all.js';
import { sessionThreats } from './session-threats.js';

testAll(sessionThreats);
