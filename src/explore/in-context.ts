/**
 * The callback, to be called in the context in which this is: what an `AsyncLocalStorage` gives there, it
 * gives in the callback, too. A promise keeps that, and costs less than an `AsyncResource`.
 */
export function inContext<T = void>(callback: (value: T) => void): (value: T) => void {
  void new Promise<T>(keepResolve).then(callback);
  return keptResolve;
}

// One executor for all promises, instead of a function for each.
let keptResolve: (value: unknown) => void;
function keepResolve(resolve: (value: never) => void): void {
  keptResolve = resolve as (value: unknown) => void;
}
