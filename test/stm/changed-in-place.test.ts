import type { LockingTransaction } from "lockstep/stm";
import { afterEach, describe, expect, test, vi } from "vitest";

const controls = ["optimistic", "pessimistic", "adaptive"] as const;

interface Row {
  n: number;
  list: number[];
  inner: { n: number };
}

describe("a row that is changed in place", () => {
  const changes: ((row: Row & { more?: number }) => unknown)[] = [
    (row) => (row.n = 2),
    (row) => (row.inner.n = 2),
    (row) => (row.more = 2),
    (row) => delete (row as Partial<Row>).n,
    (row) => row.list.push(2),
    (row) => row.list.pop(),
    (row) => row.list.shift(),
    (row) => row.list.unshift(2),
    (row) => row.list.splice(0, 1),
    (row) => row.list.sort(),
    (row) => row.list.reverse(),
    (row) => (row.list.length = 0),
    (row) => Object.assign(row, { n: 2 }),
    (row) => Object.setPrototypeOf(row, null) as unknown,
  ];

  afterEach(() => {
    vi.unstubAllEnvs();
    vi.resetModules();
  });

  describe.each(["test", "production"])("with NODE_ENV %s", (mode) => {
    test.each(changes)("says what to do instead: %s", async (change) => {
      vi.stubEnv("NODE_ENV", mode);
      vi.resetModules();
      const stm = await import("lockstep/stm");
      const space = new stm.Space();
      const rows = space.table<number, Row, "n">({ indexes: { n: ({ n }) => n } });
      const row = { n: 1, list: [3, 1], inner: { n: 1 } };
      await space.atomically((tx) => tx.put(rows, 1, row));
      const inPlace = (found: unknown) => change(found as Row);
      for (const control of controls) {
        const block = async (tx: LockingTransaction) => {
          await tx.put(rows, 2, { ...row, n: 2 });
          inPlace(await tx.get(rows, 1));
        };
        const refused = space.atomically(block, { control });
        await expect(refused).rejects.toThrow("put a changed copy: tx.put(table, key, { ...row");
        await expect(refused).rejects.toMatchObject({
          code: "misuse",
          cause: expect.any(TypeError) as unknown,
        });
      }
      const sync = () =>
        space.atomicallySync((tx) => {
          tx.delete(rows, 1);
          inPlace(row);
        });
      expect(sync).toThrow("put a changed copy");
      expect(() => inPlace(row)).toThrow(TypeError);
      const state = space.atomicallySync((tx) => tx.range(rows));
      expect(state).toEqual([[1, { n: 1, list: [3, 1], inner: { n: 1 } }]]);
    });
  });
});
