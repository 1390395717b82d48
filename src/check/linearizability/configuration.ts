import type { CallList } from "./call-list.js";
import { overwrites, readsOnly, type Part } from "./part.js";
import { impossible } from "./transitions.js";
import { Visited } from "./visited.js";

/** No operation, no state. */
export const none = -1;

/**
 * Where a search stands: how many answers lie behind it, the state, and which of the open operations are
 * settled and which used. `Part` says what that means, and why what is passed over here may be.
 */
export class Configuration<State> {
  readonly #part: Part<State>;
  /** What may be open or used, save what has returned. */
  readonly #list: CallList;
  readonly #place: Int32Array;
  answers = 0;
  state = 0;
  /** Sets of slots. */
  readonly settled: Int32Array;
  readonly used: Int32Array;
  /** The state before the last that was used, or `none` if it was needed; see the rule "unseen". */
  #unseenFrom = none;
  #unseenUntil = 0;
  #unseenOverwrites = false;

  constructor(part: Part<State>, list: CallList) {
    this.#part = part;
    this.#list = list;
    this.settled = new Int32Array(part.timeline.words);
    this.used = new Int32Array(part.timeline.words);
    this.#place = new Int32Array(2 + part.timeline.words);
  }

  /** To hold such as this one. */
  static visited<State>(part: Part<State>): Visited {
    return new Visited(2 + part.timeline.words, part.timeline.words);
  }

  /** How many integers `save` writes. */
  get size(): number {
    return 5 + 2 * this.settled.length;
  }

  get isComplete(): boolean {
    return this.answers === this.#part.timeline.answers;
  }

  /** The operation whose answer is the next. */
  get urgent(): number {
    return this.#part.timeline.byReturn[this.answers]!;
  }

  /** The operations before this one are those that were called before the next answer. */
  get end(): number {
    return this.#part.timeline.calledBefore[this.answers]!;
  }

  /** Whether the next answer may come. */
  get mayPass(): boolean {
    return this.#has(this.settled, this.urgent);
  }

  /** Whether the next answer may come, and there is no choice left in this. */
  get mustPass(): boolean {
    return this.#has(this.used, this.urgent);
  }

  isUsed(operation: number): boolean {
    return this.#has(this.used, operation);
  }

  isBehind(operation: number): boolean {
    return this.#part.timeline.rank[operation]! < this.answers;
  }

  /** The state after an operation of the window that is not used, or `none` if it need not be tried. */
  after(operation: number): number {
    const { transitions, twins, effects } = this.#part;
    transitions.effort++;
    const twin = twins[operation]!;
    if (twin !== none && this.#waitsFor(twin, operation)) return none;
    const after = transitions.step(this.state, operation);
    if (after === impossible) return none;
    // What changes nothing is settled already; but what overwrites may settle others.
    if (after === this.state && effects[operation] !== overwrites) return none;
    const isUnseen =
      this.#unseenFrom !== none &&
      this.#unseenUntil === this.end &&
      (!this.#unseenOverwrites || effects[operation] === overwrites) &&
      transitions.step(this.#unseenFrom, operation) === after;
    return isUnseen ? none : after;
  }

  /** Uses the operation, and settles those that it overwrites. False if nothing can come of it. */
  use(operation: number, after: number): boolean {
    const { effects } = this.#part;
    const from = this.state;
    const { end } = this;
    const doesOverwrite = effects[operation] === overwrites;
    this.#unseenFrom = doesOverwrite || this.#isOptional(operation) ? from : none;
    this.#unseenUntil = end;
    this.#unseenOverwrites = doesOverwrite;
    this.#add(this.used, operation);
    this.#add(this.settled, operation);
    this.state = after;
    if (doesOverwrite) {
      for (let open = this.#list.first; open < end; open = this.#list.next[open]!) {
        this.#part.transitions.effort++;
        if (effects[open] === overwrites && !this.#isUnknown(open)) this.#add(this.settled, open);
      }
    }
    return after === from || !this.#isHopeless(from);
  }

  /** Settles an open operation if it changes nothing. True if it never does, and so is as good as used. */
  settle(operation: number): boolean {
    this.#part.transitions.effort++;
    if (this.#isOptional(operation)) return false;
    if (this.#part.transitions.step(this.state, operation) !== this.state) return false;
    this.#add(this.settled, operation);
    this.#unseenFrom = none;
    if (this.#part.effects[operation] !== readsOnly) return false;
    this.#add(this.used, operation);
    return true;
  }

  /** Goes on past the next answer. False if nothing can come of it. */
  pass(): boolean {
    const { urgent } = this;
    const slot = this.#part.timeline.slot[urgent]!;
    const written = this.isUsed(urgent) ? none : (this.#part.outlook?.writes[urgent] ?? none);
    // Until the last line it counts as used, so as not to be one that can still write.
    this.#add(this.used, urgent);
    const isHopeless = written !== none && written !== this.state && this.#isHopeless(written);
    this.settled[slot >> 5]! &= ~(1 << (slot & 31));
    this.used[slot >> 5]! &= ~(1 << (slot & 31));
    this.answers++;
    return !isHopeless;
  }

  /** Whether the search has been here, or where it is as good. */
  isIn(visited: Visited): boolean {
    const place = this.#place;
    place[0] = this.answers;
    place[1] = this.state;
    for (let word = 0; word < this.settled.length; word++) place[2 + word] = this.settled[word]!;
    const { compared } = visited;
    const isIn = visited.has(place, this.used);
    this.#part.transitions.effort += visited.compared - compared;
    return isIn;
  }

  save(into: Int32Array, at: number): void {
    const words = this.settled.length;
    this.#part.transitions.effort += words;
    into[at] = this.answers;
    into[at + 1] = this.state;
    into[at + 2] = this.#unseenFrom;
    into[at + 3] = this.#unseenUntil;
    into[at + 4] = this.#unseenOverwrites ? 1 : 0;
    for (let word = 0; word < words; word++) {
      into[at + 5 + word] = this.settled[word]!;
      into[at + 5 + words + word] = this.used[word]!;
    }
  }

  load(from: Int32Array, at: number): void {
    const words = this.settled.length;
    this.answers = from[at]!;
    this.state = from[at + 1]!;
    this.#unseenFrom = from[at + 2]!;
    this.#unseenUntil = from[at + 3]!;
    this.#unseenOverwrites = from[at + 4] === 1;
    for (let word = 0; word < words; word++) {
      this.settled[word] = from[at + 5 + word]!;
      this.used[word] = from[at + 5 + words + word]!;
    }
  }

  /** See the rule of that name. */
  #isHopeless(value: number): boolean {
    const { outlook, timeline, transitions } = this.#part;
    if (!outlook) return false;
    const { reads, writes } = outlook;
    const { end } = this;
    let answer = outlook.nextRead(value, end);
    for (let open = this.#list.first; open < end; open = this.#list.next[open]!) {
      transitions.effort++;
      if (writes[open] === value && !this.isUsed(open)) return false;
      if (reads[open] === value && !this.#has(this.settled, open))
        answer = Math.min(answer, timeline.rank[open]!);
    }
    return answer < timeline.answers && !outlook.isWrittenBefore(answer, value, end);
  }

  #waitsFor(twin: number, operation: number): boolean {
    if (twin >= this.end || this.isBehind(twin) || this.isUsed(twin)) return false;
    return (
      this.#part.effects[operation] === overwrites || !this.#isOptional(twin) || this.#isOptional(operation)
    );
  }

  #isUnknown(operation: number): boolean {
    return this.#part.timeline.rank[operation] === this.#part.timeline.answers;
  }

  #isOptional(operation: number): boolean {
    return this.#has(this.settled, operation) || this.#isUnknown(operation);
  }

  #has(set: Int32Array, operation: number): boolean {
    const slot = this.#part.timeline.slot[operation]!;
    return (set[slot >> 5]! & (1 << (slot & 31))) !== 0;
  }

  #add(set: Int32Array, operation: number): void {
    const slot = this.#part.timeline.slot[operation]!;
    set[slot >> 5]! |= 1 << (slot & 31);
  }
}
