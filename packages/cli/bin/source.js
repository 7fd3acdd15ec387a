// Lets this process run the TypeScript sources of the repository, with nothing built: packages resolve to each other's
// source through the export condition `coconet-source`, and tsx compiles what is loaded. Not part of the package.
//
//   node --import=./packages/cli/bin/source.js SCRIPT.ts
// Labelled experimental, present in every Node that we support.
// eslint-disable-next-line n/no-unsupported-features/node-builtins
import { register as registerHooks } from 'node:module';
import { register as registerTsx } from 'tsx/esm/api';

const CONDITION = 'coconet-source';

const hooks = `
  export const resolve = (specifier, context, next) =>
    next(specifier, { ...context, conditions: [...context.conditions, '${CONDITION}'] });
`;

registerTsx();
registerHooks(`data:text/javascript,${encodeURIComponent(hooks)}`);
