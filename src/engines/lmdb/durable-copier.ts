import type { Entry } from "../../store/change.js";
import type { KeptFile } from "./kept-file.js";
import type { LiveFile } from "./live-file.js";

/**
 * Carries unbound keys from the live file to the durable copy. Those who ask while a round is on its way are
 * served together by the next one, so that one flush does for all.
 */
export class DurableCopier {
  readonly #live: LiveFile;
  readonly #kept: KeptFile;
  #current: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(live: LiveFile, kept: KeptFile) {
    this.#live = live;
    this.#kept = kept;
  }

  /** Resolves when every commit made before the call is on disk. */
  flush(): Promise<void> {
    this.#next ??= this.#current
      .catch(() => undefined)
      .then(() => {
        this.#current = this.#next ?? this.#current;
        this.#next = undefined;
        return this.#round();
      });
    return this.#next;
  }

  /** Resolves when no round is on its way. */
  async idle(): Promise<void> {
    await (this.#next ?? this.#current).catch(() => undefined);
  }

  /**
   * Takes along what other processes have marked and not yet copied, as one who died between its commit and its
   * copy; so the copy is always the unbound keys as they stood at one revision, and the last writer need not live.
   */
  async #round(): Promise<void> {
    const marks = new Map<string, Buffer>();
    await this.#kept.update(() => {
      // Read under the kept file's own write lock: no later round can bring an older state.
      const entries: [string, Entry | undefined][] = [];
      this.#live.peek((view) => {
        for (const [record, mark] of view.scan("u")) {
          const key = record.slice(1);
          const entry = view.get(key);
          marks.set(key, mark);
          entries.push([key, entry?.session === undefined ? entry : undefined]);
        }
      });
      return entries;
    });
    if (marks.size === 0) return;
    this.#live
      .transact((transaction) => transaction.markKept(marks))
      .catch(() => {
        // They keep their marks, and the next round copies them again.
      });
  }
}
