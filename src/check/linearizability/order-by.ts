/** Short runs are put in order one by one, which is faster than to merge them. */
const runLength = 16;

/**
 * The given places in the order of their keys. A merge sort, as a typed array's own calls back for each
 * comparison; and moments in a history mostly are in order already, which costs it next to nothing.
 */
export function orderBy(keys: Float64Array, places: Uint32Array): Uint32Array {
  const count = places.length;
  let from = places.slice();
  for (let start = 0; start < count; start += runLength) {
    insert(keys, from, start, Math.min(start + runLength, count));
  }
  let to = new Uint32Array(count);
  for (let length = runLength; length < count; length *= 2) {
    for (let start = 0; start < count; start += 2 * length) {
      merge(keys, from, to, start, Math.min(start + length, count), Math.min(start + 2 * length, count));
    }
    [from, to] = [to, from];
  }
  return from;
}

function insert(keys: Float64Array, places: Uint32Array, start: number, end: number): void {
  for (let next = start + 1; next < end; next++) {
    const place = places[next]!;
    let at = next;
    for (; at > start && keys[places[at - 1]!]! > keys[place]!; at--) places[at] = places[at - 1]!;
    places[at] = place;
  }
}

function merge(
  keys: Float64Array,
  from: Uint32Array,
  to: Uint32Array,
  start: number,
  middle: number,
  end: number,
): void {
  if (middle >= end || keys[from[middle - 1]!]! <= keys[from[middle]!]!) {
    to.set(from.subarray(start, end), start);
    return;
  }
  let left = start;
  let right = middle;
  for (let at = start; at < end; at++) {
    const takesLeft = left < middle && (right >= end || keys[from[left]!]! <= keys[from[right]!]!);
    to[at] = from[takesLeft ? left++ : right++]!;
  }
}
