import assert from "node:assert/strict";
import type { Batch, Entry, Resync, Revision, Snapshot } from "../store/change.js";
import { compareKeys } from "../store/keys.js";
import type { Store, WatchOptions } from "../store/store.js";
import { plain, soon } from "./shorthand.js";

type Next = Promise<IteratorResult<Batch | Resync, unknown>>;

/** Reads a watch, checks the form of all that it tells, and keeps the state that it adds up to. */
export class Watcher {
  readonly prefix: string;
  /** Everything told so far. */
  readonly told: (Batch | Resync)[] = [];
  readonly #events: AsyncIterableIterator<Batch | Resync, void>;
  readonly #state = new Map<string, Entry>();
  #revision: Revision | undefined;
  /** Whether a snapshot was told or given, so that `state` is all of the state. */
  #based = false;
  #pending: Next | undefined;

  constructor(store: Store, prefix: string, options?: WatchOptions) {
    this.prefix = prefix;
    this.#events = store.watch(prefix, options);
  }

  /** A watch that goes on from a snapshot of its prefix. */
  static after(store: Store, prefix: string, snapshot: Snapshot): Watcher {
    const watcher = new Watcher(store, prefix, { from: snapshot.revision });
    watcher.#restart(snapshot);
    return watcher;
  }

  /** The next thing told. */
  async next(): Promise<Batch | Resync> {
    const pending = this.#pending ?? this.#events.next();
    this.#pending = undefined;
    const told = await toldBy(pending);
    this.#check(told);
    this.told.push(told);
    return told;
  }

  async resync(): Promise<Resync> {
    const told = await this.next();
    if (told.kind !== "resync") assert.fail("a batch, where a resync was due");
    return told;
  }

  async batch(): Promise<Batch> {
    const told = await this.next();
    if (told.kind !== "batch") assert.fail("a resync, where a batch was due");
    return told;
  }

  /** Reads on until the state holds this; `seen` is shown every state on the way. */
  async until(
    isSo: (state: ReadonlyMap<string, Entry>) => boolean,
    seen?: (state: ReadonlyMap<string, Entry>) => void,
  ): Promise<void> {
    while (!isSo(this.#state)) {
      await this.next();
      seen?.(this.#state);
    }
  }

  /** Nothing must be told while `time` passes. */
  async staysSilent(time: () => Promise<void>): Promise<void> {
    let spoke = false;
    const speaks = () => {
      spoke = true;
    };
    this.#pending ??= this.#events.next();
    this.#pending.then(speaks, speaks);
    await time();
    assert.ok(!spoke, "the watch told something, though nothing happened");
  }

  /** The state told must be the state that is. */
  assertSame(snapshot: Snapshot): void {
    const told = [...this.#state.values()].sort((a, b) => compareKeys(a.key, b.key));
    assert.deepEqual(told.map(plain), snapshot.entries.map(plain));
  }

  async stop(): Promise<void> {
    await this.#events.return?.();
  }

  #check(told: Batch | Resync): void {
    if (told.kind === "resync") {
      this.#restart(told.snapshot);
      return;
    }
    const { revision, events } = told;
    assert.ok(this.#revision === undefined || revision > this.#revision, "batches come in rising order");
    assert.ok(events.length > 0, "a batch is not empty");
    assert.equal(new Set(events.map((event) => event.key)).size, events.length, "a batch has a key once");
    this.#revision = revision;
    for (const event of events) {
      assert.ok(event.key.startsWith(this.prefix), `${event.key} is not watched`);
      assert.equal(event.revision, revision);
      if (event.kind === "delete") {
        assert.ok(!this.#based || this.#state.has(event.key), `${event.key} was deleted, but was not there`);
        this.#state.delete(event.key);
      } else {
        assert.equal(event.entry.key, event.key);
        assert.equal(event.entry.modified, revision);
        this.#state.set(event.key, event.entry);
      }
    }
  }

  #restart(snapshot: Snapshot): void {
    assert.ok(this.#revision === undefined || snapshot.revision >= this.#revision, "a resync is news");
    this.#state.clear();
    for (const entry of snapshot.entries) {
      assert.ok(entry.key.startsWith(this.prefix), `${entry.key} is not watched`);
      this.#state.set(entry.key, entry);
    }
    this.#revision = snapshot.revision;
    this.#based = true;
  }
}

/** What a call of next() is told. */
export async function toldBy(next: Next): Promise<Batch | Resync> {
  const result = await soon(next, "a watch to tell something");
  if (result.done) assert.fail("the watch ended by itself");
  return result.value;
}

/** What a batch did, by key, in a form to compare. */
export function deeds(told: Batch): string[] {
  return told.events.map((event) => `${event.kind} ${event.key}`).sort();
}
