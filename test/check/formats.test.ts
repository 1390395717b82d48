import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe as suite, expect, test } from "vitest";
import { LockstepError } from "lockstep/base";
import { describe, formatNames, historyLines, readHistory, recorder, type FormatName } from "lockstep/check";
import { HistoryReader } from "../../src/check/formats/read-history.js";

/** A history in each format, and what it says. */
const samples: Record<FormatName, { text: string; says: string[]; lines: number[] }> = {
  "json-lines": {
    text: [
      '{"id":0,"client":"a","event":"invoke","name":"write","args":["x",1],"ms":0.5}',
      "",
      '{"id":"r","client":"b","event":"invoke","name":"read","args":["x"],"ms":1}',
      '{"id":0,"event":"ok","ms":1.5}',
      '{"id":"r","event":"ok","result":1,"ms":2}',
      '{"id":0,"client":"a","event":"invoke","name":"write","args":["x",2],"ms":3}',
      '{"id":"r","client":"b","event":"invoke","name":"write","args":["x",3],"ms":4}',
      '{"id":0,"event":"fail","ms":5}',
      '{"id":"r","event":"unknown","ms":6}',
      '{"id":0,"client":"a","event":"invoke","name":"clear","ms":7}\n',
    ].join("\r\n"),
    says: [
      'a: write("x", 1)',
      'b: read("x") → 1',
      'a: write("x", 2) failed',
      'b: write("x", 3) → ?',
      "a: clear() → ?",
    ],
    lines: [1, 3, 4, 5, 6, 7, 8, 10],
  },
  edn: {
    text: `; what Jepsen wrote
      [{:type :invoke, :f :read, :process 0} ; a comment with [ and "
       {:type :info, :f :start, :process :nemesis, :value "no \\" op"}
       #jepsen.history.Op{:type :invoke :f :cas :process 1 :value [1 2]}
       #_{:type :ok, :f :read, :process 0, :value 9}
       {:type :ok, :f :read, :process 0, :value [nil 1.5 1/3 90071992547409930 7N \\{ \\newline "\\n{\t"]}
       {:type :ok, :f :cas, :process 1, :value [1 2]}
       {:type :invoke, :f :add, :process 1,
        :value #{1 {:a 1}}}
       {:type :fail, :f :add, :process 1, :value #{1 {:a 1}} :error [:timeout ##NaN]}
       {:type :invoke, :f :transfer, :process 2, :value {:from 0, :to 1, :amount 5}}
       {:type :ok, :f :transfer, :process 2, :value {:amount 5, :to 1, :from 0}}
       {:type :invoke, :f :txn, :process 3, :value [[:r "x" nil] [:append "x" 1]]}
       {:type :info, :f :txn, :process 3, :value [[:r "x" nil] [:append "x" 1]]}
       {:type :invoke, :f :put, :process 4, :key "k", :value nil}
       {:type :invoke, :f :read, :process 5 :value nil}
       {:type :ok, :f :read, :process 5, :value {0 true, nil 20}}]`,
    says: [
      '0: read() → [null,1.5,"1/3",90071992547409930n,7,"{","\\n","\\n{\\t"]',
      "1: cas(1, 2) → true",
      '1: add([1,{"a":1}]) failed',
      '2: transfer({"from":0,"to":1,"amount":5})',
      '3: txn([["r","x",null],["append","x",1]]) → ?',
      '4: put("k", null) → ?',
      "5: read() → [[0,true],[null,20]]",
    ],
    lines: [2, 4, 6, 7, 8, 10, 11, 12, 13, 15, 16, 17],
  },
  json: {
    text: `[{"type":"invoke","f":"read","process":0,"time":2000000},
      {"type":"info","f":"start","process":"nemesis","time":2500000},
      {"type":"ok","f":"read","process":0,"value":{"0":10},"time":3000000}, {"type":"invoke",
      "process":1,"value":[["r",1,null]],"time":3500000},
      {"type":"ok","process":1,"value":[["r",1,[2,3]]],"time":4000000}]`,
    says: ['0: read() → {"0":10}', '1: txn([["r",1,null]]) → [["r",1,[2,3]]]'],
    lines: [1, 3, 3, 5],
  },
  log: {
    text: [
      "INFO  jepsen.util - 0\t:invoke\t:read\tnil",
      "WARN  jepsen.core - Process 7 crashed",
      "INFO  jepsen.util - :nemesis\t:info\t:start\tnil",
      "INFO  jepsen.util - 1   :invoke :cas    [3 0]",
      "INFO  jepsen.util - 2\t:invoke\t:cas\t[3 1]",
      "INFO  jepsen.util - 1\t:fail\t:cas\t[3 0]",
      "INFO  jepsen.util - 0\t:fail\t:read\t:timed-out",
      "INFO  jepsen.util - 2\t:ok\t:cas\t[3 1]",
      "INFO  jepsen.util - 2\t:invoke\t:write\t4",
      "INFO  jepsen.util - 2\t:info\t:write\t:timed-out",
    ].join("\n"),
    says: ["0: read() failed", "1: cas(3, 0) → false", "2: cas(3, 1) → true", "2: write(4) → ?"],
    lines: [1, 4, 5, 6, 7, 8, 9],
  },
  sessions: {
    text: "w x 1\nw y 007\n-----\n\nr x 1\n=====\nr y 007\n",
    says: [
      '0: txn([["w","x",1],["w","y","007"]]) → [["w","x",1],["w","y","007"]]',
      '0: txn([["r","x",null]]) → [["r","x",1]]',
      '1: txn([["r","y",null]]) → [["r","y","007"]]',
    ],
    lines: [1, 1, 5, 5, 7, 7],
  },
};

suite.each(formatNames)("%s", (format) => {
  const { text, says, lines } = samples[format];

  test("is read", async () => {
    const history = await readHistory(text, { format });
    expect(history.operations.map((each) => `${each.client}: ${describe(each)}`)).toEqual(says);
    expect(history.lines).toEqual(lines);
    expect(history.realTime).toBe(format === "sessions" ? false : undefined);
  });

  test("is recognised", () => {
    const reader = new HistoryReader();
    reader.push(`\uFEFF${text}`);
    reader.end();
    expect(reader.format).toBe(format);
  });

  test("may come in pieces, wherever they were cut", async () => {
    const whole = await readHistory(text, { format });
    for (let size = 1; size < text.length; size += 1 + (size >> 3)) {
      const pieces = text.match(new RegExp(`[^]{1,${size}}`, "g"))!;
      expect(await readHistory(pieces, { format })).toEqual(whole);
    }
  });

  test("cut off anywhere, it is refused with a line, or is the history up to there", async () => {
    const whole = await readHistory(text, { format });
    for (let length = 0; length < text.length; length++) {
      try {
        const { operations } = await readHistory(text.slice(0, length), { format, file: "cut" });
        // The last transaction, or number, may have lost its end.
        for (const [index, { name, client }] of operations.entries()) {
          expect([name, client]).toEqual([whole.operations[index]!.name, whole.operations[index]!.client]);
        }
      } catch (error) {
        if (!(error instanceof LockstepError)) throw error;
        expect(error.message).toMatch(/^cut:\d+: [^\n]+$/);
      }
    }
  });
});

suite("times", () => {
  test("are milliseconds, by the places of calls and answers", async () => {
    const { times } = await readHistory(samples.json.text);
    expect(times).toEqual([2, 3, 3.5, 4]);
    expect((await readHistory(samples["json-lines"].text)).times).toEqual([0.5, 1, 1.5, 2, 3, 4, 5, 7]);
  });

  test("are left out unless all events have one", async () => {
    const text = samples["json-lines"].text.replace(',"ms":7', "");
    expect((await readHistory(text)).times).toBeUndefined();
  });
});

suite("jepsen.independent", () => {
  test("[key value] is a key and a value, once a read has shown that it is", async () => {
    const events = [
      "{:process 0 :type :invoke :f :write :value [:x [1 2]]}",
      "{:process 1 :type :invoke :f :read :value [:x nil]}",
      "{:process 0 :type :ok :f :write :value [:x [1 2]]}",
      "{:process 1 :type :ok :f :read :value [:x [1 2]]}",
      "{:process 0 :type :invoke :f :cas :value [:y [1 2]]}",
      "{:process 0 :type :ok :f :cas :value [:y [1 2]]}",
      "{:process 0 :type :invoke :f :read :value [:y nil]}",
      "{:process 0 :type :fail :f :read :value [:y nil]}",
      "{:process 0 :type :invoke :f :write :value [:x nil]}",
      "{:process 1 :type :invoke :f :acquire :value [:x nil]}",
    ];
    const { operations } = await readHistory(events.join("\n"));
    expect(operations.map(describe)).toEqual([
      'write("x", [1,2])',
      'read("x") → [1,2]',
      'cas("y", 1, 2) → true',
      'read("y") failed',
      'write("x", null) → ?',
      'acquire("x") → ?',
    ]);
    await expect(readHistory([...events, "{:process 2 :type :invoke :f :write :value 3}"])).rejects.toThrow(
      "the value of write is 3; expected [key value]",
    );
  });

  test("[key value] is a value otherwise", async () => {
    const { operations } = await readHistory(`
      {:process 0 :type :invoke :f :write :value [1 2]} {:process 0 :type :ok :f :write :value [1 2]}
      {:process 0 :type :invoke :f :read :value nil} {:process 0 :type :ok :f :read :value [1 2]}`);
    expect(operations.map(describe)).toEqual(["write([1,2])", "read() → [1,2]"]);
  });
});

test("decimals of EDN that a number does not hold are their text", async () => {
  const words = ["1.50", "+2.5M", "-0.0", "1e3", "0.12345678901234567", "1e999", "1e-999", "+1e-999M"];
  const long = ["0.123456789012345678", "-12345678901234567890.5", "9007199254740993.0"];
  const { operations } = await readHistory(
    [...words, ...long].map(
      (word, process) => `{:process ${process} :type :invoke :f :write :value ${word}}`,
    ),
  );
  expect(operations.map(({ args }) => args[0])).toEqual([
    ...[1.5, 2.5, -0, 1000, Number(words[4]), "1e999", "1e-999", "1e-999"],
    ...long,
  ]);
});

suite("Lockstep's own lines", () => {
  const client = fc.oneof(fc.string(), fc.integer());
  const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constantFrom(undefined, null, true, NaN, Infinity, -Infinity, -0, 2 ** 60, 1e300),
      fc.oneof(fc.string(), fc.integer(), fc.double(), fc.bigInt()),
      fc.array(tie("value")),
      fc.array(tie("value")).map((values) => new Set(values)),
      fc.array(fc.tuple(tie("value"), tie("value"))).map((entries) => new Map(entries)),
      fc.dictionary(fc.oneof(fc.string(), fc.constantFrom("$", "is", "__proto__")), tie("value")),
    ),
  })).value;
  const called = fc.record({
    client,
    name: fc.string({ minLength: 1 }),
    args: fc.array(value),
    result: value,
  });
  const end = fc.constantFrom("ok", "fail", "unknown", "open");

  test("are the history, whatever its values are", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(called, end, fc.nat()), { maxLength: 6 }), async (calls) => {
        const record = recorder();
        const open: (() => void)[] = [];
        for (const [{ client, name, args, result }, how, pick] of calls) {
          const begun = record.client(client).invoke(name, ...args);
          const ends = {
            ok: () => begun.ok(result),
            fail: begun.fail,
            unknown: begun.unknown,
            open: () => undefined,
          };
          open.push(ends[how]);
          if (pick % 3 > 0) open.splice(pick % open.length, 1)[0]!();
        }
        const { history } = record;
        const { operations, times } = await readHistory(historyLines(history), { format: "json-lines" });
        // Not toEqual, to which undefined and 0 are other things.
        expect(isDeepStrictEqual(plain(operations), plain(history.operations))).toBe(true);
        if (operations.length > 0) expect(times).toEqual(history.times);
      }),
      { numRuns: 100 },
    );
  });

  test("are told apart where several stand in one place", async () => {
    const call = { client: 1, name: "read", args: [], result: undefined, outcome: "ok" } as const;
    const operations = [
      { ...call, invoked: 0, returned: 7 },
      { ...call, client: 2, invoked: 7, returned: 9 },
    ];
    // Neither is before the other, and so it stays.
    const read = await readHistory(historyLines({ operations }));
    expect(read.operations.map(({ invoked, returned }) => [invoked, returned])).toEqual([
      [0, 2],
      [1, 3],
    ]);
  });

  test.each([
    ["a function", () => 1],
    ["an object of a class, such as a Date,", new Date(0)],
    ["Symbol(s)", Symbol("s")],
    ["a circle", circle()],
  ])("refuse %s", (what, unwritable) => {
    const record = recorder();
    record.client("a").invoke("write", "x").ok(unwritable);
    expect(() => [...historyLines(record.history)]).toThrow(what);
  });

  test("refuse a history without real time: they would make one up", async () => {
    const history = await readHistory(samples.sessions.text);
    expect(() => [...historyLines(history)]).toThrow("an order in time");
  });
});

function circle(): unknown[] {
  const array: unknown[] = [];
  array.push(array);
  return array;
}

/** What is read has no prototypes to compare, and the null prototype of a dictionary is no difference. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Set) return new Set([...value].map(plain));
  if (value instanceof Map) return new Map([...value].map(plain) as [unknown, unknown][]);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]));
}
