// LOCKSTEP_STRESS_SECONDS lets the hunt for torn reads go on for longer.
import { describe, expect, test } from "vitest";
import { ManualClock } from "lockstep/base";
import { AtomicCounter, Seqlock, type SeqlockHandle } from "lockstep/threads";
import { inThread, outcome, type Library } from "./channel-thread.js";

const stressMs = Number(process.env["LOCKSTEP_STRESS_SECONDS"] ?? 1) * 1000;
const words = 64;
const code = (expected: string) => expect.objectContaining({ code: expected }) as Error;
const first = (seqlock: Seqlock) => seqlock.read((view) => view.getInt32(0));

/** Writes one number all over it, so that any mixture of two writes shows. */
function fill(
  { Seqlock }: Library,
  { handle, ms, words }: { handle: SeqlockHandle; ms: number; words: number },
) {
  const seqlock = Seqlock.from(handle);
  let writes = 0;
  for (const until = Date.now() + ms; Date.now() < until; writes++) {
    seqlock.write((view) => {
      const next = view.getInt32(0) + 1;
      for (let word = 0; word < words; word++) view.setInt32(word * 4, next);
    });
  }
  return writes;
}

/** How many reads saw a mixture, or something older than an earlier one did. */
function hunt(
  { Seqlock }: Library,
  { handle, ms, words }: { handle: SeqlockHandle; ms: number; words: number },
) {
  const seqlock = Seqlock.from(handle);
  let wrong = 0;
  let last = 0;
  for (const until = Date.now() + ms; Date.now() < until;) {
    seqlock.read((view) => {
      const found = view.getInt32(0);
      for (let word = 1; word < words; word++) if (view.getInt32(word * 4) !== found) wrong++;
      if (found < last) wrong++;
      last = found;
    });
  }
  return wrong;
}

/** Writes 2s, and ends the thread just before the Atomics operation of that number. */
function dieAfter({ Seqlock }: Library, { handle, steps }: { handle: SeqlockHandle; steps: number }): void {
  const seqlock = Seqlock.from(handle);
  let left = steps;
  for (const name of ["load", "store", "compareExchange", "notify"] as const) {
    const operation = Atomics[name] as (...given: unknown[]) => unknown;
    const watched = (...given: unknown[]) => (left-- === 0 ? process.exit() : operation(...given));
    Object.assign(Atomics, { [name]: watched });
  }
  seqlock.write((view) => {
    view.setInt32(0, 2);
    view.setInt32(4, 2);
  });
  left = Infinity;
}

describe("Seqlock", () => {
  test("reads what was written, and begins with zeros", () => {
    const seqlock = new Seqlock({ bytes: 11 });
    expect(seqlock.bytes).toBe(11);
    expect(seqlock.read((view) => view.byteLength)).toBe(11);
    expect(first(seqlock)).toBe(0);
    const old = seqlock.write((view) => {
      const found = view.getInt32(0);
      view.setInt32(0, 7);
      view.setInt8(10, -1);
      return found;
    });
    expect([old, first(seqlock), seqlock.read((view) => view.getInt8(10))]).toEqual([0, 7, -1]);
    seqlock.write((view) => view.setInt32(4, 8));
    expect([first(seqlock), seqlock.read((view) => view.getInt32(4)), seqlock.version]).toEqual([7, 8, 2]);
  });

  test("a reader within a reader has a copy of its own", () => {
    const seqlock = new Seqlock({ bytes: 4 });
    const [outer, inner] = seqlock.read((view) => {
      seqlock.write((draft) => draft.setInt32(0, 5));
      return [view.getInt32(0), seqlock.read((other) => other.getInt32(0))];
    });
    expect([outer, inner]).toEqual([0, 5]);
  });

  test("a writer that throws, awaits or writes again within has written nothing", () => {
    const seqlock = new Seqlock({ bytes: 4 });
    const boo = new Error("boo");
    const writing = (then: () => unknown) => () =>
      seqlock.write((view) => {
        view.setInt32(0, 9);
        return then();
      });
    expect(
      writing(() => {
        throw boo;
      }),
    ).toThrow(boo);
    expect(first(seqlock)).toBe(0);
    expect(writing(() => Promise.reject(boo))).toThrow(code("misuse"));
    expect(writing(() => seqlock.write(() => 1))).toThrow(code("misuse"));
    // The same seqlock, opened twice, is written to under the very writer, again and again.
    const again = Seqlock.from(seqlock.handle);
    expect(writing(() => again.write((view) => view.setInt32(0, 1)))).toThrow(code("misuse"));
    expect(first(seqlock)).toBe(1);
    seqlock.write((view) => view.setInt32(0, 3));
    expect(first(again)).toBe(3);
  });

  test("a writer may return whatever is no promise", () => {
    const seqlock = new Seqlock({ bytes: 4 });
    expect(seqlock.write(() => ({ then: 3 }))).toEqual({ then: 3 });
    // A thenable that is no Promise has only begun to write as well.
    expect(() => seqlock.write(() => ({ then: () => undefined }))).toThrow(code("misuse"));
    expect(seqlock.version).toBe(1);
  });

  test(
    "no reader sees a mixture of two writes, and no write is lost",
    { timeout: stressMs + 20_000 },
    async () => {
      const seqlock = new Seqlock({ bytes: words * 4 });
      const errand = { handle: seqlock.handle, ms: stressMs, words };
      const writers = [inThread(fill, errand), inThread(fill, errand)];
      const readers = [inThread(hunt, errand), inThread(hunt, errand)];
      const wrong = await Promise.all(readers.map(({ done }) => done));
      const writes = await Promise.all(writers.map(({ done }) => done as Promise<number>));
      expect(wrong).toEqual([0, 0]);
      expect(first(seqlock)).toBe(writes[0]! + writes[1]!);
    },
  );

  test("a writer that dies at any step leaves a whole version, and keeps nobody waiting", async () => {
    for (let steps = 0, died = true; died; steps++) {
      const seqlock = new Seqlock({ bytes: 8 });
      seqlock.write((view) => view.setBigInt64(0, 0x1_0000_0001n));
      died = (await inThread(dieAfter, { handle: seqlock.handle, steps }).done) === "dead";
      expect([0x1_0000_0001n, 0x2_0000_0002n]).toContain(seqlock.read((view) => view.getBigInt64(0)));
      seqlock.write((view) => view.setInt32(0, 3));
      expect(first(seqlock)).toBe(3);
      expect(steps).toBeLessThan(60);
    }
  });

  test("tells of a change, by awaiting or blocking, and of none in vain", async () => {
    const clock = new ManualClock();
    const seqlock = new Seqlock({ bytes: 4, clock });
    expect(await seqlock.changed(9)).toBe(0);
    const late = expect(seqlock.changed(0, { timeoutMs: 5 })).rejects.toEqual(code("timeout"));
    const waits = seqlock.changed();
    const blocks = inThread(({ Seqlock }, handle) => {
      const seqlock = Seqlock.from(handle);
      return [seqlock.changedSync(0), seqlock.changedSync(0)];
    }, seqlock.handle);
    await clock.advance(5);
    await late;
    seqlock.write((view) => view.setInt32(0, 1));
    expect(await waits).toBe(1);
    expect(await blocks.done).toEqual([1, 1]);
    const reason = new Error("enough");
    await expect(seqlock.changed(1, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test("every change reaches one who waits for each", async () => {
    const there = new Seqlock({ bytes: 4 });
    const back = new Seqlock({ bytes: 4 });
    const { done } = inThread(
      ({ Seqlock }, handles) => {
        const there = Seqlock.from(handles.there);
        const back = Seqlock.from(handles.back);
        for (let version = 0; version < 300;) {
          version = there.changedSync(version);
          back.write((view) => view.setInt32(0, version));
        }
      },
      { there: there.handle, back: back.handle },
    );
    for (let version = 0; version < 300;) {
      there.write((view) => view.setInt32(0, version));
      version = await back.changed(version);
    }
    await done;
  });

  test("refuses nonsense", async () => {
    const nothing: unknown = Object.create(null);
    for (const bytes of [0, -1, 1.5, NaN, Infinity, "8", undefined, 2 ** 40, nothing]) {
      expect(() => new Seqlock({ bytes } as { bytes: number })).toThrow(code("bad-input"));
    }
    const seqlock = new Seqlock({ bytes: 4 });
    expect(() => seqlock.read(undefined as never)).toThrow(code("bad-input"));
    expect(() => seqlock.write(3 as never)).toThrow(code("bad-input"));
    expect(() => seqlock.changedSync()).toThrow(
      /main thread must not block: use `await seqlock.changed\(\)`/,
    );
    for (const since of [-1, 0.5, NaN, 2 ** 31, "0", nothing]) {
      await expect(seqlock.changed(since as number)).rejects.toEqual(code("bad-input"));
    }
    await expect(seqlock.changed(0, { timeoutMs: -1 })).rejects.toEqual(code("bad-input"));
    const sync = await outcome(({ Seqlock, isLockstepError }, handle) => {
      try {
        return Seqlock.from(handle).changedSync(0, { timeoutMs: 5 });
      } catch (error) {
        return isLockstepError(error) && error.code;
      }
    }, seqlock.handle);
    expect(sync).toBe("timeout");
    const from = (handle: unknown) => () => Seqlock.from(handle as SeqlockHandle);
    expect(from(new AtomicCounter().handle)).toThrow(/use AtomicCounter.from\(handle\)/);
    expect(from({ ...seqlock.handle, bytes: 4096 })).toThrow(/needs \d+ bytes/);
    expect(from({ ...seqlock.handle, bytes: undefined })).toThrow(code("bad-input"));
    expect(from({ ...seqlock.handle, version: 2 })).toThrow(/version 2/);
  });
});
