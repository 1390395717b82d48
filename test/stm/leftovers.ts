import { expect } from "vitest";
import type { Ref, Space } from "lockstep/stm";
import type { AnyTable } from "../../src/stm/rows-read.js";

/** So many turns of the event loop, or until it is so. */
export async function turns(most: number, isEnough?: () => boolean): Promise<void> {
  for (let left = most; left > 0 && isEnough?.() !== true; left--) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}

/** No lock, no sleeper, no version and no attempt is left of all that was done. */
export function expectNothingLeft(
  space: Space,
  refs: readonly Ref<never>[],
  tables: readonly AnyTable[] = [],
): void {
  const lockable = [...refs, ...tables, ...tables.flatMap(({ indexes }) => indexes)];
  expect(lockable.filter(({ locks }) => locks !== undefined).map(({ what }) => what)).toEqual([]);
  const telling = [...refs, ...tables.map(({ rows }) => rows)].map(({ wakeups }) => wakeups);
  expect(telling.filter((wakeups) => wakeups?.isEmpty === false)).toEqual([]);
  expect(space.underWay.size).toBe(0);
  expect(space.versions.kept).toBe(0);
}
