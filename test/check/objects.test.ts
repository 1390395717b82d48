import {
  bank,
  casRegister,
  check,
  counter,
  fencedMutex,
  keyValue,
  list,
  multiRegister,
  mutex,
  objectNamed,
  objectNames,
  queue,
  register,
  semaphore,
  set,
  stack,
  type History,
  type Model,
} from "lockstep/check";
import { describe, expect, test } from "vitest";
import { describe as describeOperation, describeBy } from "../../src/check/history.js";
import { oneByOne, told } from "./told-history.js";

interface Case {
  readonly model: Model;
  /** Operations that are possible one after the other. */
  readonly valid: readonly (readonly string[])[];
  /** Operations of which the last is not possible after the others. */
  readonly broken: readonly (readonly string[])[];
}

const cases: Record<string, Case> = {
  register: {
    model: register(),
    valid: [
      ["a read → null", "a write 1", "b read → 1", "b write 2", "a read → 2"],
      ["a write x 1", "a write y 2", "b read x → 1", "b read y → 2", "b read z"],
      ['a write {"p":1,"q":2}', 'b read → {"q":2,"p":1}'],
    ],
    broken: [
      ["a write 1", "b write 2", "a read → 1"],
      ["a read → 0"],
      ["a write 1", 'a read → "1"'],
      ["a write x 1", "a read y → 1"],
    ],
  },
  "register that begins with a value": {
    model: register({ init: 7 }),
    valid: [["a read → 7", "a read x → 7"]],
    broken: [["a read → null"]],
  },
  "cas-register": {
    model: casRegister(),
    valid: [
      ["a write 1", "a cas 1 2 → true", "b read → 2", "b cas 1 3 → false", "b cas 2 4", "a read → 4"],
      ["a cas x null 1 → true", "a cas y null 2 → true", "b read x → 1", "b read y → 2"],
      ["a write 1", "a cas 1 1 → true", "a cas 1 2 → ?", "a read → 2"],
      ["a write 1", "a cas 2 3 → ?", "a read → 1"],
    ],
    broken: [
      ["a write 1", "a cas 2 3 → true"],
      ["a write 1", "a cas 1 3 → false"],
      ["a write 1", "a cas 2 3 → ?", "a read → 3"],
      ["a write 1", "a cas 3 2 → false", "a read → 2"],
    ],
  },
  "multi-register": {
    model: multiRegister(),
    valid: [
      ['a write {"x":1,"y":2}', 'b read ["x","y"] → {"x":1,"y":2}', 'b read ["z"] → {"z":null}'],
      ['a txn [["w","x",1],["r","x",null]] → [["w","x",1],["r","x",1]]', 'b read ["x"] → {"x":1}'],
    ],
    broken: [
      ['a write {"x":1,"y":1}', 'a write {"x":2,"y":2}', 'b read ["x","y"] → {"x":1,"y":2}'],
      ['a write {"x":1}', 'a txn [["r","x",null],["w","x",2]] → [["r","x",2],["w","x",2]]'],
    ],
  },
  kv: {
    model: keyValue(),
    valid: [
      ["a get x", "a put x p", "a append x q", "b get x → pq", "b delete x", "a get x → null"],
      ["a append x p", "b get x → p", "b get y → null"],
    ],
    broken: [
      ["a append x p", "b append x q", "a get x → qp"],
      ["a put x p", "a delete x", "a get x → p"],
      ["a put x p", "a get y → p"],
    ],
  },
  "kv of texts": {
    model: keyValue({ init: "" }),
    valid: [['a get x → ""', "a append x p", "a get x → p"]],
    broken: [["a get x → null"]],
  },
  set: {
    model: set(),
    valid: [
      [
        "a read → []",
        "a add 1",
        "a add 2",
        "b read → [2,1]",
        "a remove 1",
        "b contains 1 → false",
        "b read → [2]",
      ],
      ["a add 1 → true", "a add 1 → false", "a remove 2 → false", "a remove 1 → true"],
      ["a add x 1", "b read y → []", "b contains x 1 → true"],
    ],
    broken: [
      ["a add 1", "a read → []"],
      ["a add 1", "a remove 1", "b contains 1 → true"],
      ["a read → [3]"],
      ["a add 1 → true", "b add 1 → true"],
      ["a add 1", "a remove 1 → false"],
    ],
  },
  list: {
    model: list(),
    valid: [["a read → []", "a append 1", "a append 2", "b read → [1,2]", "b append x 3", "b read x → [3]"]],
    broken: [
      ["a append 1", "a append 2", "b read → [2,1]"],
      ["a append 1", "b read → []"],
    ],
  },
  queue: {
    model: queue(),
    valid: [
      ["a dequeue → null", "a enqueue 1", "a enqueue 2", "b dequeue → 1", "b dequeue → 2", "b dequeue"],
      ["a enqueue 1", "a enqueue 1", "b dequeue → 1", "a enqueue 2", "b dequeue → 1", "b dequeue → 2"],
      ["a enqueue 1", "a enqueue 2", "b dequeue → ?", "b dequeue → 2"],
    ],
    broken: [
      ["a enqueue 1", "a enqueue 2", "b dequeue → 2"],
      ["a enqueue 1", "b dequeue → 1", "c dequeue → 1"],
      ["a enqueue 1", "b dequeue → null"],
    ],
  },
  stack: {
    model: stack(),
    valid: [
      ["a pop → null", "a push 1", "a push 2", "b pop → 2", "b pop → 1", "b pop"],
      ["a push 1", "a push 1", "b pop → 1", "a push 2", "b pop → 2", "b pop → 1"],
    ],
    broken: [
      ["a push 1", "a push 2", "b pop → 1"],
      ["a push 1", "b pop → 1", "c pop → 1"],
      ["a push 1", "b pop → null"],
    ],
  },
  counter: {
    model: counter(),
    valid: [
      ["a read → 0", "a increment", "b add 3", "a decrement", "b read → 3", "b increment → 4"],
      ["a increment x", "a add y 2", "b read x → 1", "b read y → 2"],
    ],
    broken: [
      ["a increment", "b increment", "b read → 1"],
      ["a add 2 → 3"],
      ["a increment → 1", "b increment → 1"],
    ],
  },
  mutex: {
    model: mutex(),
    valid: [
      ["a acquire", "b acquire → false", "a release", "b acquire", "b release"],
      ["a acquire x", "b acquire y", "a release x"],
      ["a acquire → ?", "b acquire", "b release"],
      ["a acquire", "a release → ?", "b acquire"],
    ],
    broken: [
      ["a acquire", "b acquire"],
      ["a acquire", "a acquire"],
      ["a acquire", "b release"],
      ["a release"],
      ["a acquire", "a release", "b acquire → false"],
      ["a acquire", "b release → ?", "b acquire"],
    ],
  },
  "fenced-mutex": {
    model: fencedMutex(),
    valid: [
      ["a acquire → 1", "a release", "b acquire → 5", "b release", "a acquire → 6"],
      ["a acquire → 1n", "a release", "b acquire → 2n"],
      ["a acquire → ?", "a release → ?", "b acquire → 1"],
    ],
    broken: [
      ["a acquire → 1", "b acquire → 2"],
      ["a acquire → 2", "a release", "b acquire → 2"],
      ["a acquire → 2n", "a release", "b acquire → 1n"],
      ["a acquire → 2", "b release"],
    ],
  },
  semaphore: {
    model: semaphore(2),
    valid: [
      ["a acquire", "b acquire", "c acquire → false", "a release", "c acquire"],
      ["a acquire 2", "a release 1", "b acquire"],
    ],
    broken: [
      ["a acquire", "b acquire", "c acquire"],
      ["a acquire", "b acquire 2"],
      ["a release"],
      ["a acquire → false"],
    ],
  },
  bank: {
    model: bank({ accounts: { a: 10, b: 0 } }),
    valid: [
      [
        'c read → {"a":10,"b":0}',
        "c transfer a b 4",
        'd transfer {"from":"b","to":"a","amount":1}',
        'c read → {"a":7,"b":3}',
      ],
      ["c transfer b a 5 → ?", 'c read → {"a":10}'],
      ["c transfer a b 4 → failed", 'c read → {"a":10}'],
    ],
    broken: [
      ["c transfer a b 4", 'c read → {"a":10,"b":4}'],
      ["c transfer b a 1"],
      ["c transfer a b 4", 'c read → {"a":10,"b":0}'],
    ],
  },
  "bank that does not say what is on its accounts": {
    model: bank(),
    valid: [["c transfer 1 2 5", 'c read → {"1":40,"2":60}', "c transfer 2 1 5", 'd read → {"1":45,"2":55}']],
    broken: [
      ['c read → {"1":40,"2":50}'],
      ['c read → {"1":101,"2":-1}'],
      ['c read → {"1":40,"2":60}', 'c read → {"1":50,"2":50}'],
    ],
  },
  "bank that lends": {
    model: bank({ total: 0, allowNegative: true }),
    valid: [['c read → {"1":-3,"2":3}', "c transfer 1 2 5", 'c read → {"1":-8,"2":8}']],
    broken: [['c read → {"1":-3,"2":4}']],
  },
};

for (const [name, { model, valid, broken }] of Object.entries(cases)) {
  describe(name, () => {
    test("does what it does", () => {
      for (const texts of valid) expect(verdictOf(oneByOne(...texts), model), texts.join()).toBe("valid");
    });
    test("does nothing else", () => {
      for (const texts of broken) {
        expect(verdictOf(oneByOne(...texts), model), texts.join()).toBe("violation");
        expect(verdictOf(oneByOne(...texts.slice(0, -1)), model), texts.slice(0, -1).join()).toBe("valid");
      }
    });
    test("does not say no when it could have been later", () => {
      // All at once: the order is for the checker to find, and it is there.
      for (const texts of valid) {
        const atOnce = told(...texts.map((text, index) => [text, index, 100 + index] as const));
        expect(verdictOf(atOnce, model), texts.join()).toBe("valid");
      }
    });
    test("judges a history from which one answer was taken", () => {
      for (const texts of valid) {
        for (const lost of texts.keys()) {
          const told = texts.map((text, index) => (index === lost ? `${text.split(" → ")[0]!} → ?` : text));
          expect(verdictOf(oneByOne(...told), model), told.join()).toBe("valid");
        }
      }
    });
  });
}

test("what an object does not know is refused, and it says what it knows", () => {
  expect(() => verdictOf(oneByOne("a put 1"), register())).toThrow(
    "a register knows read(key?), write(key?, value); not put(1)",
  );
  expect(() => verdictOf(oneByOne("a write x 1 2"), register())).toThrow(/^a register knows/);
  expect(() => verdictOf(oneByOne("a get"), keyValue())).toThrow(
    /^a key-value store knows get\(key\), put\(key, value\)/,
  );
  expect(() => verdictOf(oneByOne("a enqueue"), queue())).toThrow(/^a queue knows/);
  expect(() => verdictOf(oneByOne("a acquire x"), semaphore(1))).toThrow(/counted from 1 up/);
  expect(() => verdictOf(oneByOne("a acquire → yes"), fencedMutex())).toThrow(/token/);
  expect(() => verdictOf(oneByOne("a cas 1 2 → 3"), casRegister())).toThrow(/true or false/);
  expect(() => verdictOf(oneByOne("a transfer a b much"), bank())).toThrow(/a number/);
  expect(() => verdictOf(oneByOne("a read → 3"), set())).toThrow(/an array or a Set/);
  expect(() => semaphore(0)).toThrow(/1 permit or more/);
  expect(() => verdictOf(oneByOne("a withdraw x 1"), bank())).toThrow(
    "a bank knows read(), transfer(from, to, amount), transfer({ from, to, amount }); not withdraw",
  );
});

test("what a multi-register reads may come as a Map, and not as a list", () => {
  const [write, read] = oneByOne('a write {"x":1,"2":3}', 'b read ["x",2] → {}').operations;
  const verdictWith = (result: unknown) =>
    verdictOf({ operations: [write!, { ...read!, result }] }, multiRegister());
  expect(
    verdictWith(
      new Map<unknown, number>([
        ["x", 1],
        [2, 3],
      ]),
    ),
  ).toBe("valid");
  expect(verdictWith(new Map([["x", 2]]))).toBe("violation");
  expect(() => verdictWith([1, 3])).toThrow("a multi-register takes an object of keys and values");
  expect(() => verdictWith(new Set(["x"]))).toThrow("a multi-register takes an object of keys and values");
});

test("a transaction of a multi-register answers what was called", () => {
  for (const answer of [
    '[["w","x",2]]',
    '[["w","y",1]]',
    '[["r","x",1]]',
    "[]",
    '[["w","x",1],["r","x",1]]',
  ]) {
    expect(() => verdictOf(oneByOne(`a txn [["w","x",1]] → ${answer}`), multiRegister())).toThrow(
      'a multi-register takes ["r", key, value] and ["w", key, value] only, and answers the same',
    );
  }
});

test("options that make no sense are refused", () => {
  const nonsense = (options: unknown) => options as object;
  for (const object of [register, casRegister, multiRegister, keyValue]) {
    expect(() => object(nonsense(3))).toThrow("options must be an object, not 3");
    expect(() => object(nonsense({ initial: 3 }))).toThrow(
      'there is no option "initial" here; there are init',
    );
  }
  expect(() => bank({ accounts: nonsense(["x", "y"]) as never })).toThrow(
    'accounts says what is on each, as in { x: 10, y: 0 }; not so ["x","y"]',
  );
  expect(() => bank({ accounts: nonsense({ x: "much" }) as never })).toThrow(/^accounts says/);
  expect(() => bank({ total: nonsense(["100"]) as never })).toThrow(/^total is what is on all accounts/);
  expect(() => bank({ allowNegative: nonsense({}) as never })).toThrow(/^allowNegative is true or false/);
});

test("operations as people read them", () => {
  const [get, put, five] = oneByOne("c get z → nothing", "a put z 1", "3 acquire → 5").operations;
  expect(describeOperation({ ...get!, result: undefined })).toBe('get("z") → nothing');
  expect(describeOperation({ ...get!, result: null })).toBe('get("z") → null');
  expect(describeOperation(put!)).toBe('put("z", 1)');
  const token = { ...five!, client: 3, result: 5n };
  expect(describeBy(token)).toBe("client 3's acquire() → 5n");
  expect(describeBy({ ...token, client: "bob", result: { tokens: [5n, "5n"] } })).toBe(
    'bob\'s acquire() → {"tokens":[5n,"5n"]}',
  );
});

test("objects have names", () => {
  expect(objectNames).toContain("cas-register");
  for (const name of objectNames) expect(objectNamed(name)?.name).toBe(name);
  expect(objectNamed("teapot")).toBeUndefined();
  expect(objectNamed("toString")).toBeUndefined();
  expect(verdictOf(oneByOne("a read → 3"), objectNamed("register", 3)!)).toBe("valid");
});

test("registers say what they read and wrote", () => {
  const accesses = (model: Model, ...texts: string[]) =>
    oneByOne(...texts).operations.map((operation) => model.access?.(operation));
  expect(accesses(register(), "a write x 1", "a read → 2", "a read x → ?")).toEqual([
    { key: "x", write: { value: 1 } },
    { key: null, read: { value: 2 } },
    { key: "x" },
  ]);
  expect(accesses(casRegister(), "a cas x 1 2 → true", "a cas 1 2 → false", "a cas 1 2 → ?")).toEqual([
    { key: "x", read: { value: 1 }, write: { value: 2 } },
    { key: null },
    { key: null, write: { value: 2 } },
  ]);
  expect(accesses(keyValue({ init: "" }), "a put x 1", "a delete x", "a get x → 1", "a append x 1")).toEqual([
    { key: "x", write: { value: 1 } },
    { key: "x", write: { value: "" } },
    { key: "x", read: { value: 1 } },
    undefined,
  ]);
});

function verdictOf(history: History, model: Model): string {
  return check(history).linearizable(model).is;
}
