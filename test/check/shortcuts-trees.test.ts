// What the shortcuts count and sort with, against the plain way.
import { SeededRandom } from "lockstep/base";
import { expect, test } from "vitest";
import { Cover } from "../../src/check/linearizability/cover.js";
import { orderBy } from "../../src/check/linearizability/order-by.js";
import { Tournament } from "../../src/check/linearizability/tournament.js";

const sizes = [1, 2, 7, 16, 17, 64, 100, 333];

test("places in the order of their keys, equal ones as they came", () => {
  for (const size of sizes) {
    const random = new SeededRandom(size);
    const keys = Float64Array.from({ length: size }, () => random.below(size));
    const places = Uint32Array.from(keys.keys()).filter(() => random.chance(0.9));
    const expected = [...places].sort((a, b) => keys[a]! - keys[b]!);
    expect([...orderBy(keys, places)], `size ${size}`).toEqual(expected);
  }
});

test("the greatest of a range", () => {
  for (const size of sizes) {
    const random = new SeededRandom(size);
    const numbers = Float64Array.from({ length: size }, () => random.next());
    const tournament = new Tournament(numbers);
    for (let round = 0; round < 200; round++) {
      const changed = random.below(size);
      numbers[changed] = random.next();
      tournament.set(changed, numbers[changed]);
      const first = random.below(size);
      const last = first + random.below(size - first);
      const greatest = Math.max(...numbers.subarray(first, last + 1));
      expect(numbers[tournament.greatest(first, last)], `size ${size}, round ${round}`).toBe(greatest);
    }
  }
});

test("the bare places of a range", () => {
  for (const size of sizes) {
    const random = new SeededRandom(size);
    const cover = new Cover(size);
    const counts = new Array<number>(size).fill(0);
    const lying: [number, number][] = [];
    const change = (first: number, last: number, ranges: number) => {
      cover.add(first, last, ranges);
      for (let place = first; place <= last; place++) counts[place]! += ranges;
    };
    for (let round = 0; round < 200; round++) {
      const first = random.below(size);
      const last = first + random.below(size - first);
      if (lying.length > 3) change(...lying.splice(random.below(lying.length), 1)[0]!, -1);
      lying.push([first, last]);
      change(first, last, 1);
      const bare = [...counts.keys()].filter((place) => counts[place] === 0 && place >= first);
      expect(cover.bare(first, size - 1), `size ${size}, round ${round}`).toEqual(bare);
      expect(cover.bare(0, last)).toEqual([...counts.keys()].filter((at) => counts[at] === 0 && at <= last));
    }
  }
});
