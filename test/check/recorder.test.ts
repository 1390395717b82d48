import { LockstepError, ManualClock } from "lockstep/base";
import {
  check,
  mergeHistories,
  readHistory,
  recorder,
  register,
  type History,
  type Recorder,
  type RecorderOptions,
} from "lockstep/check";
import { describe as group, expect, test } from "vitest";
import { describe } from "../../src/check/history.js";

const seen = (history: History) => history.operations.map(describe);

test("a call is written down with its answer and its moments", async () => {
  const clock = new ManualClock();
  const h = recorder({ clock });
  const answer = await h.client("a").call("write", "x", 1, async () => {
    await clock.advance(5);
    return "done";
  });
  expect(answer).toBe("done");
  expect(h.history.operations).toEqual([
    {
      client: "a",
      name: "write",
      args: ["x", 1],
      result: "done",
      outcome: "ok",
      invoked: 0,
      returned: 1,
    },
  ]);
  expect([...Array.from(h.history.times!)].map((ms) => ms - h.history.times![0]!)).toEqual([0, 5]);
});

test("what answers at once is a call as well", async () => {
  const h = recorder();
  expect(await h.client(1).call("read", () => 7)).toBe(7);
  await expect(
    h.client(1).call("write", () => {
      throw new RangeError("no");
    }),
  ).rejects.toThrow("no");
  expect(seen(h.history)).toEqual(["read() → 7", "write() → ?"]);
});

test("calls that overlap stand in the order in which they began and ended", async () => {
  const h = recorder();
  let answerFirst = (): void => undefined;
  const first = h.client("a").call("first", () => new Promise<void>((resolve) => (answerFirst = resolve)));
  await h.client("a").call("second", async () => undefined);
  answerFirst();
  await first;
  expect(h.history.operations.map(({ invoked, returned }) => [invoked, returned])).toEqual([
    [0, 3],
    [1, 2],
  ]);
});

test("of one client, too: its own order is then only what was over before", async () => {
  const overlapping = (isOverFirst: boolean) => {
    const lines: string[] = [];
    const record = recorder({ write: (line) => lines.push(line) });
    const write = record.client("a").invoke("write", 1);
    if (isOverFirst) write.ok();
    record.client("a").invoke("read").ok(null);
    write.ok();
    return { history: record.history, lines };
  };
  for (const level of ["sequential", "causal", "read-your-writes"] as const) {
    for (const [isOverFirst, is] of [
      [false, "valid"],
      [true, "violation"],
    ] as const) {
      const { history, lines } = overlapping(isOverFirst);
      expect(check(history).keeps(level, register()).is).toBe(is);
      expect(check(await readHistory(lines)).keeps(level, register()).is).toBe(is);
    }
  }
});

test("whoever calls it himself says how it ended, and his first word counts", () => {
  const h = recorder();
  const a = h.client("a");
  // Each on its own, as a promise would call it.
  const { ok, fail, unknown } = a.invoke("write", 1);
  ok("yes");
  fail();
  unknown();
  ok("no");
  a.invoke("write", 2).fail();
  a.invoke("write", 3).unknown();
  a.invoke("write", 4);
  expect(seen(h.history)).toEqual(['write(1) → "yes"', "write(2) failed", "write(3) → ?", "write(4) → ?"]);
});

test("a history does not change when more happens", () => {
  const h = recorder();
  const open = h.client("a").invoke("write", 1);
  const before = h.history;
  const copy = structuredClone(before);
  open.ok();
  h.client("a").invoke("read").ok(1);
  expect(before).toEqual(copy);
  expect(before.operations[0]!.outcome).toBe("unknown");
  expect(h.history.operations[0]!.outcome).toBe("ok");
});

test("what the caller does with his values afterwards is not what he asked for", () => {
  const h = recorder();
  const list = [1];
  const answer = { list };
  h.client("a").invoke("append", list).ok(answer);
  list.push(2);
  expect(seen(h.history)).toEqual(['append([1]) → {"list":[1]}']);
  // What cannot be copied is kept as it is.
  const run = () => 1;
  h.client("a").invoke("append", { run });
  expect(h.history.operations[1]!.args).toEqual([{ run }]);
});

test("a copy says what the value said, or there is none", () => {
  class Secret {
    readonly #value = 1;
    readonly told = [this.#value];
    toJSON() {
      return `${this.#value}`;
    }
  }
  const values = [new Secret(), new URL("http://a/"), new Date(1), /a/, new Map([["a", new Set([1])]])];
  const h = recorder();
  h.client("a").invoke("write", ...values);
  const { args } = h.history.operations[0]!;
  expect(args).toEqual(values);
  expect(args.map((arg, place) => arg === values[place])).toEqual([true, true, false, true, false]);
});

test("clients that were one number after rounding would be one client", () => {
  for (const client of [2 ** 53, -(2 ** 62), NaN, Infinity]) {
    expect(() => recorder().client(client)).toThrow(
      "a client is a string or a number, and none that is rounded",
    );
  }
});

group("what a call that threw did", () => {
  async function outcomeAfter(error: unknown, options?: RecorderOptions): Promise<string> {
    const h = recorder(options);
    await expect(h.client("a").call("write", () => Promise.reject(error as Error))).rejects.toBe(error);
    return h.history.operations[0]!.outcome;
  }

  test("nobody knows, by default", async () => {
    expect(await outcomeAfter(new Error("socket hang up"))).toBe("unknown");
    expect(await outcomeAfter(undefined)).toBe("unknown");
    expect(await outcomeAfter(new LockstepError("unknown-outcome", "lost", { applied: "maybe" }))).toBe(
      "unknown",
    );
    expect(await outcomeAfter(new LockstepError("timeout", "late", { applied: "maybe" }))).toBe("unknown");
  });

  test("it failed if the error says that it changed nothing", async () => {
    expect(await outcomeAfter(new LockstepError("timeout", "late"))).toBe("fail");
    expect(await outcomeAfter(new LockstepError("deadlock", "no"))).toBe("fail");
  });

  test("or if outcomeOf says so", async () => {
    const outcomeOf = (error: unknown) => (error instanceof RangeError ? "fail" : "unknown");
    expect(await outcomeAfter(new RangeError("refused"), { outcomeOf })).toBe("fail");
    expect(await outcomeAfter(new Error("else"), { outcomeOf })).toBe("unknown");
  });

  test("nonsense of outcomeOf is refused, and the outcome unknown", async () => {
    const outcomeOf = (() => "ok") as unknown as () => "fail";
    const h = recorder({ outcomeOf });
    const cause = new Error("why");
    const call = h.client("a").call("write", () => Promise.reject(cause));
    await expect(call).rejects.toMatchObject({ code: "bad-input", cause });
    expect(h.history.operations[0]!.outcome).toBe("unknown");
  });

  test("an error of outcomeOf is not swallowed, and the outcome unknown", async () => {
    const broken = new TypeError("broken");
    const h = recorder({
      outcomeOf: () => {
        throw broken;
      },
    });
    await expect(h.client("a").call("write", () => Promise.reject(new Error("why")))).rejects.toBe(broken);
    expect(h.history.operations[0]!.outcome).toBe("unknown");
  });
});

test("nonsense is refused, and nothing is written down", async () => {
  const h = recorder();
  const nonsense = [
    () => recorder({ outcome: "fail" } as RecorderOptions),
    () => recorder({ outcomeOf: "fail" } as unknown as RecorderOptions),
    () => recorder({ write: 1 } as unknown as RecorderOptions),
    () => h.client(undefined as unknown as string),
    () => h.client("a").invoke(""),
    () => h.client("a").invoke(undefined as unknown as string),
  ];
  for (const act of nonsense) expect(act).toThrow(expect.objectContaining({ code: "bad-input" }));
  const noRun = (h.client("a").call as (...args: unknown[]) => Promise<unknown>)("write", 1);
  await expect(noRun).rejects.toMatchObject({ code: "bad-input" });
  expect(h.history.operations).toEqual([]);
});

group("lines, as it happens", () => {
  test("they are the history, read again", async () => {
    let text = "";
    const h = recorder({ write: (line) => (text += line) });
    await h.client("a").call("write", "x", 1, () => "done");
    h.client(2).invoke("read", "x").ok();
    h.client(2).invoke("write", "x", 2n).fail();
    h.client(2).invoke("write", "x", 3).unknown();
    h.client("c").invoke("read", "x");
    const { operations, times } = await readHistory(text);
    expect({ operations, times }).toEqual(h.history);
  });

  test("a call that threw has an end there, too", async () => {
    const lines: string[] = [];
    const h = recorder({ write: (line) => lines.push(line) });
    await expect(h.client("a").call("write", () => Promise.reject(new Error("no")))).rejects.toThrow();
    expect(JSON.parse(lines[1] ?? "")).toMatchObject({ id: 0, event: "unknown" });
  });

  test("a call stands there before it is made", async () => {
    const lines: string[] = [];
    const h = recorder({ write: (line) => lines.push(line) });
    await h.client("a").call("write", () => {
      expect(lines).toHaveLength(1);
      lines.push("made");
    });
    expect(lines.map((line) => /"event":"(\w+)"/.exec(line)?.[1] ?? line)).toEqual(["invoke", "made", "ok"]);
  });

  test("what cannot be written is not called, and nothing is written down", async () => {
    const h = recorder({ write: () => undefined });
    const call = h.client("a").call("write", Symbol("no"), () => expect.fail("called"));
    await expect(call).rejects.toMatchObject({ code: "bad-input" });
    expect(h.history).toEqual({ operations: [], times: [] });
  });
});

group("several processes", () => {
  /** A recorder whose clock stands at some time until it is moved. */
  function recorderAt(): { h: Recorder; at: (ms: number) => void } {
    let now = 0;
    const clock = { now: () => now, wallNow: () => now, after: () => expect.fail("no timer is needed") };
    return { h: recorder({ clock }), at: (ms) => (now = ms) };
  }

  test("their histories are one, in the order of the times", () => {
    const [one, two] = [recorderAt(), recorderAt()];
    one.at(1);
    const write = one.h.client("one").invoke("write", 1);
    two.at(2);
    const read = two.h.client("two").invoke("read");
    one.at(3);
    write.ok();
    two.at(4);
    read.ok(1);
    one.at(5);
    one.h.client("one").invoke("write", 2);
    const merged = mergeHistories(one.h.history, two.h.history);
    expect(seen(merged)).toEqual(["write(1)", "read() → 1", "write(2) → ?"]);
    expect(merged.operations.map(({ invoked, returned }) => [invoked, returned])).toEqual([
      [0, 2],
      [1, 3],
      [4, Infinity],
    ]);
    expect(merged.times).toEqual([1, 2, 3, 4, 5]);
    expect(() => check(merged)).not.toThrow();
    expect(one.h.history.operations[0]!.returned).toBe(1);
  });

  test("what was at the same time overlaps, whichever comes first in the list", () => {
    const [one, two] = [recorderAt(), recorderAt()];
    const write = one.h.client("one").invoke("write", 1);
    one.at(7);
    write.ok();
    two.at(7);
    two.h.client("two").invoke("read").ok(null);
    for (const parts of [
      [one, two],
      [two, one],
    ]) {
      const { operations } = mergeHistories(...parts.map(({ h }) => h.history));
      const written = operations.find(({ name }) => name === "write")!;
      const seenBy = operations.find(({ name }) => name === "read")!;
      expect(written.returned).toBeGreaterThan(seenBy.invoked);
    }
  });

  test("none is no history, and one is itself", () => {
    expect(mergeHistories()).toEqual({ operations: [], times: [] });
    const { h } = recorderAt();
    h.client("a").invoke("write", 1).ok();
    expect(mergeHistories(h.history)).toEqual(h.history);
  });

  test("what would make an order up is refused", () => {
    const { h } = recorderAt();
    h.client("a").invoke("write", 1).ok();
    const { history } = h;
    const { operations, times } = history;
    const atTheSame = { ...operations[0]!, invoked: operations[0]!.returned, returned: 2 };
    const refused = [
      () => mergeHistories({ operations }),
      () => mergeHistories({ operations, times, realTime: false }),
      () => mergeHistories(history, history),
      () => mergeHistories(h.history, h.history),
      () => mergeHistories({ operations, times: [2, 1] }),
      () => mergeHistories({ operations, times: [1] }),
      () => mergeHistories({ operations: [...operations, atTheSame], times: [1, 2, 3] }),
    ];
    for (const merge of refused) expect(merge).toThrow(expect.objectContaining({ code: "bad-input" }));
  });
});
