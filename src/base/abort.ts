const callbacksOf = new WeakMap<AbortSignal, { listener: () => void; callbacks: Set<() => void> }>();

/**
 * Calls back when a signal aborts, unless that is called off by the returned function. However many wait on
 * one signal, such as that of a shutdown, it has one listener of ours, and none when nobody waits.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  let known = callbacksOf.get(signal);
  if (!known) {
    const callbacks = new Set<() => void>();
    const listener = () => {
      // One that is called back may call off another.
      for (const each of [...callbacks]) if (callbacks.has(each)) each();
    };
    known = { listener, callbacks };
    callbacksOf.set(signal, known);
    signal.addEventListener("abort", listener);
  }
  const { listener, callbacks } = known;
  callbacks.add(callback);
  return () => {
    callbacks.delete(callback);
    if (callbacks.size > 0 || callbacksOf.get(signal)?.callbacks !== callbacks) return;
    callbacksOf.delete(signal);
    signal.removeEventListener("abort", listener);
  };
}
