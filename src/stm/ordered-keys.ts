import { compareKeys, type Key } from "./key.js";

/** The keys from `from` on, which is included, up to `to`, which is not; without them, from or to the end. */
export interface KeyRange {
  from?: Key | undefined;
  to?: Key | undefined;
  /** From the last to the first. */
  reverse?: boolean | undefined;
}

/** Sorting an entry in moves those behind it in its chunk: so short that this is quick. */
const chunkMost = 256;
/** Neighbours that hold no more together become one: far from full, or it would soon be split again. */
const joinedMost = 128;

interface Keyed {
  readonly key: Key;
}

interface Entry<V> extends Keyed {
  value: V;
  isGone: boolean;
}

/**
 * A Map that can also be walked in the order of its keys. Beside the Map, its entries are in sorted chunks.
 * Between two chunks is a border: the keys on its left are below it, those on its right are not. It need not
 * be a key that exists, so deleting moves no border, and an empty chunk does no harm.
 */
export class OrderedMap<V> {
  readonly #entries = new Map<Key, Entry<V>>();
  readonly #chunks: Entry<V>[][] = [[]];
  /** One less than there are chunks: chunk i is on the left of border i. */
  readonly #borders: Keyed[] = [];

  get size(): number {
    return this.#entries.size;
  }

  get(key: Key): V | undefined {
    return this.#entries.get(key)?.value;
  }

  set(key: Key, value: V): void {
    const found = this.#entries.get(key);
    if (found) {
      found.value = value;
      return;
    }
    const entry = { key: key === 0 ? 0 : key, value, isGone: false }; // -0 becomes 0, as it does in the Map
    this.#entries.set(key, entry);
    this.#insert(entry);
  }

  delete(key: Key): boolean {
    const entry = this.#entries.get(key);
    if (!entry) return false;
    entry.isGone = true;
    this.#entries.delete(key);
    const at = countUpTo(this.#borders, key);
    const chunk = this.#chunks[at]!;
    chunk.splice(countBelow(chunk, key), 1);
    this.#join(at);
    this.#join(at - 1);
    return true;
  }

  /**
   * The entries of the range, in order. The map may change meanwhile: no key is told twice; what was there
   * from the beginning and stays is told, with its value of that moment; what is gone is not. What is added
   * ahead, or deleted and added again, may or may not be told.
   *
   * For that, a chunk is copied before it is told, and what is gone when its turn comes is left out. The next
   * chunk is whichever is beyond the border by then: chunks may have been split and joined, but no key beyond
   * the border has been told, and all others have had their turn.
   */
  *range({ from, to, reverse = false }: KeyRange = {}): Generator<[Key, V], void, undefined> {
    for (;;) {
      const at = this.#chunkAt(reverse, reverse ? to : from);
      const chunk = this.#chunks[at]!;
      const border = this.#borders[reverse ? at - 1 : at];
      const entries = chunk.slice(
        from === undefined ? 0 : countBelow(chunk, from),
        to === undefined ? chunk.length : countBelow(chunk, to),
      );
      if (reverse) entries.reverse();
      for (const { key, value, isGone } of entries) if (!isGone) yield [key, value];
      if (!border) return;
      if (reverse) to = border.key;
      else from = border.key;
      if (from !== undefined && to !== undefined && compareKeys(from, to) >= 0) return;
    }
  }

  /** Where a walk begins: at the chunk that `edge` is in, or, backwards, at that of what is just below it. */
  #chunkAt(reverse: boolean, edge: Key | undefined): number {
    if (edge === undefined) return reverse ? this.#borders.length : 0;
    return reverse ? countBelow(this.#borders, edge) : countUpTo(this.#borders, edge);
  }

  #insert(entry: Entry<V>): void {
    const at = countUpTo(this.#borders, entry.key);
    const chunk = this.#chunks[at]!;
    const place = countBelow(chunk, entry.key);
    if (chunk.length < chunkMost) {
      if (place === chunk.length) chunk.push(entry);
      else chunk.splice(place, 0, entry);
      return;
    }
    // What comes in order leaves full chunks behind it, not halves.
    const isLast = at === this.#borders.length && place === chunk.length;
    const right = isLast ? [] : chunk.splice(chunkMost / 2);
    this.#borders.splice(at, 0, { key: (right[0] ?? entry).key });
    this.#chunks.splice(at + 1, 0, right);
    this.#insert(entry);
  }

  /** So two neighbours always hold more than `joinedMost` entries, and the chunks are few. */
  #join(at: number): void {
    const left = this.#chunks[at];
    const right = this.#chunks[at + 1];
    if (!left || !right || left.length + right.length > joinedMost) return;
    left.push(...right);
    this.#chunks.splice(at + 1, 1);
    this.#borders.splice(at, 1);
  }
}

/** How many of the sorted come before `key`. */
function countBelow(sorted: readonly Keyed[], key: Key): number {
  return count(sorted, key, 0);
}

/** How many of the sorted come before `key` or have it. */
function countUpTo(sorted: readonly Keyed[], key: Key): number {
  return count(sorted, key, 1);
}

function count(sorted: readonly Keyed[], key: Key, limit: 0 | 1): number {
  let low = 0;
  let high = sorted.length;
  // Keys often come in order, and then all of them do.
  if (high > 0 && compareKeys(sorted[high - 1]!.key, key) < limit) return high;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(sorted[middle]!.key, key) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
