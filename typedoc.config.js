import { existsSync, readFileSync } from 'node:fs';

/** The packages that programs import; the reference is about them. */
const PACKAGES = ['device-sdk', 'client-sdk', 'capabilities', 'cluster-protocol', 'nmn'];

const entryPoints = PACKAGES.flatMap(name => {
  const { exports } = JSON.parse(
    readFileSync(new URL(`packages/${name}/package.json`, import.meta.url), 'utf8'),
  );
  return Object.values(exports).map(
    target => `packages/${name}/${target['coconet-source'].replace('./', '')}`,
  );
});

/** @type {Partial<import('typedoc').TypeDocOptions>} */
export default {
  name: 'Coconet',
  entryPoints: entryPoints.filter(existsSync),
  tsconfig: 'tsconfig.eslint.json',
  out: 'docs/api',
  readme: 'none',
  // Links into a repository depend on where it was cloned from.
  disableSources: true,
  excludePrivate: true,
  excludeInternal: true,
  validation: { notExported: false, invalidLink: true, notDocumented: true },
  requiredToBeDocumented: ['Enum', 'Variable', 'Function', 'Class', 'Interface', 'TypeAlias'],
  treatValidationWarningsAsErrors: true,
  treatWarningsAsErrors: true,
  // The compiler has its own step; here its complaints would hide what is undocumented.
  skipErrorChecking: true,
};
