// What the benches of transactions use of Effect 4.
import { loadPeer } from "../peers.js";
import { loadEffect, type Step } from "../sync/lock-peers.js";

/** An effect that answers; the generator that yields it gets the answer. */
interface Answer<T> extends Step {
  readonly [Symbol.iterator]: () => Iterator<unknown, T>;
}

/** One of Effect's own; only Effect looks into it. */
interface TxRef {
  readonly value: number;
}

interface Transactions {
  readonly tx: (step: Step) => Step;
  readonly runSync: (step: Step) => unknown;
}

interface TxRefs {
  readonly makeUnsafe: (initial: number) => TxRef;
  readonly get: (ref: TxRef) => Answer<number>;
  readonly set: (ref: TxRef, value: number) => Step;
  readonly update: (ref: TxRef, change: (value: number) => number) => Step;
}

const settled = Promise.resolve();

/** What there is in Effect, its refs, and an await of a promise that is settled already. */
export async function loadTransactions() {
  const { gen, promise, runPromise } = await loadEffect();
  const { tx, runSync } = await loadPeer<Transactions>("effect/Effect");
  const refs = await loadPeer<TxRefs>("effect/TxRef");
  return { gen, runPromise, runSync, tx, pause: promise(() => settled), ...refs };
}
