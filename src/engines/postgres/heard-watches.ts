import type { Clock, Timer } from "../../base/clock.js";
import { nonce } from "../../base/nonce.js";
import type { Batch, Query, Resync, Snapshot } from "../../store/change.js";
import type { WatchOptions } from "../../store/store.js";
import { WatchFeed } from "../../store/watch-feed.js";
import { Channel } from "./channel.js";
import type { Watches } from "./postgres-store.js";
import type { Requests } from "./requests.js";
import type { Server } from "./server.js";
import { entryOf, eventOf, operandsOf, snapshotOf, type Answer, type Step, type Told } from "./wire.js";

/** What is watched no more is withdrawn with the next watch that begins, or after so long. */
const withdrawAfterMs = 100;

interface Interest {
  readonly prefix: string;
  readonly exact: boolean;
  /** Of the next one in the same, if this one is withdrawn, it is a higher one. */
  readonly number: number;
  feeds: number;
}

/** The watches of a client that the server tells of changes, on a channel of its own. */
export class HeardWatches implements Watches {
  readonly #requests: Requests;
  readonly #clock: Clock;
  readonly #client = nonce();
  readonly #channel: Channel;
  readonly #feeds = new Set<WatchFeed>();
  /** What the server is told that we want to hear of, by its name here. */
  readonly #interests = new Map<string, Interest>();
  #numbered = 0;
  #withdrawal: Timer | undefined;

  constructor(server: Server, requests: Requests, clock: Clock) {
    this.#requests = requests;
    this.#clock = clock;
    this.#channel = new Channel(server, clock, this.#client, {
      onTold: (told) => {
        this.#tell(told);
      },
      onGap: () => this.#beginAnew(),
      onDue: () => void requests.askHarmless(["commit"]).catch(ignore),
    });
  }

  watch(
    prefix: string,
    { exact = false, signal }: WatchOptions,
  ): AsyncIterableIterator<Batch | Resync, void> {
    const query: Query = exact ? { key: prefix } : { prefix };
    let begun: Promise<Snapshot> | undefined;
    // There is no log, so it begins with how things stand, from whichever revision it is asked for.
    const feed = new WatchFeed({
      prefix,
      exact,
      from: undefined,
      signal,
      // A reader who asks before the watch has begun is told what was read as it began: all that comes later
      // is pushed. One who asks when it has begun may have missed what was pushed meanwhile, so that is too
      // old.
      snapshot: () => begun ?? this.#requests.read(query),
      onEnd: () => {
        this.#feeds.delete(feed);
        interest.feeds--;
        this.#withdrawSoon();
      },
    });
    if (feed.isOver) return feed;
    const interest = this.#interestIn(prefix, exact);
    interest.feeds++;
    this.#feeds.add(feed);
    begun = this.#begin(query, interest);
    begun
      .catch((error: unknown) => {
        feed.fail(error);
      })
      .finally(() => (begun = undefined));
    return feed;
  }

  close(error: unknown): void {
    this.#channel.close();
    for (const feed of [...this.#feeds]) feed.fail(error);
    this.#withdrawal?.cancel();
  }

  async #begin(query: Query, interest: Interest): Promise<Snapshot> {
    await this.#channel.open();
    const [dueInMs, revision, found] = await this.#listenTo([interest], query);
    this.#channel.pulseIn(dueInMs);
    return found === null ? this.#requests.read(query) : snapshotOf(BigInt(revision), found);
  }

  async #listenTo(interests: readonly Interest[], query: Query): Promise<Answer> {
    const listens = interests.map((interest) => ["listen", ...this.#operandsOf(interest)]);
    const read = ["read", ...operandsOf(query)];
    const steps = [...this.#withdrawn(), ...listens, read, ["listened"]];
    return (await this.#requests.askHarmless(...steps)) as Answer;
  }

  async #beginAnew(): Promise<void> {
    const interests = [...this.#interests.values()].filter(({ feeds }) => feeds > 0);
    // All in one request, before anything is read.
    await this.#listenTo(interests, { prefix: "", limit: 1 });
    for (const feed of this.#feeds) feed.requireResync();
  }

  #tell([plainRevision, changed, oldest]: Told): void {
    const revision = BigInt(plainRevision);
    const events = changed?.map((plain) => eventOf(plain, revision));
    const shown = oldest ? entryOf(oldest) : undefined;
    for (const feed of this.#feeds) {
      if (events) feed.push(revision, events, shown);
      else feed.requireResync();
    }
  }

  #interestIn(prefix: string, exact: boolean): Interest {
    const name = `${exact ? "=" : "^"}${prefix}`;
    const interest = this.#interests.get(name) ?? { prefix, exact, number: ++this.#numbered, feeds: 0 };
    this.#interests.set(name, interest);
    return interest;
  }

  #withdrawSoon(): void {
    if (this.#feeds.size === 0) this.#channel.rest();
    this.#withdrawal ??= this.#clock.after(withdrawAfterMs, () => void this.#withdraw(), "background");
  }

  async #withdraw(): Promise<void> {
    this.#withdrawal = undefined;
    const steps = this.#withdrawn();
    if (steps.length > 0) await this.#requests.askHarmless(...steps, ["commit"]).catch(ignore);
  }

  #operandsOf({ prefix, exact, number }: Interest): Step {
    return [this.#client, prefix, String(exact), String(number)];
  }

  /** The steps that withdraw what nobody watches any more. */
  #withdrawn(): Step[] {
    const steps: Step[] = [];
    for (const [name, interest] of this.#interests) {
      if (interest.feeds > 0) continue;
      this.#interests.delete(name);
      steps.push(["deafen", ...this.#operandsOf(interest)]);
    }
    return steps;
  }
}

function ignore(): void {
  // To be told too much does no harm, and what has expired is noticed by the next who looks.
}
