import { dirname, join } from 'node:path';

import ts from 'typescript';

import { type Mutant, planted, ROOT, sourceOf } from './mutant.js';

const CONFIG = join(ROOT, 'packages/cluster-protocol/tsconfig.core.json');

/**
 * What the compiler says of each fault that does not compile: such a one is no fault that tests have to find. Faults in
 * different files are looked at together, because none of them changes what its file exports.
 */
export function compileErrors(mutants: readonly Mutant[]): ReadonlyMap<Mutant, string> {
  const { config } = ts.readConfigFile(CONFIG, file => ts.sys.readFile(file)) as { config: unknown };
  const { fileNames, options } = ts.parseJsonConfigFileContent(config, ts.sys, dirname(CONFIG));
  const settings: ts.CompilerOptions = {
    ...options,
    noEmit: true,
    composite: false,
    incremental: false,
    // What a fault no longer uses is no mistake of its own.
    noUnusedLocals: false,
    noUnusedParameters: false,
  };
  const host = ts.createCompilerHost(settings);
  const readPlain = host.getSourceFile.bind(host);
  const plain = new Map<string, ts.SourceFile | undefined>();
  const errors = new Map<Mutant, string>();
  for (const batch of batchesOf(mutants)) {
    const sources = new Map(
      [...batch].flatMap(([file, mutant]) => {
        const result = planted(mutant);
        return 'source' in result ? [[join(ROOT, file), result.source]] : [];
      }),
    );
    host.getSourceFile = (file, version, ...rest) => {
      const source = sources.get(file);
      if (source !== undefined) return ts.createSourceFile(file, source, version);
      if (!plain.has(file)) plain.set(file, readPlain(file, version, ...rest));
      return plain.get(file);
    };
    const program = ts.createProgram({ rootNames: fileNames, options: settings, host });
    for (const [file, mutant] of batch) {
      const source = program.getSourceFile(join(ROOT, file));
      if (source === undefined) {
        errors.set(mutant, `${file} is no part of the core`);
        continue;
      }
      const [first] = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
      if (first !== undefined) errors.set(mutant, ts.flattenDiagnosticMessageText(first.messageText, '\n'));
    }
  }
  return errors;
}

/** The faults in as few groups as there may be, with at most one of a file in each. */
function batchesOf(mutants: readonly Mutant[]): readonly ReadonlyMap<string, Mutant>[] {
  const batches: Map<string, Mutant>[] = [];
  for (const mutant of mutants) {
    const file = sourceOf(mutant);
    let batch = batches.find(other => !other.has(file));
    if (batch === undefined) batches.push((batch = new Map<string, Mutant>()));
    batch.set(file, mutant);
  }
  return batches;
}
