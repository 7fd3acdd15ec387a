/** A package of this folder; it rejects when that is not installed or does not run on this Node. */
export async function load(name: string): Promise<unknown> {
  return import(name);
}
