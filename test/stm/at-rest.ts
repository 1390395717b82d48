// What a space must look like when nobody is at work in it.
import type { Ref, Space } from "lockstep/stm";
import { expect } from "vitest";
import type { AnyTable } from "../../src/stm/rows-read.js";
import type { Wakeups } from "../../src/stm/wakeups.js";

/** Nobody is under way, locks, sleeps or keeps the past: neither in the space nor in what is named. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- of anything: values go in and out of a ref.
export function expectAtRest(space: Space, ...things: (Ref<any> | AnyTable)[]): void {
  expect(space.underWay.size, "blocks under way").toBe(0);
  expect(pastIsKept(space), "somebody still looks at the past").toBe(false);
  for (const thing of things) {
    expect(thing.locks, `locks of ${thing.what}`).toBeUndefined();
    expectNobodySleeps(thing.what, "rows" in thing ? thing.rows.wakeups : thing.wakeups);
    if (!("rows" in thing)) continue;
    for (const index of thing.indexes) expect(index.locks, `locks of ${index.what}`).toBeUndefined();
    for (const [, row] of thing.rows.byKey.range({})) {
      expectNobodySleeps(row.what, row.wakeups);
      expect(row.older, `the past of ${row.what}`).toBeUndefined();
    }
  }
}

function expectNobodySleeps(what: string, wakeups: Wakeups | undefined): void {
  expect(wakeups?.isEmpty ?? true, `nobody sleeps on ${what}`).toBe(true);
}

/** Whoever is pinned to a moment has what is overwritten kept. */
function pastIsKept(space: Space): boolean {
  const probe = space.ref(0);
  space.atomicallySync((tx) => tx.set(probe, 1));
  return space.versions.kept > 0;
}
