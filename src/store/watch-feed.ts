import { onAbort } from "../base/abort.js";
import { delivered } from "../base/courier.js";
import { LockstepError } from "../base/errors.js";
import type { Batch, Entry, Event, Resync, Revision, Snapshot } from "./change.js";
import { copied } from "./rules.js";

/** No more than this waits for a reader: a slow one gets a snapshot instead of our memory. */
const mostWaiting = 4096;
const mostWaitingBytes = 16 * 1024 * 1024;

export interface WatchFeedOptions {
  readonly prefix: string;
  readonly exact?: boolean | undefined;
  /** Undefined: begin with a resync. */
  readonly from: Revision | undefined;
  readonly signal: AbortSignal | undefined;
  /** Reads the prefix as it stands: never older than what was pushed before. */
  readonly snapshot: () => Snapshot | Promise<Snapshot>;
  /** Called once, when nobody listens any more; never for a signal that had aborted before. */
  readonly onEnd: () => void;
}

/**
 * The reader's end of a watch, the same for every engine. The engine pushes each commit, in order; the reader
 * takes them when it likes. What cannot be told any more becomes a resync, so there is never a silent gap.
 */
export class WatchFeed implements AsyncIterableIterator<Batch | Resync, void> {
  readonly #options: WatchFeedOptions;
  readonly #waiting: Batch[] = [];
  /** Counted since nothing waited last. */
  #waitingBytes = 0;
  /** Every commit up to here has been told, or was before the watch began. */
  #toldUntil: Revision;
  #needsResync: boolean;
  #atHand: Snapshot | undefined;
  #wake: (() => void) | undefined;
  /** Ends the wait for a snapshot. */
  #letGo: (() => void) | undefined;
  #ended: { readonly error?: unknown } | undefined;
  #unlisten: (() => void) | undefined;
  /** Settles when the last call of `next` has; undefined when none is under way. */
  #tail: Promise<void> | undefined;

  constructor(options: WatchFeedOptions) {
    this.#options = options;
    this.#needsResync = options.from === undefined;
    this.#toldUntil = options.from ?? 0n;
    const { signal } = options;
    // Without `onEnd`: the engine has not got this feed in its hands yet, so it cannot let go of it either.
    if (signal?.aborted) this.#ended = { error: signal.reason };
    else if (signal) {
      this.#unlisten = onAbort(signal, () => {
        this.#end({ error: signal.reason });
      });
    }
  }

  get prefix(): string {
    return this.#options.prefix;
  }

  /** For the engine: nobody listens any more. */
  get isOver(): boolean {
    return this.#ended !== undefined;
  }

  /** For the engine: what a commit did and shows, later than everything pushed before. */
  push(revision: Revision, events: readonly Event[], shown?: Entry): void {
    if (this.#ended || revision <= this.#toldUntil) return;
    if (this.#needsResync) {
      // One at hand does not hold this commit; what is read when the reader comes does.
      this.#atHand = undefined;
      return;
    }
    const { prefix, exact } = this.#options;
    const ours = events.filter(({ key }) => (exact ? key === prefix : key.startsWith(prefix)));
    if (ours.length === 0) return;
    for (const event of ours) this.#waitingBytes += event.kind === "put" ? event.entry.value.length : 0;
    if (this.#waiting.length >= mostWaiting || this.#waitingBytes > mostWaitingBytes) {
      this.requireResync();
      return;
    }
    // Copied, since several feeds may be told of one event.
    const batch = { kind: "batch", revision, events: ours.map(ownEvent) } as const;
    this.#waiting.push(shown ? { ...batch, shown: copied(shown) } : batch);
    this.#wake?.();
  }

  /**
   * For the engine: some commits since the last push cannot be told. A snapshot that it has at hand is told
   * instead; else one is read when the reader comes.
   */
  requireResync(snapshot?: Snapshot): void {
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    this.#needsResync = true;
    this.#atHand = snapshot;
    this.#wake?.();
  }

  /** For the engine: the store is closed, or broken for good. */
  fail(error: unknown): void {
    this.#end({ error });
  }

  next(): Promise<IteratorResult<Batch | Resync, undefined>> {
    // One at a time, as of a generator: two calls at once must not both wait for the same batch.
    const result = this.#tail ? this.#tail.then(() => this.#take()) : this.#take();
    const tail = result.then(ignore, ignore).then(() => {
      if (this.#tail === tail) this.#tail = undefined;
    });
    this.#tail = tail;
    return result;
  }

  return(): Promise<IteratorResult<Batch | Resync, undefined>> {
    this.#end({});
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #take(): Promise<IteratorResult<Batch | Resync, undefined>> {
    for (;;) {
      if (this.#ended) {
        if ("error" in this.#ended) throw this.#ended.error;
        return { done: true, value: undefined };
      }
      if (this.#needsResync) {
        const value = await this.#resync();
        if (value) return { done: false, value };
        continue;
      }
      const batch = this.#waiting.shift();
      if (batch === undefined) {
        this.#waitingBytes = 0;
        const woken = new Promise<void>((resolve) => (this.#wake = resolve));
        await delivered(woken, `a change under ${JSON.stringify(this.prefix)}`, this);
        this.#wake = undefined;
        continue;
      }
      // A snapshot taken after this batch was pushed holds it already.
      if (batch.revision <= this.#toldUntil) continue;
      this.#toldUntil = batch.revision;
      return { done: false, value: batch };
    }
  }

  /** Undefined when the feed ended before there was a snapshot. */
  async #resync(): Promise<Resync | undefined> {
    // Cleared first: commits that are pushed while the snapshot is being read must not be dropped.
    this.#needsResync = false;
    // And nothing counts as told: the reader may have come with a revision that this store never reached.
    this.#toldUntil = 0n;
    try {
      const atHand = this.#atHand;
      this.#atHand = undefined;
      const snapshot = atHand ?? (await this.#unlessOver(this.#options.snapshot()));
      if (!snapshot) return undefined;
      this.#toldUntil = snapshot.revision;
      return { kind: "resync", snapshot };
    } catch (error) {
      this.#end({ error });
      throw error;
    }
  }

  /** A reader is let go when the feed ends, though the store may never answer. */
  async #unlessOver<T>(asked: T | Promise<T>): Promise<T | undefined> {
    if (!(asked instanceof Promise)) return asked;
    const over = new Promise<undefined>((resolve) => {
      this.#letGo = () => {
        resolve(undefined);
      };
    });
    asked.catch(ignore);
    const first = await Promise.race([asked, over]);
    return this.#ended ? undefined : first;
  }

  #end(how: { readonly error?: unknown }): void {
    if (this.#ended) return;
    this.#ended = how;
    this.#waiting.length = 0;
    this.#unlisten?.();
    this.#options.onEnd();
    this.#wake?.();
    this.#letGo?.();
  }
}

function ownEvent(event: Event): Event {
  return event.kind === "put" ? { ...event, entry: copied(event.entry) } : event;
}

/** The error of every call on a store that was closed. */
export function closedError(): LockstepError {
  return new LockstepError("closed", "the store is closed; connect again to go on");
}

function ignore(): void {
  // What became of a call is for its caller.
}
