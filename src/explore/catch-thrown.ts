/** A global function that calls a callback soon, in the same turn of the event loop. */
type Soon = (callback: (...values: unknown[]) => void, ...values: unknown[]) => void;

/**
 * Until the returned function is called, what is thrown by callbacks of `queueMicrotask` and
 * `process.nextTick` goes to the listener. Else it would be nobody's, and end the process. Both calls belong
 * in one turn of the event loop.
 */
export function catchThrown(listener: (error: unknown) => void): () => void {
  const restoreMicrotask = guard(globalThis, "queueMicrotask", listener);
  const restoreTick = guard(process, "nextTick", listener);
  return () => {
    restoreTick();
    restoreMicrotask();
  };
}

function guard<Name extends string>(
  owner: Record<Name, Soon>,
  name: Name,
  listener: (error: unknown) => void,
): () => void {
  const before = owner[name];
  owner[name] = (callback, ...values) => {
    const guarded = (...given: unknown[]) => {
      try {
        callback(...given);
      } catch (error) {
        listener(error);
      }
    };
    // What is no function is refused as ever.
    before.call(owner, typeof callback === "function" ? guarded : callback, ...values);
  };
  return () => {
    owner[name] = before;
  };
}
