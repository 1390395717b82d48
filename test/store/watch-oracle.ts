import assert from "node:assert/strict";
import type { Batch, Entry, Resync, Revision } from "lockstep/store";
import { plain } from "../../src/conformance/shorthand.js";
import { toldBy } from "../../src/conformance/watcher.js";
import { after, begins, type Chapter, type Deeds, type NaiveStore } from "./naive-store.js";

/** Holds what a watch tells against the history of the naive store. */
export class WatchOracle {
  readonly #watch: AsyncIterableIterator<Batch | Resync, void>;
  readonly #model: NaiveStore;
  readonly #prefix: string;
  /** The chapter that is being told, and which of its commits are still to come. */
  #chapter: number;
  #untold: Set<Deeds> | undefined;
  #mustResync: boolean;
  #revision: Revision;

  constructor(
    watch: AsyncIterableIterator<Batch | Resync, void>,
    model: NaiveStore,
    prefix: string,
    from: Revision | undefined,
  ) {
    this.#watch = watch;
    this.#model = model;
    this.#prefix = prefix;
    this.#mustResync = from === undefined;
    this.#revision = from ?? -1n;
    const first = model.chapters.findIndex(({ upTo }) => upTo > this.#revision);
    this.#chapter = first < 0 ? model.chapters.length : first;
  }

  /** Reads all that is due by now; stops before it would have to wait. */
  async catchUp(): Promise<void> {
    while (this.#mustResync || this.#isDue()) {
      const told = await toldBy(this.#watch.next());
      if (told.kind === "resync") this.#resync(told);
      else this.#batch(told);
    }
  }

  async stop(): Promise<void> {
    await this.#watch.return?.();
  }

  #isDue(): boolean {
    for (; this.#chapter < this.#model.chapters.length; this.#chapter++) {
      this.#untold ??= new Set(this.#now().commits);
      for (const deeds of this.#untold) if (this.#ofOurs(deeds).size > 0) return true;
      this.#untold = undefined;
    }
    return false;
  }

  #now(): Chapter {
    return this.#model.chapters[this.#chapter] as Chapter;
  }

  #batch(batch: Batch): void {
    assert.ok(!this.#mustResync, "a watch from no revision begins with a resync");
    assert.ok(batch.revision > this.#revision, "batches come in rising order");
    assert.ok(batch.revision <= this.#now().upTo, "nothing due is left out");
    this.#revision = batch.revision;
    const told = new Map(
      batch.events.map((event) => [event.key, event.kind === "put" ? event.entry : undefined]),
    );
    assert.equal(told.size, batch.events.length, "a batch has a key once");
    assert.ok(batch.events.every(({ revision }) => revision === batch.revision));
    const due = [...(this.#untold ?? [])].map((deeds) => [deeds, shown(this.#ofOurs(deeds))] as const);
    const match = due.find(([, expected]) => isSame(expected, shown(told)));
    if (match) this.#untold?.delete(match[0]);
    else assert.deepEqual(shown(told), due[0]?.[1]);
  }

  #resync({ snapshot }: Resync): void {
    const { chapters, entries, revision, revisions } = this.#model;
    const areShared = revisions === "shared";
    assert.ok(snapshot.revision >= this.#revision, "a resync does not go back");
    assert.ok(areShared || snapshot.revision <= revision, "a resync does not come from the future");
    const next = chapters.findIndex(({ upTo }) => upTo > snapshot.revision);
    this.#chapter = next < 0 ? chapters.length : next;
    this.#untold = undefined;
    let state = chapters[this.#chapter]?.before ?? entries;
    const commits = chapters[this.#chapter]?.commits ?? [];
    // Between the ends of several sessions: some of them are over, whole, and the others are not.
    // Or at a revision between the end of one and the next look, which may be the first to have it in the
    // model.
    if (commits.length > 1 || (areShared && commits.length > 0)) {
      const has = new Set(snapshot.entries.map(({ key }) => key));
      const over = commits.filter((deeds) => [...deeds].every(([key, entry]) => !entry && !has.has(key)));
      state = over.reduce(after, state);
      this.#untold = new Set(commits.filter((deeds) => !over.includes(deeds)));
    }
    const ours = [...state.values()].filter(({ key }) => begins(key, this.#prefix));
    assert.deepEqual(
      snapshot.entries.map(plain),
      ours.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key))).map(plain),
    );
    this.#mustResync = false;
    this.#revision = snapshot.revision;
  }

  #ofOurs(deeds: Deeds): Deeds {
    return new Map([...deeds].filter(([key]) => begins(key, this.#prefix)));
  }
}

/** In a form to compare: the order within a commit means nothing. */
function shown(deeds: ReadonlyMap<string, Entry | undefined>): [string, unknown][] {
  return [...deeds]
    .map(([key, entry]): [string, unknown] => [key, entry && plain(entry)])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function isSame(a: unknown, b: unknown): boolean {
  try {
    assert.deepEqual(a, b);
    return true;
  } catch {
    return false;
  }
}
