/** A word of the command line that is no option; the words of a command come in the order of its specification. */
export interface ArgumentSpec<T> {
  /** How help and errors call it: capital letters, or the form itself, as in `name=value`. */
  readonly placeholder: string;
  readonly help: string;
  readonly required: boolean;
  /** Takes all words that are left. */
  readonly many: boolean;
  /** Stands behind `--`: another program's command line, which is left as it is. */
  readonly behindDashes: boolean;
  /** The typed value of the words that were given, at most one unless `many`. */
  readonly read: (words: readonly string[]) => T;
}

const plain = { required: true, many: false, behindDashes: false };

/** The kinds of arguments. */
export const argument = {
  /** Exactly one word. */
  one: (placeholder: string, help: string): ArgumentSpec<string> => ({
    ...plain,
    placeholder,
    help,
    read: ([word]) => word ?? '',
  }),
  /** One word or none. */
  optional: (placeholder: string, help: string): ArgumentSpec<string | undefined> => ({
    ...plain,
    placeholder,
    help,
    required: false,
    read: ([word]) => word,
  }),
  /** One word or more. */
  some: (placeholder: string, help: string): ArgumentSpec<readonly string[]> => ({
    ...plain,
    placeholder,
    help,
    many: true,
    read: words => words,
  }),
  /** Any number of words. */
  any: (placeholder: string, help: string): ArgumentSpec<readonly string[]> => ({
    ...plain,
    placeholder,
    help,
    required: false,
    many: true,
    read: words => words,
  }),
  /** Everything behind `--`. */
  commandLine: (placeholder: string, help: string): ArgumentSpec<readonly string[]> => ({
    placeholder,
    help,
    required: false,
    many: true,
    behindDashes: true,
    read: words => words,
  }),
};
