import { describeBy, type Operation } from "../history.js";
import type { PartVerdict } from "../model.js";
import type { Anomaly } from "../verdict.js";
import { Cover } from "./cover.js";
import { judgeStays } from "./judge-stays.js";
import { missedValue } from "./missed-value.js";
import type { Stays } from "./stays.js";
import { Tournament } from "./tournament.js";

/**
 * Judges a stack onto which no value is pushed twice, in the time that it takes to sort; other histories it
 * leaves to the search.
 */
export function stackShortcut(part: readonly Operation[]): PartVerdict | undefined {
  return judgeStays(part, {
    put: "push",
    take: "pop",
    anomalyOf: (stays) => nothingAtTheBottom(stays) ?? missedValue(stays),
  });
}

/**
 * Values with the stack never empty, of which none can have been at the bottom.
 *
 * A value that was not there for sure (`takenFrom <= putBy`) may have come and gone in a moment, which
 * disturbs nobody: leave it out. The others fall into heaps, between which there are moments at which
 * nothing was there for sure. The stack can have been empty at all such moments (see `missedValue`), so each
 * heap can be judged alone, as if it came at `begun`, its first `putBy`, or later, and was gone by `over`,
 * its last `takenFrom`.
 *
 * Between the two the stack was never empty, so one and the same value was at the bottom all the time: a
 * value with `putFrom <= begun` and `takenBy >= over`. If none is such, there is no order. If some are, then
 * each of them may be the one: wherever it is in an order, it may as well come before all others of the heap
 * and leave after them. There it disturbs nobody: leave it out, see into which heaps the others fall, and
 * judge these the same way.
 *
 * Values are known here by their places in the order of `putBy`, so that a heap is a range of places, and
 * falls apart before the places over which no stay lies that began at an earlier one. A heap that is a part
 * of another begins no earlier and ends no later: a value that came early enough for the one, did for the
 * other.
 */
function nothingAtTheBottom(stays: Stays): Anomaly | undefined {
  const sure = stays.sure();
  if (sure.length === 0) return undefined;
  const begun = Float64Array.from(sure, (value) => stays.putBy[value]!);
  const over = new Tournament(Float64Array.from(sure, (value) => stays.takenFrom[value]!));
  const lasts = lastPlaces(begun, over);
  const cover = coverOf(lasts);
  // The earliest to come is the greatest here; those that are known to come early enough are -Infinity.
  const early = new Tournament(Float64Array.from(sure, (value) => -stays.putFrom[value]!));
  // How late those leave that are known to come early enough; the others are -Infinity.
  const late = new Tournament(new Float64Array(sure.length).fill(-Infinity));

  const heaps = rangesFrom(cover, 0, sure.length - 1);
  for (let heap = heaps.pop(); heap !== undefined; heap = heaps.pop()) {
    const [first, last] = heap;
    for (;;) {
      const place = early.greatest(first, last);
      if (-early.at(place) > begun[first]!) break;
      early.set(place, -Infinity);
      late.set(place, stays.takenBy[sure[place]!]!);
    }
    const bottom = late.greatest(first, last);
    const top = over.greatest(first, last);
    if (late.at(bottom) < over.at(top)) {
      const heaped = sure.subarray(first, last + 1).filter((_, index) => over.at(first + index) > -Infinity);
      return buried(stays, heaped, sure[first]!, sure[top]!);
    }
    over.set(bottom, -Infinity);
    late.set(bottom, -Infinity);
    cover.add(bottom, bottom, gone);
    cover.add(bottom + 1, lasts[bottom]!, -1);
    for (const part of rangesFrom(cover, first, last)) heaps.push(part);
  }
  return undefined;
}

/** More than all ranges that ever lie over a place. */
const gone = 2 ** 30;

/** By the place of a stay, the last place of one that began before it was over. */
function lastPlaces(begun: Float64Array, over: Tournament): Uint32Array {
  return Uint32Array.from(begun.keys(), (place) => {
    let low = place;
    let high = begun.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (begun[middle]! < over.at(place)) low = middle;
      else high = middle - 1;
    }
    return low;
  });
}

/** Each stay lies over the places after its own, as long as it lasts. */
function coverOf(lasts: Uint32Array): Cover {
  const cover = new Cover(lasts.length);
  for (let place = 0; place < lasts.length; place++) cover.add(place + 1, lasts[place]!, 1);
  return cover;
}

/** The heaps in a range of places: one from each bare place up to the next. */
function rangesFrom(cover: Cover, first: number, last: number): [number, number][] {
  const bare = cover.bare(first, last);
  return bare.map((place, index) => [place, (bare[index + 1] ?? last + 1) - 1]);
}

/** Tells of some of the values in the heap, from the one that came first to the one that left last. */
function buried(stays: Stays, heap: Uint32Array, first: number, last: number): Anomaly {
  const { puts, takes, putBy, takenFrom } = stays;
  const chain = stays.lengthen([first], takenFrom[first]!, putBy[last]!, heap);
  chain.push(last);
  const operations = stays.operations(chain);
  if (chain.length === 2) {
    const [above, pop] = [takes[last], takes[first]!];
    const explanation =
      `${describeBy(puts[first]!)} was over before ${describeBy(puts[last]!)} began, ` +
      `which therefore lay above it; ` +
      (above === undefined
        ? `but ${describeBy(pop)}, and nobody ever took off what lay above.`
        : `but ${describeBy(pop)} was over before ${describeBy(above)} began.`);
    return { name: "out of order", explanation, operations };
  }
  const names = chain.map((value) => describeBy(puts[value]!));
  const explanation =
    `What came with ${names.join(", ")} was on the stack without a gap, ` +
    `so one of these must have been at the bottom all the time. ` +
    `But each came after another was there, or left while another was there still.`;
  return { name: "out of order", explanation, operations };
}
