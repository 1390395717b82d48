import type { JournalRecord } from "./journal-format.js";
import type { Journals } from "./journals.js";
import { ceilingStep, isLow, type LiveFile } from "./live-file.js";
import type { LiveView } from "./live-view.js";

/** A journal that has grown beyond this is worth replacing by one of what there is now. */
const longJournalBytes = 16 * 1024 * 1024;

/**
 * Carries unbound keys from the live file to the journals. Those who ask while a round is on its way are
 * served together by the next one, so that one flush does for all.
 */
export class DurableCopier {
  readonly #live: LiveFile;
  readonly #journals: Journals;
  #current: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(live: LiveFile, journals: Journals) {
    this.#live = live;
    this.#journals = journals;
  }

  /** Resolves when every commit made before the call is on disk, and a ceiling well above it. */
  flush(): Promise<void> {
    this.#next ??= this.#current.catch(ignore).then(() => {
      this.#current = this.#next ?? this.#current;
      this.#next = undefined;
      return this.#round();
    });
    return this.#next;
  }

  /** Resolves when no round is on its way. */
  async idle(): Promise<void> {
    await (this.#next ?? this.#current).catch(ignore);
  }

  /**
   * Takes along what other processes have marked and not yet copied, as one who died between its commit and
   * its copy. So the copy is always all that was committed up to some revision, and a writer need not live.
   */
  async #round(): Promise<void> {
    const { generation, records, marks, ceiling } = this.#live.peek(collect);
    if (ceiling !== undefined) records.push({ kind: "ceiling", revision: ceiling });
    if (records.length === 0) return;
    await this.#journals.append(generation, records);
    await this.#live.transact((transaction) => {
      transaction.markKept(marks);
      if (ceiling !== undefined) transaction.raiseCeiling(ceiling);
    });
    if (this.#journals.ownLength > longJournalBytes) this.#live.beginGeneration();
  }
}

function collect(view: LiveView) {
  const marks = new Map<string, Buffer>();
  const records: JournalRecord[] = [];
  for (const [record, mark] of view.scan("u")) {
    const key = record.slice(1);
    const entry = view.get(key);
    marks.set(key, mark);
    // Bound to a session now: to the durable copy it is as good as gone.
    if (entry && entry.session === undefined) records.push({ kind: "put", entry });
    else records.push({ kind: "delete", key, revision: BigInt(mark.toString()) });
  }
  const { meta } = view;
  const ceiling = isLow(meta) ? meta.revision + ceilingStep : undefined;
  return { generation: meta.generation, records, marks, ceiling };
}

function ignore(): void {
  // Whoever asked for that round was told; it is not this one's trouble.
}
