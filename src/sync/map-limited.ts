import { onAbort } from "../base/abort.js";
import type { Patience } from "../base/patience.js";

/** Runs a task when it may start; rejects, and never starts it, when the signal aborts before. */
export type RunLimited = <T>(task: () => T, patience: Pick<Patience, "signal">) => Promise<Awaited<T>>;

/**
 * Runs the task for each item; takes an item when the one before it has started. At the first failure it
 * takes no more, lets the tasks that run come to their end, and rejects.
 */
export async function mapLimited<Item, T>(
  run: RunLimited,
  items: Iterable<Item> | AsyncIterable<Item>,
  task: (item: Item, index: number) => T,
  signal: AbortSignal | undefined,
): Promise<Awaited<T>[]> {
  const stop = new AbortController();
  // Its reason would do, but that it is never undefined, and what was thrown may be.
  const failures: unknown[] = [];
  const fail = (error: unknown) => {
    failures.push(error);
    stop.abort(error);
  };
  const unlisten = signal && onAbort(signal, () => fail(signal.reason));
  const results: Awaited<T>[] = [];
  const running = new Set<Promise<void>>();
  const start = (item: Item, index: number) =>
    new Promise<void>((resolve) => {
      const started = async () => {
        resolve();
        try {
          return await task(item, index);
        } catch (error) {
          // Before its place is free, or the next item would start in it.
          fail(error);
          throw error;
        }
      };
      const ended = run(started, { signal: stop.signal })
        .then((result) => void (results[index] = result), fail)
        .finally(() => {
          running.delete(ended);
          resolve();
        });
      running.add(ended);
    });

  let source: Iterator<Item> | AsyncIterator<Item> | undefined;
  let isPulling = false;
  try {
    source = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
    for (let index = 0; ; index++) {
      isPulling = true;
      const next = await unlessAborted(source.next(), stop.signal);
      isPulling = false;
      if (next.done === true) break;
      await start(next.value, index);
      stop.signal.throwIfAborted();
    }
  } catch (error) {
    fail(error);
    const closed = close(source);
    // A source that is still being asked for its next item may never answer.
    if (!isPulling) await closed;
  }
  await Promise.all(running);
  unlisten?.();
  if (failures.length > 0) throw failures[0];
  return results;
}

function unlessAborted<T>(value: T | Promise<T>, signal: AbortSignal): T | Promise<T> {
  if (!(value instanceof Promise)) return value;
  return new Promise((resolve, reject) => {
    const unlisten = onAbort(signal, () => reject(signal.reason));
    void value.then(resolve, reject).finally(unlisten);
  });
}

async function close(source: Iterator<unknown> | AsyncIterator<unknown> | undefined): Promise<void> {
  try {
    await source?.return?.();
  } catch {
    // What it was closed for goes first.
  }
}
