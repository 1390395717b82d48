import { LockstepError } from "../base/errors.js";
import { MappedIterator } from "../base/mapped-iterator.js";
import { checkOptions } from "../base/options.js";
import { checkPatience } from "../base/patience.js";
import type { Batch, Entry, Resync } from "../store/change.js";
import { byAge } from "../store/rules.js";
import { escapeSegment } from "../store/keys.js";
import { lostError } from "../store/session.js";
import { Held, type HeldEnd } from "./held.js";
import { checkNeed } from "./needs.js";
import { QueuePlace } from "./queue-place.js";
import type { SessionKeeper } from "./session-keeper.js";
import { decodeTicket, encodeTicket } from "./ticket.js";

/** Who leads, as an observer sees it. */
export interface Leader {
  /** What the leader proclaims: its address, its host. */
  readonly value: string;
  /** The fencing token of its term. */
  readonly token: bigint;
}

/** One's own term of office; over when released, lost, or left by the next turn of the campaign's loop. */
export class Term extends Held {
  readonly #proclaim: (value: string) => Promise<void>;
  readonly #campaign: AbortSignal;
  #signal: AbortSignal | undefined;

  /** @internal */
  constructor(
    name: string,
    what: string,
    place: QueuePlace,
    onEnd: (how: HeldEnd) => Promise<void>,
    proclaim: (value: string) => Promise<void>,
    campaign: AbortSignal,
  ) {
    super(name, what, place, onEnd);
    this.#proclaim = proclaim;
    this.#campaign = campaign;
  }

  /** Aborted the moment the term may be lost, and when the campaign is called off. */
  override get signal(): AbortSignal {
    this.#signal ??= AbortSignal.any([super.signal, this.#campaign]);
    return this.#signal;
  }

  /** Replaces the value that observers see. Throws 'lost' when the term is over. */
  async proclaim(value: string): Promise<void> {
    checkValue(value);
    this.assertHeld();
    await this.#proclaim(value);
  }
}

/**
 * Leadership by name, for all who share the store: at any time at most one candidate is in an unexpired term.
 *
 * *Fairness*: candidates lead in the order in which they stood.
 *
 * *Failure*: see {@link Held}: a leader that freezes knows its term is over before the next one begins.
 */
export class Election {
  readonly name: string;
  readonly #keeper: SessionKeeper;
  readonly #queue: string;

  /** @internal */
  constructor(name: string, keeper: SessionKeeper) {
    checkNeed("an election", "fencing tokens that rise across a failover", keeper.store);
    this.name = name;
    this.#keeper = keeper;
    this.#queue = `election/${escapeSegment(name)}/`;
  }

  /**
   * Stands for election, and yields each term that is won. When the loop's body ends, so does the term, and
   * the candidate stands again behind the others; leaving the loop ends the candidacy.
   *
   * *Cancellation*: an abort of the signal aborts the term's too; the loop then rethrows its reason, once the
   * body has ended and the term with it, for nobody else may lead while this one is still putting things
   * away.
   */
  async *campaign(
    options: { value?: string; signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<Term, never, void> {
    checkOptions(options, ["value", "signal"]);
    const { value = "", signal = new AbortController().signal } = options;
    checkValue(value);
    checkPatience({ signal });
    for (;;) {
      signal.throwIfAborted();
      await using term = await this.#win(value, signal);
      if (term) yield term;
    }
  }

  /**
   * Yields who leads now, then each change of it: another leader, another value, or null for nobody; until
   * the signal aborts or the loop is left.
   */
  observe(options: { signal?: AbortSignal | undefined } = {}): AsyncIterableIterator<Leader | null, void> {
    checkOptions(options, ["signal"]);
    checkPatience(options);
    const candidates = new Map<string, Entry>();
    let last: Leader | null | undefined;
    return new MappedIterator(this.#keeper.store.watch(this.#queue, options), (told) => {
      apply(told, candidates);
      const leader = leaderAmong(candidates.values());
      if (last !== undefined && leader?.token === last?.token && leader?.value === last?.value) return [];
      last = leader;
      return [leader];
    });
  }

  /** Who leads now, or null. */
  async leader(): Promise<Leader | null> {
    const snapshot = await this.#keeper.store.read({ prefix: this.#queue, order: "created", limit: 1 });
    return leaderAmong(snapshot.entries);
  }

  /** Waits to be first; undefined when the session was lost on the way, which calls for another try. */
  async #win(value: string, signal: AbortSignal): Promise<Term | undefined> {
    const { clock } = this.#keeper;
    const ticket = encodeTicket({ since: clock.wallNow(), value });
    const place = await QueuePlace.take(this.#keeper, this.#queue, ticket);
    try {
      if (!place.isFirst) await place.untilFirst(signal);
      signal.throwIfAborted();
    } catch (error) {
      await place.leave();
      if (error instanceof LockstepError && error.code === "lost") return undefined;
      throw error;
    }
    if (!place.session.isValid()) {
      void place.forget();
      return undefined;
    }
    return this.#begin(place, signal);
  }

  #begin(place: QueuePlace, signal: AbortSignal): Term {
    const end = async (how: HeldEnd) => {
      if (how === "released") await place.leave();
      else void place.forget();
    };
    return new Term(this.name, `the term of "${this.name}"`, place, end, this.#proclaimer(place), signal);
  }

  /** Each proclamation goes over the very one before it: so one that comes late finds its turn past. */
  #proclaimer(place: QueuePlace): (value: string) => Promise<void> {
    const { store, clock } = this.#keeper;
    let revision = place.token;
    return async (value) => {
      const ticket = encodeTicket({ since: clock.wallNow(), value });
      for (;;) {
        const verdict = await store.commit({
          when: [{ kind: "modified", key: place.key, revision }],
          then: [{ kind: "put", key: place.key, value: ticket, session: place.session.id }],
          read: { key: place.key },
        });
        const [entry] = verdict.snapshot.entries;
        if (entry?.created !== place.token) throw lostError(`the term of "${this.name}"`);
        revision = entry.modified;
        if (verdict.ok) return;
        // One whose reply was lost, or still is under way, was made after all; this one goes over it.
      }
    };
  }
}

/** Brings the candidates that are known up to date. */
function apply(told: Batch | Resync, candidates: Map<string, Entry>): void {
  if (told.kind === "resync") {
    candidates.clear();
    for (const entry of told.snapshot.entries) candidates.set(entry.key, entry);
    return;
  }
  for (const event of told.events) {
    if (event.kind === "put") candidates.set(event.key, event.entry);
    else candidates.delete(event.key);
  }
}

function leaderAmong(candidates: Iterable<Entry>): Leader | null {
  let first: Entry | undefined;
  for (const entry of candidates) if (!first || byAge(entry, first) < 0) first = entry;
  return first ? { value: decodeTicket(first).value ?? "", token: first.created } : null;
}

function checkValue(value: unknown): void {
  if (typeof value === "string" && value.length <= 64 * 1024) return;
  throw new LockstepError("bad-input", "a candidate's value must be a string of at most 65,536 characters");
}
