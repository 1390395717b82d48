import { LockstepError } from "../base/errors.js";
import type { Snapshot } from "../store/change.js";
import type { WatchOptions } from "../store/store.js";
import { WatchFeed } from "../store/watch-feed.js";
import type { SimulatedProcess } from "./simulated-process.js";
import type { News } from "./store-server.js";
import type { Wire } from "./wire.js";

/** Until a process notices that its connection is broken. */
const noticeMs = 3000;

/**
 * A watch over a simulated network. News come in the order in which they were sent. When one is lost, nothing
 * comes any more until the process notices; then the watch begins anew, with a resync, or fails.
 */
export class SimulatedWatch {
  readonly feed: WatchFeed;
  readonly #process: SimulatedProcess;
  readonly #wire: Wire;
  readonly #prefix: string;
  readonly #exact: boolean;
  /** What the last connection was told last must come before what it is told next. */
  #lastArrival = 0;
  #disconnect: (() => void) | undefined;
  #onSubscribed!: () => void;

  constructor(
    process: SimulatedProcess,
    wire: Wire,
    prefix: string,
    options: WatchOptions,
    { snapshot, onEnd }: { snapshot: () => Promise<Snapshot>; onEnd: () => void },
  ) {
    this.#process = process;
    this.#wire = wire;
    this.#prefix = prefix;
    this.#exact = options.exact ?? false;
    const subscribed = new Promise<void>((resolve) => (this.#onSubscribed = resolve));
    this.feed = new WatchFeed({
      prefix,
      exact: options.exact,
      from: options.from,
      signal: options.signal,
      // Read before the store tells what comes after, it could leave a gap.
      snapshot: () => subscribed.then(snapshot),
      onEnd: () => {
        this.#disconnect?.();
        this.#onSubscribed();
        onEnd();
      },
    });
    if (!this.feed.isOver) this.#connect(options.from, options.from === undefined);
  }

  /** Asks the store to tell what comes after a revision; without one, what comes from now on. */
  #connect(from: bigint | undefined, isNew: boolean): void {
    const wire = this.#wire;
    let isBroken = false;
    const disconnect = () => {
      isBroken = true;
      stop();
      unlisten();
    };
    const breakOff = () => {
      if (isBroken) return;
      disconnect();
      this.#noticeLater();
    };
    let stop = () => {
      // Not listening yet.
    };
    const unlisten = wire.connect(this.#process, breakOff);
    this.#disconnect = disconnect;
    const tell = (news: () => void) => {
      if (isBroken) return;
      this.#lastArrival = Math.max(this.#lastArrival, wire.arrival());
      const arrive = () => {
        if (!isBroken) news();
      };
      if (!wire.replyAt(this.#lastArrival, this.#process, arrive)) breakOff();
    };
    const subscribe = () => {
      if (isBroken) return;
      const push = ({ revision, events, shown }: News) => {
        // An engine may have reasons of its own to show nothing.
        const isShown = shown !== undefined && wire.chance(0.5);
        tell(() => {
          this.feed.push(revision, events, isShown ? shown : undefined);
        });
      };
      const listening = wire.server.listen({ prefix: this.#prefix, exact: this.#exact, tell: push }, from);
      stop = listening.stop;
      tell(() => {
        this.#onSubscribed();
        // A watch without a past begins with a resync by itself; but only once.
        if (!listening.past && !isNew) this.feed.requireResync();
      });
      listening.past?.forEach(push);
    };
    wire.send(this.#process, subscribe, breakOff, breakOff);
  }

  #noticeLater(): void {
    const isFatal = this.#wire.chance(0.5);
    this.#process.clock.after(noticeMs, () => {
      if (this.feed.isOver) return;
      if (isFatal) this.feed.fail(new LockstepError("unavailable", "the watch broke: a simulated fault"));
      else this.#connect(undefined, false);
    });
  }
}
