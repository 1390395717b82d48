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

export interface SubscriberOptions {
  readonly connect: () => Redis;
  /** Whether messages come by way of other servers, as in a cluster. */
  readonly isRelayed: boolean;
  readonly clock: Clock;
  readonly onMessage: (topic: Topic, message: Buffer) => void;
}

/** The connection that messages come on: made for the first topic, and made again when it breaks. */
export class Subscriber {
  readonly #options: SubscriberOptions;
  readonly #topics = new Map<string, Topic>();
  #client: Redis | undefined;
  #ping: Timer | undefined;
  /**
   * Subscribed to, though nobody watches, until the next ping: a watch often ends with the grant of a lock,
   * and who has got it is in more of a hurry.
   */
  readonly #left = new Map<string, Topic>();
  #hasBegun = false;
  #closed = false;

  constructor(options: SubscriberOptions) {
    this.#options = options;
  }

  get topics(): ReadonlyMap<string, Topic> {
    return this.#topics;
  }

  add(topic: Topic): void {
    this.#topics.set(topic.name, topic);
    this.#left.delete(topic.name);
    if (!this.#hasBegun) this.#begin();
    else if (this.#client?.status === "ready") this.#subscribe(this.#client, [topic]);
  }

  remove(topic: Topic): void {
    if (this.#topics.get(topic.name) !== topic) return;
    this.#topics.delete(topic.name);
    if (this.#client?.status === "ready") this.#left.set(topic.name, topic);
  }

  close(): void {
    this.#closed = true;
    this.#ping?.cancel();
    this.#client?.disconnect();
  }

  #begin(): void {
    if (this.#closed) return;
    this.#hasBegun = true;
    try {
      this.#client = this.#options.connect();
    } catch {
      // No node of the cluster is known at the moment.
      this.#beginLater();
      return;
    }
    this.#listen(this.#client);
    this.#client.connect().catch(ignore);
  }

  #beginLater(): void {
    if (!this.#closed) this.#options.clock.after(replaceAfterMs, () => this.#begin(), "background");
  }

  #listen(client: Redis): void {
    const hear = (name: string, message: Buffer) => {
      const topic = this.#topics.get(name);
      if (topic) this.#options.onMessage(topic, message);
    };
    client.on("error", ignore);
    client.on("end", () => this.#beginLater());
    client.on("ready", () => {
      this.#left.clear();
      this.#subscribe(client, [...this.#topics.values()]);
      this.#pingLater(client, pingsPerLook);
    });
    client.on("messageBuffer", (channel: Buffer, message: Buffer) => {
      hear(channel.toString(), message);
    });
    client.on("pmessageBuffer", (pattern: string, _channel: Buffer, message: Buffer) => {
      hear(pattern, message);
    });
  }

  /**
   * Each topic is told of the confirmation of its own subscription, not of one of the same name before it.
   */
  #subscribe(client: Redis, all: readonly Topic[]): void {
    for (const [command, topics] of byKind(all)) {
      client[`${command}subscribe`](...topics.map(({ name }) => name)).then(
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
  }

  #unsubscribe(client: Redis): void {
    for (const [command, topics] of byKind([...this.#left.values()])) {
      client[`${command}unsubscribe`](...topics.map(({ name }) => name)).catch(ignore);
    }
    this.#left.clear();
  }

  #pingLater(client: Redis, pingsToLook: number): void {
    this.#ping?.cancel();
    const ping = () => {
      if (client.status !== "ready") return;
      client.ping().catch(ignore);
      this.#unsubscribe(client);
      const looks = this.#options.isRelayed && pingsToLook === 0;
      if (looks) for (const topic of this.#topics.values()) topic.requireResync();
      this.#pingLater(client, looks ? pingsPerLook : pingsToLook - 1);
    };
    this.#ping = this.#options.clock.after(pingEveryMs, ping, "background");
  }
}

/** What Redis's commands for them begin with, and those topics; no kind that there are none of. */
function byKind(topics: readonly Topic[]) {
  const all = [
    ["p", topics.filter(({ isPattern }) => isPattern)] as const,
    ["", topics.filter(({ isPattern }) => !isPattern)] as const,
  ];
  return all.filter(([, alike]) => alike.length > 0);
}

function ignore(): void {
  // It connects again by itself.
}
