import { describe, expect, test } from "vitest";
import {
  AtomicCounter,
  Barrier,
  Channel,
  Condition,
  Latch,
  Mutex,
  RwLock,
  Semaphore,
  Seqlock,
  SharedCell,
  SharedStruct,
} from "lockstep/threads";

const badInput = expect.objectContaining({ code: "bad-input" }) as Error;
const mutex = new Mutex();

interface Kind {
  /** Makes one with these options. */
  make(options: object): { readonly handle: { readonly memory: SharedArrayBuffer } };
  open(handle: never, options: object): unknown;
  /** What there must be in the options. */
  needs?: object;
}

const kinds: Record<string, Kind> = {
  AtomicCounter: {
    make: (options) => new AtomicCounter(options),
    open: (handle) => AtomicCounter.from(handle),
  },
  Barrier: {
    make: (options) => new Barrier(2, options),
    open: (handle, options) => Barrier.from(handle, options),
  },
  Channel: {
    make: (options) => new Channel(options as { bytes: number }),
    open: (handle, options) => Channel.from(handle, options),
    needs: { bytes: 64 },
  },
  Condition: {
    make: (options) => new Condition(mutex, options),
    open: (handle, options) => Condition.from(handle, mutex, options),
  },
  Latch: {
    make: (options) => new Latch(2, options),
    open: (handle, options) => Latch.from(handle, options),
  },
  Mutex: {
    make: (options) => new Mutex(options),
    open: (handle, options) => Mutex.from(handle, options),
  },
  RwLock: {
    make: (options) => new RwLock(options),
    open: (handle, options) => RwLock.from(handle, options),
  },
  Semaphore: {
    make: (options) => new Semaphore(2, options),
    open: (handle, options) => Semaphore.from(handle, options),
  },
  Seqlock: {
    make: (options) => new Seqlock(options as { bytes: number }),
    open: (handle, options) => Seqlock.from(handle, options),
    needs: { bytes: 8 },
  },
  SharedCell: {
    make: (options) => new SharedCell(options as { maxBytes: number }),
    open: (handle, options) => SharedCell.from(handle, options),
    needs: { maxBytes: 8 },
  },
  SharedStruct: {
    make: (options) => SharedStruct.of({ x: "f64" }, options),
    open: (handle, options) => SharedStruct.from(handle, options),
  },
};

describe.each(Object.entries(kinds))("%s", (_name, { make, open, needs = {} }) => {
  test("refuses options that are none", () => {
    for (const bad of [null, 5, "x", { ...needs, nonsense: 1 }]) {
      expect(() => make(bad as object)).toThrow(badInput);
    }
  });

  test("opens by its handle, and not by one whose memory cannot be its own", () => {
    const { handle } = make(needs);
    expect(open(handle as never, {})).toMatchObject({ handle });
    for (const size of [0, 1, handle.memory.byteLength - 4, handle.memory.byteLength + 1]) {
      const memory = new SharedArrayBuffer(size);
      expect(() => open({ ...handle, memory } as never, {})).toThrow(badInput);
    }
    for (const threads of [undefined, null, new SharedArrayBuffer(9), new ArrayBuffer(8)]) {
      expect(() => open({ ...handle, threads } as never, {})).toThrow(badInput);
    }
  });
});
