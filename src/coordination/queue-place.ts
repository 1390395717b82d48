import { onAbort } from "../base/abort.js";
import { isLockstepError, LockstepError } from "../base/errors.js";
import { nonce } from "../base/nonce.js";
import { sleep } from "../base/patience.js";
import type { Revision, Snapshot, Write } from "../store/change.js";
import type { Guarantees } from "../store/guarantees.js";
import { lostError, type Session } from "../store/session.js";
import type { Store } from "../store/store.js";
import { closedError } from "../store/watch-feed.js";
import type { SessionKeeper } from "./session-keeper.js";

/** A session that dies before its first key is written, so many times in a row, is no accident. */
const mostSessions = 10;

/**
 * A place in a queue of the store: one key, bound to a session. Who is first has what the queue is for.
 *
 * Why that is safe with no compare-and-swap: a key is first when no key created before it lives. Keys are
 * created in one order and a later one never counts, so among live keys at most one is first. What is ahead
 * of a key can only shrink; so any snapshot that is at least as new as the key, and still holds it, may be
 * judged by: a stale one only makes us wait longer.
 *
 * Why the next in line seldom looks when the one ahead goes: whoever gives up a place has the store show who
 * is first from then on, with the news of it. Not every engine can; but a snapshot that holds our key shows
 * all who will ever be ahead of it: if it shows one, and then that one is deleted, nobody is left. Whether
 * our own key is still there the session says then: the key is deleted by us, when we give the place up, or
 * with its session, and by nobody else; and whoever is granted something asks first whether the session is
 * valid. That is proof wherever a valid session surely has its keys. There, with two or more ahead, we look
 * as soon as the second has gone, while the one ahead has what we wait for. Elsewhere we look when that goes.
 */
export class QueuePlace {
  readonly session: Session;
  readonly key: string;
  /** The creation of our key: the fencing token of what this place is granted. */
  readonly token: Revision;
  readonly #keeper: SessionKeeper;
  readonly #queue: string;
  /** The request that made our key may be delivered again, long after. */
  readonly #doubtful: boolean;
  #position: Position;

  private constructor(
    keeper: SessionKeeper,
    queue: string,
    joined: { session: Session; key: string; position: Position; doubtful: boolean },
  ) {
    this.#keeper = keeper;
    this.#queue = queue;
    this.session = joined.session;
    this.key = joined.key;
    this.#doubtful = joined.doubtful;
    this.token = joined.position.created;
    this.#position = joined.position;
  }

  get isFirst(): boolean {
    return this.#position.ahead === undefined;
  }

  /** Joins a queue at its end, in one commit; which also gives up the place `instead`, where one is named. */
  static async take(
    keeper: SessionKeeper,
    queue: string,
    ticket: Uint8Array,
    instead?: QueuePlace,
  ): Promise<QueuePlace> {
    for (let attempt = 1; attempt <= mostSessions; attempt++) {
      const current = keeper.current();
      const session = current instanceof Promise ? await current : current;
      const key = queue + nonce();
      const then: Write[] = [{ kind: "put", key, value: ticket, session: session.id }];
      if (instead) then.push({ kind: "delete", key: instead.key });
      keeper.enter(session);
      const { snapshot, doubtful } = await join(keeper, session, queue, key, then);
      const position = positionOf(key, snapshot);
      if (position) {
        void instead?.forget();
        return new QueuePlace(keeper, queue, { session, key, position, doubtful });
      }
      // The session is dead in the store, or the request was lost on its way: again, with another session.
      keeper.retire(session);
      // Lost on its way is maybe only late, and the session may have other keys to live on for.
      if (doubtful) void keeper.sweep(session, key);
      void keeper.leave(session);
    }
    throw new LockstepError(
      "retries-exhausted",
      `${mostSessions} sessions in a row ended before a place in ${queue} was taken; is ttlMs too short?`,
    );
  }

  /**
   * Resolves when nobody is ahead. Rejects with 'lost' when the session ends, or with the signal's reason.
   *
   * Only the next one ahead is waited for: its going wakes us and nobody else.
   */
  async untilFirst(signal: AbortSignal): Promise<void> {
    const halt = new AbortController();
    const giveUp = () => {
      halt.abort(signal.reason);
    };
    if (signal.aborted) giveUp();
    const callOff = onAbort(signal, giveUp);
    const unlisten = this.session.onEnd(() => {
      halt.abort(lostError(`the place in ${this.#queue}`));
    });
    try {
      for (;;) {
        const { ahead } = this.#position;
        if (ahead === undefined) return;
        await this.#untilItLeft(ahead, halt.signal);
      }
    } finally {
      unlisten();
      callOff();
    }
  }

  /**
   * Gives the place up. Never fails: where the store cannot be told, it resolves when the session is over.
   */
  async leave(): Promise<void> {
    const isGone = !this.session.isValid() || (await this.#isDeleted());
    const swept = isGone ? undefined : this.#keeper.sweep(this.session, this.key);
    // The session may end with this key, and takes it along then; else the sweep deletes it sooner or later.
    const ended = this.forget();
    if (!isGone) await (ended ?? swept);
  }

  /** The key is gone already, with its session or by another commit; or will be. */
  forget(): Promise<void> | undefined {
    if (this.#doubtful) void this.#keeper.sweep(this.session, this.key);
    return this.#keeper.leave(this.session);
  }

  async #isDeleted(): Promise<boolean> {
    try {
      const then = [{ kind: "delete", key: this.key }] as const;
      await this.#keeper.store.commit({ then, show: this.#queue });
      return true;
    } catch {
      return false;
    }
  }

  /** Waits until the key ahead is gone, or may be, and finds out where we stand then. */
  async #untilItLeft(ahead: string, signal: AbortSignal): Promise<void> {
    const { store, clock } = this.#keeper;
    const watch = store.watch(ahead, { exact: true, from: this.#position.seen, signal });
    // Only where it is wanted: an abort costs a tenth of a millisecond, on the way to the grant.
    const waited = looksAhead(store.guarantees) ? new AbortController() : undefined;
    if (waited) {
      // If it fails, it was for nothing: then we look when our turn comes.
      this.#lookAhead(ahead, AbortSignal.any([signal, waited.signal])).catch(() => undefined);
    }
    try {
      this.#position = await this.#afterItLeft(await untilGone(watch, ahead));
    } catch (error) {
      if (!isLockstepError(error, "unavailable")) throw error;
      // The place is ours for as long as the session lives, so a store that is away for a while is waited
      // for.
      await sleep(clock, this.session.ttlMs / 10, signal);
    } finally {
      // Only now: whoever is first has waited long enough.
      void watch.return?.();
      waited?.abort();
    }
    signal.throwIfAborted();
  }

  /** Where we stand once the one ahead has gone. */
  async #afterItLeft({ at, first }: Departure): Promise<Position> {
    const { second, seen } = this.#position;
    // Told of an older state, it may not have been there yet.
    const isLast = second === undefined && at > seen && isSureOfKeys(this.#keeper.store.guarantees);
    if (first === this.key || isLast) return this.#firstAt(at);
    const atLeast = at > seen ? at : seen;
    if (first === undefined) {
      // Who is first is mostly all that there is to know.
      const oldest = { prefix: this.#queue, order: "created", limit: 1, atLeast } as const;
      const { entries, revision } = await this.#keeper.store.read(oldest);
      if (entries[0]?.key === this.key) return this.#firstAt(revision);
    }
    return this.#look(atLeast);
  }

  /**
   * Finds out, while there is one ahead, whether anybody is left before that one.
   *
   * What it puts in the place of `#position` is seen later and has our key and the same one ahead of it. Were
   * it another, the news that this one is gone could be taken for news of that one.
   */
  async #lookAhead(ahead: string, signal: AbortSignal): Promise<void> {
    const { store } = this.#keeper;
    for (;;) {
      const { second, seen } = this.#position;
      if (second === undefined) return;
      const watch = store.watch(second, { exact: true, from: seen, signal });
      const { at } = await untilGone(watch, second);
      void watch.return?.();
      const found = await this.#look(at > seen ? at : seen);
      if (signal.aborted || found.ahead !== ahead) return;
      this.#position = found;
    }
  }

  async #look(atLeast: Revision): Promise<Position> {
    const query = { prefix: this.#queue, order: "created", atLeast } as const;
    const position = positionOf(this.key, await this.#keeper.store.read(query));
    if (!position) throw lostError(`the place in ${this.#queue}`);
    return position;
  }

  #firstAt(seen: Revision): Position {
    return { created: this.token, ahead: undefined, second: undefined, seen };
  }
}

/** Whether a session that is valid here surely has its keys there. */
function isSureOfKeys({ failoverLosesCommits, expiryMovesWithWallClock }: Guarantees): boolean {
  return !failoverLosesCommits && !expiryMovesWithWallClock;
}

/** Whether it pays to know early: where a look takes time, and news do not show who is first. */
function looksAhead(guarantees: Guarantees): boolean {
  return guarantees.reach === "network" && guarantees.push === "data" && isSureOfKeys(guarantees);
}

interface Position {
  readonly created: Revision;
  /** The key just before ours. */
  readonly ahead: string | undefined;
  /** The key just before that one. */
  readonly second: string | undefined;
  readonly seen: Revision;
}

/** Where a key stands among the entries of a queue, the oldest first; undefined when it is not there. */
function positionOf(key: string, snapshot: Snapshot): Position | undefined {
  const { entries, revision } = snapshot;
  // From the end: who just joined is the last.
  for (let i = entries.length - 1; i >= 0; i--) {
    const entry = entries[i];
    if (entry?.key !== key) continue;
    const [ahead, second] = [entries[i - 1]?.key, entries[i - 2]?.key];
    return { created: entry.created, ahead, second, seen: revision };
  }
  return undefined;
}

async function join(
  keeper: SessionKeeper,
  session: Session,
  queue: string,
  key: string,
  then: Write[],
): Promise<{ snapshot: Snapshot; doubtful: boolean }> {
  try {
    // `absent` refuses what the network delivers twice.
    const read = { prefix: queue, order: "created" } as const;
    // A place that is given up with it is somebody else's turn.
    const show = then.length > 1 ? queue : undefined;
    const verdict = await keeper.store.commit({ when: [{ kind: "absent", key }], then, read, show });
    return { snapshot: verdict.snapshot, doubtful: false };
  } catch (error) {
    if (isLockstepError(error) && error.applied === "maybe") {
      // Our nonce tells whether the commit was made; if it was not, it may yet be, hence the sweep.
      try {
        keeper.retire(session);
        return { snapshot: await keeper.store.read({ prefix: queue, order: "created" }), doubtful: true };
      } catch {
        // Nothing is known; the first error says it best.
      }
      void keeper.sweep(session, key);
    }
    void keeper.leave(session);
    throw error;
  }
}

interface Departure {
  /** The revision at which the key is known to be gone. */
  readonly at: Revision;
  /** Who was first then, if we were shown. */
  readonly first?: string | undefined;
}

async function untilGone(watch: ReturnType<Store["watch"]>, key: string): Promise<Departure> {
  for (;;) {
    const { done, value: told } = await watch.next();
    if (done) throw closedError();
    if (told.kind === "resync") {
      if (told.snapshot.entries.length === 0) return { at: told.snapshot.revision };
    } else if (told.events.some((event) => event.kind === "delete" && event.key === key)) {
      return { at: told.revision, first: told.shown?.key };
    }
  }
}
