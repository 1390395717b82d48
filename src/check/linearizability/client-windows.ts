import type { Client, Operation } from "../history.js";
import { Timeline } from "./timeline.js";

/** What one client did, and where a configuration tells how far it is: its answers, and what was used. */
interface ClientWindow {
  readonly timeline: Timeline;
  /** Where its operations stand among all. */
  readonly places: readonly number[];
  /** For each number of answers, the first operation that has its answer after those, and so may be open. */
  readonly firstOpen: Int32Array;
  /** Those with an unknown outcome, which are open for ever. */
  readonly unknown: readonly number[];
  readonly at: number;
}

/**
 * The operations of several clients, each of which has an order of its own and no other. Those of one client
 * may be open together, too, so each client has a window that moves on from answer to answer; see `Timeline`.
 * A configuration is a row of integers that begins with how far each client is.
 */
export class ClientWindows {
  readonly #clients: ClientWindow[] = [];
  readonly #clientOf: ClientWindow[] = [];
  readonly #indexOf: number[] = [];
  /** How many integers tell how far the clients are. */
  readonly size: number;
  /** How many operations were looked at so far. */
  looked = 0;

  constructor(operations: readonly Operation[]) {
    const byClient = new Map<Client, number[]>();
    for (const [place, { client }] of operations.entries()) {
      const places = byClient.get(client);
      this.#indexOf.push(places ? places.push(place) - 1 : 0);
      if (!places) byClient.set(client, [place]);
    }
    let at = 0;
    for (const places of byClient.values()) {
      const timeline = new Timeline(places.map((place) => operations[place]!));
      const unknown = places.map((_, index) => index).filter((index) => isUnknown(timeline, index));
      const window = { timeline, places, firstOpen: firstOpenOf(timeline), unknown, at };
      this.#clients.push(window);
      for (const place of places) this.#clientOf[place] = window;
      at += 1 + timeline.words;
    }
    this.size = at;
  }

  /** Whether all that returned was used. */
  isComplete(now: Int32Array): boolean {
    return this.#clients.every(({ timeline, at }) => now[at] === timeline.answers);
  }

  /** What may be next, of all clients. */
  *open(now: Int32Array): IterableIterator<number> {
    for (const client of this.#clients) {
      const { timeline, places, firstOpen, unknown, at } = client;
      const { operations, rank, calledBefore } = timeline;
      const answers = now[at]!;
      // After the last answer, all were called.
      const end = calledBefore[answers] ?? operations.length;
      for (const index of unknown) {
        this.looked++;
        if (index >= end) break;
        if (!isUsed(client, index, now)) yield places[index]!;
      }
      for (let index = firstOpen[answers]!; index < end; index++) {
        this.looked++;
        const isOpen = rank[index]! >= answers && !isUnknown(timeline, index);
        if (isOpen && !isUsed(client, index, now)) yield places[index]!;
      }
    }
  }

  /** Makes the operation, which may be next, one that was used. */
  use(place: number, now: Int32Array): void {
    const client = this.#clientOf[place]!;
    const { at, timeline } = client;
    const slot = timeline.slot[this.#indexOf[place]!]!;
    now[at + 1 + (slot >> 5)]! |= 1 << (slot & 31);
    for (let next = timeline.byReturn[now[at]!]; next !== undefined; next = timeline.byReturn[now[at]!]) {
      if (!isUsed(client, next, now)) return;
      const free = timeline.slot[next]!;
      now[at + 1 + (free >> 5)]! &= ~(1 << (free & 31));
      now[at]!++;
    }
  }
}

function isUsed({ timeline, at }: ClientWindow, index: number, now: Int32Array): boolean {
  const slot = timeline.slot[index]!;
  return (now[at + 1 + (slot >> 5)]! & (1 << (slot & 31))) !== 0;
}

function isUnknown({ rank, answers }: Timeline, index: number): boolean {
  return rank[index] === answers;
}

function firstOpenOf({ byReturn, answers, operations }: Timeline): Int32Array {
  const first = new Int32Array(answers + 1).fill(operations.length);
  for (let answer = answers - 1; answer >= 0; answer--) {
    first[answer] = Math.min(first[answer + 1]!, byReturn[answer]!);
  }
  return first;
}
