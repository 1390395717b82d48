import type { Contender } from "./contender.js";
import { compareKeys, type Key } from "./key.js";
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
  /** Settles the wait, for one that has to wait. */
  settle: ((outcome: undefined | Promise<never>) => void) | undefined;

  constructor(owner: Contender, { on, span, isExclusive }: Want) {
    this.owner = owner;
    this.on = on;
    this.span = span;
    this.isExclusive = isExclusive;
  }

  /** Whether the two cannot be held together. */
  excludes(other: Want & { readonly owner: Contender }): boolean {
    return (
      this.owner !== other.owner && (this.isExclusive || other.isExclusive) && this.span.overlaps(other.span)
    );
  }
}

/**
 * Shared and exclusive locks on one thing, or on the keys of a table and on ranges of them. First come,
 * first served: nobody is granted what excludes one who came before and waits still; save that who holds
 * a part of it already goes ahead, for all who came before wait for just that.
 */
export class Locks {
  readonly #on: Lockable;
  /** By key, so that a million rows can be locked. */
  readonly #points = new Map<Key, Claim[]>();
  readonly #ranges: Claim[] = [];
  readonly #waiting: Claim[] = [];

  private constructor(on: Lockable) {
    this.#on = on;
  }

  static of(on: Lockable): Locks {
    return (on.locks ??= new Locks(on));
  }

  get waiting(): readonly Claim[] {
    return this.#waiting;
  }

  /** Whether the owner holds as much of it as is wanted. */
  holds(owner: Contender, { span, isExclusive }: Want): boolean {
    const isEnough = (claim: Claim) => claim.owner === owner && (claim.isExclusive || !isExclusive);
    const { point } = span;
    if (point !== undefined && this.#points.get(point)?.some(isEnough) === true) return true;
    return this.#ranges.some((claim) => isEnough(claim) && claim.span.covers(span));
  }

  /** Those who keep it from being granted now. Whom they wait for themselves may be left out. */
  *blockersOf(claim: Claim): Generator<Contender> {
    for (const held of this.#heldNear(claim.span)) if (held.excludes(claim)) yield held.owner;
    if (this.#goesAhead(claim)) return;
    const place = this.#waiting.indexOf(claim);
    for (let at = (place < 0 ? this.#waiting.length : place) - 1; at >= 0; at--) {
      const ahead = this.#waiting[at]!;
      if (!ahead.excludes(claim)) continue;
      yield ahead.owner;
      // One that wants the same alone waits for everybody before it.
      if (ahead.isExclusive && ahead.span.covers(claim.span)) return;
    }
  }

  isFree(claim: Claim): boolean {
    return this.blockersOf(claim).next().done === true;
  }

  /** Whether somebody who does not give way holds what excludes this. */
  isBarred(claim: Claim): boolean {
    for (const held of this.#heldNear(claim.span)) {
      if (held.excludes(claim) && held.owner.isFirm) return true;
    }
    return false;
  }

  /** It must be free. */
  take(claim: Claim): void {
    const { point } = claim.span;
    const held = point === undefined ? this.#ranges : (this.#points.get(point) ?? []);
    const own = point === undefined ? undefined : held.find((other) => other.owner === claim.owner);
    if (own !== undefined) {
      own.isExclusive ||= claim.isExclusive;
      return;
    }
    held.push(claim);
    if (point !== undefined && held.length === 1) this.#points.set(point, held);
    claim.owner.held.push(claim);
  }

  /** Waits in line, until it is taken for the claim. */
  join(claim: Claim): void {
    const place = this.#goesAhead(claim) ? this.#waiting.findIndex((other) => !this.#goesAhead(other)) : -1;
    if (place < 0) this.#waiting.push(claim);
    else this.#waiting.splice(place, 0, claim);
  }

  /** Gives back what was taken, or leaves the line; whoever can then go on does. */
  leave(claim: Claim): void {
    this.#remove(claim);
    this.#serve();
    if (this.#points.size + this.#ranges.length + this.#waiting.length === 0) this.#on.locks = undefined;
  }

  #remove(claim: Claim): void {
    const { point } = claim.span;
    const place = this.#waiting.indexOf(claim);
    if (place >= 0) this.#waiting.splice(place, 1);
    else if (point === undefined) this.#ranges.splice(this.#ranges.indexOf(claim), 1);
    else {
      const held = this.#points.get(point)!;
      if (held.length === 1) this.#points.delete(point);
      else
        held.splice(
          held.findIndex((other) => other.owner === claim.owner),
          1,
        );
    }
  }

  #serve(): void {
    for (let at = 0; at < this.#waiting.length;) {
      const claim = this.#waiting[at]!;
      if (this.isFree(claim)) {
        this.#waiting.splice(at, 1);
        this.take(claim);
        claim.settle?.(undefined);
      } else if (claim.span === whole && claim.isExclusive) {
        // Who waits behind one that wants it all waits, too.
        return;
      } else at++;
    }
  }

  /** Whether its owner holds a part of it. */
  #goesAhead({ owner, span }: Claim): boolean {
    for (const held of this.#heldNear(span))
      if (held.owner === owner && held.span.overlaps(span)) return true;
    return false;
  }

  /** All that is held and may overlap. */
  *#heldNear(span: Span): Generator<Claim> {
    const { point } = span;
    if (point !== undefined) yield* this.#points.get(point) ?? [];
    else for (const claims of this.#points.values()) yield* claims;
    yield* this.#ranges;
  }
}

/** The one order of all locks. */
export function compareWants(a: Want, b: Want): number {
  if (a.on.rank !== b.on.rank) return a.on.rank - b.on.rank;
  if (a.span.from === undefined || b.span.from === undefined) {
    return Number(a.span.from !== undefined) - Number(b.span.from !== undefined);
  }
  return compareKeys(a.span.from, b.span.from);
}
