import { compareKeys, type Key } from "./key.js";

/** A part of all keys, from one on and up to another, which is in it only if that is said. */
export class Span {
  readonly from: Key | undefined;
  readonly to: Key | undefined;
  readonly isToIncluded: boolean;

  constructor(from: Key | undefined, to: Key | undefined, isToIncluded = false) {
    this.from = from;
    this.to = to;
    this.isToIncluded = isToIncluded;
  }

  static of(key: Key): Span {
    return new Span(key, key, true);
  }

  /** The one key that it is, if it is one. */
  get point(): Key | undefined {
    return this.isToIncluded && this.from === this.to ? this.from : undefined;
  }

  contains(key: Key): boolean {
    return !this.#endsBefore(key) && !(this.from !== undefined && compareKeys(key, this.from) < 0);
  }

  overlaps(other: Span): boolean {
    const endsTooSoon = other.from !== undefined && this.#endsBefore(other.from);
    return !endsTooSoon && !(this.from !== undefined && other.#endsBefore(this.from));
  }

  covers(other: Span): boolean {
    const beginsInTime = this.from === undefined || (other.from !== undefined && this.contains(other.from));
    if (!beginsInTime) return false;
    if (this.to === undefined) return true;
    if (other.to === undefined) return false;
    const order = compareKeys(other.to, this.to);
    return order < 0 || (order === 0 && (this.isToIncluded || !other.isToIncluded));
  }

  /** Below zero if this one begins first; of those that begin together, if it ends first. */
  compare(other: Span): number {
    if (this.from === undefined || other.from === undefined) {
      if (this.from !== other.from) return this.from === undefined ? -1 : 1;
    } else if (this.from !== other.from) return compareKeys(this.from, other.from);
    if (this.to === undefined || other.to === undefined) {
      return Number(this.to === undefined) - Number(other.to === undefined);
    }
    return compareKeys(this.to, other.to) || Number(this.isToIncluded) - Number(other.isToIncluded);
  }

  #endsBefore(key: Key): boolean {
    if (this.to === undefined) return false;
    const order = compareKeys(key, this.to);
    return order > 0 || (order === 0 && !this.isToIncluded);
  }
}

/** All keys there are. */
export const everything = new Span(undefined, undefined);
/** All of a thing that has no keys. */
export const whole = Span.of(0);
