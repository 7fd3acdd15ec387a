// The part of plant.js that runs in the loader's own thread.
import { change } from './change.js';

let mutant;

export const initialize = data => {
  mutant = data;
};

export const load = async (url, context, next) => change(url, await next(url, context), mutant);
