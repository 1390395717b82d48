const listeners = new WeakMap<AbortSignal, AbortListener>();

/**
 * Calls back when a signal aborts, unless that is called off by the returned function; and soon, if it has
 * aborted already. However many wait on one signal, such as that of a shutdown, it has one listener of ours,
 * and none when nobody waits.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) return soon(callback);
  let listener = listeners.get(signal);
  if (listener === undefined) {
    listener = new AbortListener();
    listeners.set(signal, listener);
    signal.addEventListener("abort", listener);
  }
  const added = listener;
  added.add(callback);
  return () => {
    if (!added.delete(callback) || !added.isIdle) return;
    listeners.delete(signal);
    signal.removeEventListener("abort", added);
  };
}

/** Not at once: whoever calls has not got what it needs to be called back. */
function soon(callback: () => void): () => void {
  let isCalledOff = false;
  queueMicrotask(() => {
    if (!isCalledOff) callback();
  });
  return () => {
    isCalledOff = true;
  };
}

/** Those who are to be called: mostly one, for whom a set would be too much. */
class AbortListener {
  #first: (() => void) | undefined;
  #others: Set<() => void> | undefined;

  get isIdle(): boolean {
    return this.#first === undefined && (this.#others === undefined || this.#others.size === 0);
  }

  add(callback: () => void): void {
    if (this.isIdle) this.#first = callback;
    else (this.#others ??= new Set()).add(callback);
  }

  /** False when it was gone already. */
  delete(callback: () => void): boolean {
    if (this.#first !== callback) return this.#others?.delete(callback) ?? false;
    this.#first = undefined;
    return true;
  }

  handleEvent(): void {
    const others = this.#others;
    this.#first?.();
    if (others === undefined) return;
    // One that is called back may call off another.
    for (const callback of [...others]) if (others.has(callback)) callback();
  }
}
