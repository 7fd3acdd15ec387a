import base from './eslint.config.js';
export default base.map(c => c.languageOptions?.parserOptions?.project ? { ...c, languageOptions: { parserOptions: { project: '/work/main/.tsconfig-bench.tmp.json', tsconfigRootDir: '/work/main' } } } : c);
