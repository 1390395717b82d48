import { ManualClock, SeededRandom } from "lockstep/base";
import { casRegister, check, mutex, queue, refused, register, type Model } from "lockstep/check";
import { describe, expect, test } from "vitest";
import { Budget } from "../../src/check/budget.js";
import { linearizable } from "../../src/check/linearizability/linearizable.js";
import { oneByOne, told, type Told } from "./told-history.js";

/** Without shortcuts, so that it is searched. */
const cell: Model = { ...register(), shortcut: () => undefined };
const plainQueue = { ...queue(), shortcut: () => undefined };

describe("linearizable", () => {
  test("what is open at the same time may be in any order, and what is not, may not", () => {
    const atOnce = told(["a write 1", 0, 5], ["b read → null", 1, 2], ["c read → 1", 3, 4]);
    expect(check(atOnce).linearizable(cell)).toEqual({ is: "valid", level: "linearizable" });
    const back = told(["a write 1", 0, 5], ["b read → 1", 1, 2], ["c read → null", 3, 4]);
    expect(check(back).linearizable(cell).is).toBe("violation");
  });

  test("a write that nobody saw may be anywhere between its call and its answer", () => {
    // Settled by the write of 1, and needed after all.
    const needed = told(["a write 1", 0, 5], ["b write 2", 1, 6], ["c read → 1", 2, 3], ["c read → 2", 7, 8]);
    expect(check(needed).linearizable(cell).is).toBe("valid");
    // The second write of 2 is before that of 0, if it overwrites the first.
    const hidden = told(["a write 2", 0, 2], ["b write 2", 1, 4], ["c write 0", 3, 5], ["d read → 2", 6, 7]);
    expect(check(hidden).linearizable(cell).is).toBe("valid");
  });

  test("an unknown outcome may take effect late, once, or never", () => {
    const late: Told[] = [
      ["a write 1 → ?", 0],
      ["b write 2", 1, 2],
      ["b read → 2", 3, 4],
      ["b read → 1", 5, 6],
    ];
    expect(check(told(...late)).linearizable(cell).is).toBe("valid");
    expect(check(told(...late.slice(0, 3))).linearizable(cell).is).toBe("valid");
    const twice = told(...late, ["b write 3", 7, 8], ["b read → 1", 9, 10]);
    expect(check(twice).linearizable(cell).is).toBe("violation");
    const early = told(["b read → 1", 0, 1], ["a write 1 → ?", 2]);
    expect(check(early).linearizable(cell).is).toBe("violation");
  });

  test("hundreds of unknown outcomes are no more work than one", () => {
    const lost = Array.from({ length: 300 }, (_, index): Told => [`a${index} write ${index % 3} → ?`, index]);
    const reads = ["b read → 1", "b read → 2", "b read → 1", "b write 7", "b read → 7"];
    const after = reads.map((text, index): Told => [text, 400 + 2 * index, 401 + 2 * index]);
    expect(check(told(...lost, ...after)).linearizable(cell).is).toBe("valid");
    const never = told(...lost, ...after, ["b read → 9", 500, 501]);
    expect(check(never).linearizable(cell).is).toBe("violation");
  });

  test("a hundred operations are open at the same time", () => {
    const writes = Array.from({ length: 100 }, (_, index): Told => [
      `a${index} write ${index}`,
      index,
      900 + index,
    ]);
    const reads = [99, 3, 50].map((value, index): Told => [`b read → ${value}`, 300 + index, 300.5 + index]);
    expect(check(told(...writes, ...reads)).linearizable(cell).is).toBe("valid");
    const again = told(...writes, ...reads, ["b read → 99", 400, 401]);
    expect(check(again).linearizable(cell).is).toBe("violation");
  });

  test("a violation tells how far one gets, and what cannot follow", () => {
    const history = oneByOne("a write 1", "b read → 1", "a write 2", "b read → 1", "a read → 2");
    const verdict = check(history).linearizable(cell);
    if (verdict.is !== "violation") throw new Error(verdict.is);
    const [{ name, explanation, operations, attempt, key }] = verdict.anomalies;
    const [first, , third, stale] = history.operations;
    expect(name).toBe("not linearizable");
    expect(explanation).toMatch(/has 2 of 3; after it the state is 2, so b's read\(\) → 1 cannot come next/);
    expect(operations).toEqual([first, third, stale]);
    expect(attempt).toEqual({
      order: [first, third],
      state: "2",
      stuck: [{ operation: stale, because: "it is not possible when the state is 2" }],
    });
    expect(key).toBeUndefined();
  });

  test("one bad key is found among many, and named", () => {
    const good = Array.from({ length: 50 }, (_, key) => [`a write k${key} 1`, `b read k${key} → 1`]).flat();
    const verdict = check(oneByOne(...good, "a write bad 1", "b read bad → 2")).linearizable(cell);
    expect(verdict).toMatchObject({ is: "violation", anomalies: [{ key: "bad" }] });
  });

  test("what failed did not happen", () => {
    const history = oneByOne("a write 1", "a write 2 → failed", "b read → 1");
    expect(check(history).linearizable(cell).is).toBe("valid");
    expect(check({ operations: [] }).linearizable(cell).is).toBe("valid");
  });
});

describe("a violation is told of as few operations as show it", () => {
  const permits: Model<number> = {
    name: "two permits",
    init: 2,
    step: (free, { name, outcome }) => {
      if (name === "put") return free + 1;
      return free > 0 ? free - 1 : outcome === "unknown" ? free : refused;
    },
  };
  const toldOf = <State>(model: Model<State>, ...lines: Told[]) => {
    const history = told(...lines);
    const verdict = check(history).linearizable(model);
    if (verdict.is !== "violation") throw new Error(verdict.is);
    const { operations } = verdict.anomalies[0];
    expect(check({ operations }).linearizable(model).is).toBe("violation");
    return operations.map((operation) => history.operations.indexOf(operation));
  };

  test("what can be spared whatever it did is spared, at the same time or later", () => {
    const taken: Told[] = [
      ["a take", 0, 9],
      ["b take", 1, 8],
      ["c take", 2, 7],
    ];
    expect(toldOf(permits, ...taken, ["d take", 3, 10])).toEqual([0, 1, 2]);
    expect(toldOf(permits, ...taken, ["d take", 11, 12], ["d put", 13, 14])).toEqual([0, 1, 2]);
  });

  test("what made the rest possible is not", () => {
    const taken: Told[] = [
      ["a take", 0, 1],
      ["b put", 2, 3],
      ["c take", 4, 5],
      ["c take", 6, 7],
    ];
    expect(check(told(...taken)).linearizable(permits).is).toBe("valid");
    expect(toldOf(permits, ...taken, ["d take", 8, 9])).toEqual([0, 1, 2, 3, 4]);
    const twice: Told[] = [
      ["a enqueue 1", 0, 1],
      ["b dequeue → 1", 2, 3],
      ["b dequeue → 1", 4, 5],
    ];
    expect(toldOf(plainQueue, ...twice, ["c enqueue 2", 4.5, 6])).toEqual([0, 1, 2]);
  });

  test("a lock that was given back has no part in what came after", () => {
    const before = ["a acquire l", "a release l", "b acquire l", "b release l"];
    const both = oneByOne(...before, "c acquire l", "d acquire l");
    const verdict = check(both).linearizable({ ...mutex(), shortcut: () => undefined });
    if (verdict.is !== "violation") throw new Error(verdict.is);
    expect(verdict.anomalies[0].operations).toEqual(both.operations.slice(4));
    expect(verdict.anomalies[0].explanation).toMatch(
      /the state is held by c, so d's acquire\("l"\) cannot come next/,
    );
  });
});

describe("time", () => {
  test("a search that takes too long says how far it got", () => {
    // Each look takes a millisecond.
    let looks = 0;
    const clock = Object.assign(new ManualClock(), { now: () => looks++ });
    const verdict = linearizable(hard("x"), plainQueue, new Budget({ timeoutMs: 5 }, clock));
    expect(verdict).toMatchObject({ is: "unknown", level: "linearizable", of: 26 });
    if (verdict.is === "unknown") expect(verdict.reason).toMatch(/^5 ms were not enough/);
  });

  test("a hard key keeps a bad one from nothing", () => {
    const bad = oneByOne("a enqueue y 1", "b dequeue y → 2").operations;
    const operations = [...hard("x").operations, ...bad].map((operation, index) => ({
      ...operation,
      invoked: operation.invoked + (index < 26 ? 0 : 1_000),
      returned: operation.returned + (index < 26 ? 0 : 1_000),
    }));
    const verdict = check({ operations }, { timeoutMs: 20_000 }).linearizable(plainQueue);
    expect(verdict).toMatchObject({ is: "violation", anomalies: [{ key: "y" }] });
  });
});

describe("one's own model", () => {
  interface Light {
    readonly on: boolean;
    readonly touched: () => number;
  }
  const light: Model<Light> = {
    name: "light",
    init: { on: false, touched: () => 0 },
    step: ({ on, touched }, { name, result }) => {
      if (name === "toggle") return { on: !on, touched: () => touched() + 1 };
      return on === result ? { on, touched } : refused;
    },
    equal: (a, b) => a.on === b.on,
    partition: ({ args }) => args[0],
    show: ({ on }) => (on ? "lit" : "dark"),
  };

  test("states that no JSON tells apart are told apart by equal", () => {
    const valid = oneByOne("a toggle hall", "b look hall → true", "a toggle attic", "b look hall → true");
    expect(check(valid).linearizable(light).is).toBe("valid");
    expect(check(valid).sequential(light).is).toBe("valid");
    const broken = oneByOne("a toggle hall", "b toggle hall", "a look hall → true");
    const verdict = check(broken).linearizable(light);
    expect(verdict).toMatchObject({
      is: "violation",
      anomalies: [{ key: "hall", attempt: { state: "dark" } }],
    });
    expect(check(broken).sequential(light).is).toBe("valid");
    expect(check(oneByOne("a look hall → true")).sequential(light).is).toBe("violation");
  });

  test("one that changes the state it was given is refused", () => {
    const pushed: Model<number[]> = {
      name: "pushed",
      init: [],
      step: (values, { args }) => {
        values.push(args[0] as number);
        return values;
      },
    };
    const refusal = /^the step of pushed changed the state that it was given, at push\(1\)/;
    expect(() => check(oneByOne("a push 1")).linearizable(pushed)).toThrow(refusal);
    expect(() => check(oneByOne("a push 1")).sequential(pushed)).toThrow(refusal);
  });

  test.each([undefined, Promise.resolve(1)])("one that gives no state, but %s, is refused", (after) => {
    const vague: Model = { name: "vague", init: 0, step: () => after };
    const refusal = /^the step of vague gave .* at push\(1\): it must give the state after the operation/;
    expect(() => check(oneByOne("a push 1")).linearizable(vague)).toThrow(refusal);
    expect(() => check(oneByOne("a push 1")).sequential(vague)).toThrow(refusal);
    const blank: Model<undefined> = { name: "blank", init: undefined, step: () => undefined };
    expect(check(oneByOne("a push 1")).linearizable(blank).is).toBe("valid");
  });

  test("who calls may count", () => {
    const turns: Model<string> = {
      name: "turns",
      init: "b",
      step: (last, { client }) => (last === client ? refused : String(client)),
    };
    expect(check(oneByOne("a go", "b go", "a go")).linearizable(turns).is).toBe("valid");
    expect(check(oneByOne("a go", "a go")).linearizable(turns).is).toBe("violation");
  });
});

test("a long history of few values and many clients", () => {
  const random = new SeededRandom(5);
  const open: ({ text: string; from: number } | undefined)[] = [];
  const lines: Told[] = [];
  let value = 0;
  for (let at = 0; lines.length < 3_000; at++) {
    const seat = random.below(30);
    const call = open[seat];
    if (call === undefined) {
      const name = ["read", "write", "cas"][random.below(3)]!;
      const [old, next] = [random.below(5), random.below(5)];
      // It takes effect now, and returns later.
      if (name === "read") open[seat] = { text: `c${seat} read → ${value}`, from: at };
      else if (name === "write") open[seat] = { text: `c${seat} write ${next}`, from: at };
      else open[seat] = { text: `c${seat} cas ${old} ${next} → ${old === value}`, from: at };
      if (name === "write" || (name === "cas" && old === value)) value = next;
    } else {
      lines.push([call.text, call.from, at]);
      open[seat] = undefined;
    }
  }
  for (const call of open) if (call) lines.push([call.text, call.from, 1e5]);
  expect(check(told(...lines)).linearizable(casRegister({ init: 0 })).is).toBe("valid");
  const verdict = check(told(...lines, ["z read → 9", 1e6, 1e6 + 1])).linearizable(casRegister({ init: 0 }));
  expect(verdict.is).toBe("violation");
});

/** So many orders that no search gets through them: the last of many dequeues took what nobody put in. */
function hard(key: string) {
  const puts = Array.from({ length: 13 }, (_, index): Told => [
    `a${index} enqueue ${key} ${index}`,
    index,
    100,
  ]);
  const takes = Array.from({ length: 13 }, (_, index): Told => [
    `b${index} dequeue ${key} → ${index === 12 ? 99 : index}`,
    50 + index,
    200,
  ]);
  return told(...puts, ...takes);
}
