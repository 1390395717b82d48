import type { Redis } from "ioredis";
import type { Clock, Timer } from "../../base/clock.js";
import { LockstepError } from "../../base/errors.js";
import type { Topic } from "./topic.js";

/** A dead connection is found out by the ping that it does not answer. */
const pingEveryMs = 2000;
/** In a cluster the nodes pass messages on to each other, and may lose some; after so many pings, look. */
const pingsPerLook = 5;
/** Before another node of a cluster is tried. */
const replaceAfterMs = 200;
/**
 * What nobody watches any more is unsubscribed from so much later: a watch often ends with the grant of a
 * lock, and who has got it is in more of a hurry.
 */
const unsubscribeAfterMs = 100;

export interface SubscriberOptions {
  readonly connect: () => Redis;
  /** Whether messages come by way of other servers, as in a cluster. */
  readonly isRelayed: boolean;
  readonly clock: Clock;
  readonly onMessage: (topic: Topic, message: Buffer) => void;
}

/** The connection that messages come on: made for the first topic, and made again when it breaks. */
export class Subscriber {
  readonly #connect: () => Redis;
  readonly #isRelayed: boolean;
  readonly #clock: Clock;
  readonly #onMessage: (topic: Topic, message: Buffer) => void;
  readonly #topics = new Map<string, Topic>();
  #client: Redis | undefined;
  #ping: Timer | undefined;
  /** Subscribed to, though nobody watches. */
  readonly #left = new Map<string, Topic>();
  #unsubscribing: Timer | undefined;
  #hasBegun = false;
  #closed = false;

  constructor(options: SubscriberOptions) {
    this.#connect = options.connect;
    this.#isRelayed = options.isRelayed;
    this.#clock = options.clock;
    this.#onMessage = options.onMessage;
  }

  get topics(): ReadonlyMap<string, Topic> {
    return this.#topics;
  }

  add(topic: Topic): void {
    this.#topics.set(topic.name, topic);
    this.#left.delete(topic.name);
    if (!this.#hasBegun) {
      this.#hasBegun = true;
      this.#begin();
    } else if (this.#client?.status === "ready") this.#subscribe(this.#client, [topic], topic.isPattern);
  }

  remove(topic: Topic): void {
    if (this.#topics.get(topic.name) !== topic) return;
    this.#topics.delete(topic.name);
    this.#left.set(topic.name, topic);
    this.#unsubscribing ??= this.#clock.after(unsubscribeAfterMs, () => this.#unsubscribe(), "background");
  }

  close(): void {
    this.#closed = true;
    this.#ping?.cancel();
    this.#unsubscribing?.cancel();
    this.#client?.disconnect();
  }

  #begin(): void {
    if (this.#closed) return;
    try {
      this.#client = this.#connect();
    } catch {
      // No node of the cluster is known at the moment.
      this.#beginLater();
      return;
    }
    this.#listen(this.#client);
    this.#client.connect().catch(ignore);
  }

  #beginLater(): void {
    if (!this.#closed) this.#clock.after(replaceAfterMs, () => this.#begin(), "background");
  }

  #listen(client: Redis): void {
    client.on("error", ignore);
    client.on("end", () => this.#beginLater());
    client.on("ready", () => {
      const topics = [...this.#topics.values()];
      for (const arePatterns of [true, false]) {
        const alike = topics.filter(({ isPattern }) => isPattern === arePatterns);
        this.#subscribe(client, alike, arePatterns);
      }
      this.#pingLater(client, pingsPerLook);
    });
    client.on("messageBuffer", (channel: Buffer, message: Buffer) => {
      this.#hear(channel.toString(), message);
    });
    client.on("pmessageBuffer", (pattern: string, _channel: Buffer, message: Buffer) => {
      this.#hear(pattern, message);
    });
  }

  #hear(name: string, message: Buffer): void {
    const topic = this.#topics.get(name);
    if (topic) this.#onMessage(topic, message);
  }

  /**
   * Each topic is told of the confirmation of its own subscription, not of one of the same name before it.
   */
  #subscribe(client: Redis, topics: readonly Topic[], arePatterns: boolean): void {
    if (topics.length === 0) return;
    const names = topics.map(({ name }) => name);
    const done = arePatterns ? client.psubscribe(...names) : client.subscribe(...names);
    done.then(
      () => {
        for (const topic of topics) topic.confirm();
      },
      (cause: unknown) => {
        // A connection that broke is made again; but a server that refuses will go on to do so.
        if (!(cause instanceof Error) || cause.name !== "ReplyError") return;
        const error = new LockstepError("unavailable", `redis: ${cause.message}`, { cause });
        for (const topic of topics) topic.fail(error);
      },
    );
  }

  #unsubscribe(): void {
    this.#unsubscribing = undefined;
    const left = [...this.#left.values()];
    this.#left.clear();
    if (this.#client?.status !== "ready") return;
    for (const arePatterns of [true, false]) {
      const names = left.filter(({ isPattern }) => isPattern === arePatterns).map(({ name }) => name);
      if (names.length === 0) continue;
      const done = arePatterns ? this.#client.punsubscribe(...names) : this.#client.unsubscribe(...names);
      done.catch(ignore);
    }
  }

  #pingLater(client: Redis, pingsToLook: number): void {
    this.#ping?.cancel();
    this.#ping = this.#clock.after(
      pingEveryMs,
      () => {
        if (client.status !== "ready") return;
        client.ping().catch(ignore);
        const looks = this.#isRelayed && pingsToLook === 0;
        if (looks) for (const topic of this.#topics.values()) topic.requireResync();
        this.#pingLater(client, looks ? pingsPerLook : pingsToLook - 1);
      },
      "background",
    );
  }
}

function ignore(): void {
  // It connects again by itself.
}
