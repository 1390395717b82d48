import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { AtomicCounter, SharedCell, type SharedCellHandle } from "lockstep/threads";
import { inThread } from "./channel-thread.js";

const code = (expected: string) => expect.objectContaining({ code: expected }) as Error;

describe("SharedCell", () => {
  test("holds whatever JSON can say, and nothing to begin with", () => {
    const cell = new SharedCell<unknown>({ maxBytes: 4000 });
    const again = SharedCell.from(cell.handle);
    expect(again.get()).toBeUndefined();
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 2 }), (value) => {
        const plain: unknown = JSON.parse(JSON.stringify(value));
        cell.set(value);
        expect(again.get()).toEqual(plain);
      }),
    );
  });

  test("a key called then makes no promise of it", () => {
    const cell = new SharedCell<object>({ maxBytes: 100 });
    cell.set({ if: 1, then: 2 });
    expect(cell.update((value) => ({ ...value, else: 3 }))).toEqual({ if: 1, then: 2, else: 3 });
    expect(cell.get()).toEqual({ if: 1, then: 2, else: 3 });
  });

  test("gives each reader a value of its own", () => {
    const cell = new SharedCell<{ list: number[] }>({ maxBytes: 100 });
    cell.set({ list: [1] });
    cell.get()?.list.push(2);
    expect(cell.get()).toEqual({ list: [1] });
  });

  test("is updated in one step, by whichever thread", async () => {
    const cell = new SharedCell<{ counts: number[] }>({ maxBytes: 1000 });
    expect(cell.update((value) => value ?? { counts: [0, 0, 0] })).toEqual({ counts: [0, 0, 0] });
    const crew = [0, 1, 2].map((self) =>
      inThread(
        ({ SharedCell }, { handle, self }) => {
          const cell = SharedCell.from(handle);
          for (let each = 0; each < 1000; each++) {
            cell.update((value) => ({
              counts: value!.counts.map((count, index) => (index === self ? count + 1 : count)),
            }));
          }
        },
        { handle: cell.handle, self },
      ),
    );
    await Promise.all(crew.map(({ done }) => done));
    expect(cell.get()).toEqual({ counts: [1000, 1000, 1000] });
  });

  test("tells of a change", async () => {
    const cell = new SharedCell<string>({ maxBytes: 100 });
    const { done } = inThread(({ SharedCell }, handle) => {
      const cell = SharedCell.from(handle);
      cell.changedSync(0);
      return cell.get();
    }, cell.handle);
    const waits = cell.changed();
    cell.set("now");
    expect(await waits).toBe(1);
    expect(await done).toBe("now");
  });

  test("refuses what is no JSON, or too much of it, and changes nothing", () => {
    const cell = new SharedCell<unknown>({ maxBytes: 10 });
    cell.set(12345678);
    const circle: unknown[] = [];
    circle.push(circle);
    for (const bad of [undefined, () => 1, Symbol("x"), 1n, { deep: 1n }, circle])
      expect(() => cell.set(bad)).toThrow(code("bad-input"));
    expect(() => cell.set("123456789")).toThrow(/more than the 10 bytes/);
    expect(() => cell.set("🎈🎈🎈")).toThrow(code("bad-input"));
    expect(() => cell.update(async () => 1)).toThrow(code("misuse"));
    expect(() => cell.update(5 as never)).toThrow(code("bad-input"));
    expect([cell.get(), cell.version]).toEqual([12345678, 1]);
    cell.set("12345678");
    expect(cell.get()).toBe("12345678");
  });

  test("refuses nonsense, and handles that are not its own", () => {
    for (const maxBytes of [0, -1, 1.5, NaN, "8", undefined]) {
      expect(() => new SharedCell({ maxBytes } as { maxBytes: number })).toThrow(code("bad-input"));
    }
    const { handle } = new SharedCell<number>({ maxBytes: 8 });
    const from = (given: unknown) => () => SharedCell.from(given as SharedCellHandle<number>);
    expect(from(new AtomicCounter().handle)).toThrow(/use AtomicCounter.from\(handle\)/);
    expect(from({ ...handle, version: 9 })).toThrow(/version 9/);
    expect(from({ ...handle, maxBytes: 5000 })).toThrow(/needs \d+ bytes/);
    expect(from({ ...handle, maxBytes: undefined })).toThrow(code("bad-input"));
  });
});
