import type { Contender } from "./contender.js";
import type { Key } from "./key.js";
import { whole, type Span } from "./span.js";

/** What has locks: a ref, a table, an index of a table. Most never need any. */
export interface Lockable {
  /** All locks can be taken in one order: by this number, and then by key. */
  readonly rank: number;
  readonly what: string;
  locks: Locks | undefined;
}

/** What somebody wants to lock. */
export interface Want {
  readonly on: Lockable;
  readonly span: Span;
  readonly isExclusive: boolean;
}

/** A lock that somebody holds or waits for. */
export class Claim implements Want {
  readonly owner: Contender;
  readonly on: Lockable;
  readonly span: Span;
  isExclusive: boolean;
  /** Ends the wait, of one that has to wait. */
  settle: ((error?: Error) => void) | undefined;

  constructor(owner: Contender, on: Lockable, span: Span, isExclusive: boolean) {
    this.owner = owner;
    this.on = on;
    this.span = span;
    this.isExclusive = isExclusive;
  }

  /** Whether the two cannot be held together. */
  excludes(other: Claim): boolean {
    return (
      this.owner !== other.owner &&
      (this.isExclusive || other.isExclusive) &&
      (this.span === other.span || this.span.overlaps(other.span))
    );
  }
}

/**
 * Shared and exclusive locks on one thing, or on the keys of a table and on ranges of them. First come,
 * first served: nobody is granted what excludes one who came before and waits still, save by one for whom
 * that other waits: as when a reader wants to write, and all the others wait for it to end.
 */
export class Locks {
  readonly #on: Lockable;
  /** What is held of ranges, and of what has no keys. */
  readonly #held: Claim[] = [];
  /** What is held of single keys: there may be a million. */
  #points: Map<Key, Claim[]> | undefined;
  /** Those who wait, if any ever did. */
  #line: Claim[] = nobody;

  private constructor(on: Lockable) {
    this.#on = on;
  }

  static of(on: Lockable): Locks {
    return (on.locks ??= new Locks(on));
  }

  /** Whether the owner holds as much of it as that. */
  holds(owner: Contender, span: Span, isExclusive: boolean): boolean {
    if (owner.held.length === 0) return false;
    return this.#near(span).some(
      (claim) =>
        claim.owner === owner &&
        (claim.isExclusive || !isExclusive) &&
        (claim.span === span || claim.span.covers(span)),
    );
  }

  /** Whether it can be granted to one who comes now. */
  isFree(claim: Claim): boolean {
    return this.#isFreeAt(this.#placeFor(claim), claim);
  }

  /** Whether somebody who does not give way holds what excludes this. */
  isBarred(claim: Claim): boolean {
    return this.#near(claim.span).some((held) => held.owner.isFirm && held.excludes(claim));
  }

  /** Whether somebody waits for what the owner holds. */
  isWantedFrom(owner: Contender): boolean {
    return this.#line.some((claim) =>
      this.#near(claim.span).some((held) => held.owner === owner && held.excludes(claim)),
    );
  }

  /** Those for whom it waits. */
  blockersOf(claim: Claim): Contender[] {
    const blockers = this.#near(claim.span).filter((held) => held.excludes(claim));
    // Who wants all of it alone is kept out by all who hold it; and they keep out whoever it stands behind.
    if (claim.span !== whole || !claim.isExclusive) {
      const place = this.#line.indexOf(claim);
      const passed = this.#passedBy(claim, place);
      for (const ahead of this.#line.slice(0, place)) {
        if (ahead.excludes(claim) && !passed.has(ahead)) blockers.push(ahead);
      }
    }
    return blockers.map(({ owner }) => owner);
  }

  /** It must be free. */
  take(claim: Claim): void {
    const { owner, span } = claim;
    const { point } = span;
    const own = this.#ofOne(span);
    const before =
      point === undefined ? undefined : own.find((held) => held.owner === owner && held.span.point === point);
    if (before !== undefined) before.isExclusive ||= claim.isExclusive;
    else {
      own.push(claim);
      owner.held.push(claim);
    }
  }

  /** Gives back what was taken; `serve` is to follow. */
  giveBack(claim: Claim): void {
    const own = this.#ofOne(claim.span);
    own.splice(own.indexOf(claim), 1);
    if (own !== this.#held && own.length === 0) this.#points!.delete(claim.span.point!);
  }

  /** Waits in line, until it is taken for the claim. */
  join(claim: Claim): void {
    if (this.#line === nobody) this.#line = [];
    this.#line.splice(this.#placeFor(claim), 0, claim);
  }

  /** Waits no longer; whoever stood behind and can then go on does. */
  leaveLine(claim: Claim): void {
    this.#line.splice(this.#line.indexOf(claim), 1);
    this.serve();
  }

  /** Grants whatever can be. */
  serve(): void {
    this.#serveLine();
    const held = this.#held.length + (this.#points?.size ?? 0);
    if (held + this.#line.length === 0) this.#on.locks = undefined;
  }

  #serveLine(): void {
    for (let at = 0; at < this.#line.length;) {
      const claim = this.#line[at]!;
      if (this.#isFreeAt(at, claim)) {
        this.#line.splice(at, 1);
        this.take(claim);
        claim.settle!();
      } else if (claim.span === whole && claim.isExclusive) {
        // Who comes after one that wants all of it alone waits, too.
        return;
      } else at++;
    }
  }

  /** Whether it can be granted at that place of the line. */
  #isFreeAt(place: number, claim: Claim): boolean {
    for (const held of this.#near(claim.span)) if (held.excludes(claim)) return false;
    if (place === 0) return true;
    const passed = this.#passedBy(claim, place);
    for (let at = 0; at < place; at++) {
      const ahead = this.#line[at]!;
      if (ahead.excludes(claim) && !passed.has(ahead)) return false;
    }
    return true;
  }

  /**
   * The end of the line; or, of what has no parts, for one who shares it, its beginning, behind others
   * such.
   */
  #placeFor(claim: Claim): number {
    if (claim.span !== whole || !this.#wantsMore(claim)) return this.#line.length;
    const place = this.#line.findIndex((other) => !this.#wantsMore(other));
    return place < 0 ? this.#line.length : place;
  }

  #wantsMore({ owner }: Claim): boolean {
    return this.holds(owner, whole, false);
  }

  /**
   * Those before that place of the line who wait for what its owner has, or for others who do: they are
   * not kept waiting if it goes first, and to follow them would be to wait for itself.
   */
  #passedBy({ owner, span }: Claim, place: number): ReadonlySet<Claim> {
    // Who has a part of what has no parts wants more of it, and stands before them anyway.
    if (span === whole) return none;
    const own = owner.held.filter(({ on }) => on === this.#on);
    if (own.length === 0) return none;
    const passed = new Set<Claim>();
    for (let at = 0; at < place; at++) {
      const ahead = this.#line[at]!;
      const waitsFor = (other: Claim) => other.excludes(ahead);
      if (own.some(waitsFor) || [...passed].some(waitsFor)) passed.add(ahead);
    }
    return passed;
  }

  /** Where what is held of just that is written down. */
  #ofOne(span: Span): Claim[] {
    const { point } = span;
    if (span === whole || point === undefined) return this.#held;
    this.#points ??= new Map();
    const found = this.#points.get(point);
    if (found !== undefined) return found;
    const claims: Claim[] = [];
    this.#points.set(point, claims);
    return claims;
  }

  /** All that is held and may overlap. */
  #near({ point }: Span): readonly Claim[] {
    if (this.#points === undefined) return this.#held;
    if (point === undefined) return [...this.#held, ...[...this.#points.values()].flat()];
    const there = this.#points.get(point);
    if (there === undefined) return this.#held;
    return this.#held.length === 0 ? there : [...there, ...this.#held];
  }
}

/** Never changed. */
const nobody: Claim[] = [];
const none: ReadonlySet<Claim> = new Set();

/** The one order of all locks: by what they are on, then by where they begin, then by where they end. */
export function compareWants(a: Want, b: Want): number {
  return a.on.rank - b.on.rank || a.span.compare(b.span);
}
