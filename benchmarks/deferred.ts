/** A promise and its two ends: `Promise.withResolvers`, which Node 20 does not have. */
export class Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;

  constructor() {
    let ends: Pick<Deferred<T>, 'resolve' | 'reject'> | undefined;
    this.promise = new Promise((resolve, reject) => {
      ends = { resolve, reject };
    });
    // The executor above has run: promises call it at once.
    ({ resolve: this.resolve, reject: this.reject } = ends!);
  }
}
