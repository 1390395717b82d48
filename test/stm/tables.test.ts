import { SeededRandom } from "lockstep/base";
import { Space, type LockingTransaction, type Reads, type TransactionOptions } from "lockstep/stm";
import { describe, expect, test } from "vitest";
import { compareKeys, type Key } from "../../src/stm/key.js";
import { expectAtRest } from "./at-rest.js";
import { itemsOf, type Item } from "./past.js";

const keys: Key[] = [-1.5, 0, 2, 10, "", "10", "2", "a"];
const colors = ["red", "blue", undefined];
const missing = new Error("as if something was missing");

type Rows = [Key, Item][];
type Model = ReadonlyMap<Key, Item>;
/** What is done to a transaction, and what it must give, if that is to be seen. */
type Step =
  | { readonly do: "ask"; readonly of: (tx: Reads) => unknown; readonly answer: (rows: Rows) => unknown }
  | { readonly do: "write"; readonly key: Key; readonly item: Item | undefined }
  | { readonly do: "nest"; readonly steps: readonly Step[]; readonly fails: boolean };

/** What is yielded is what the transaction gave, and what comes back is that, once it is there. */
type Doing = Generator<unknown, Model, unknown>;

const manners: [string, TransactionOptions | undefined][] = [
  ["atomicallySync", undefined],
  ["optimistic", { control: "optimistic" }],
  ["optimistic, repeatable-read", { isolation: "repeatable-read" }],
  ["optimistic, read-committed", { isolation: "read-committed" }],
  ["optimistic, read-uncommitted", { isolation: "read-uncommitted" }],
  ["pessimistic", { control: "pessimistic" }],
  ["pessimistic, sorted", { control: "pessimistic", order: "sorted" }],
  ["pessimistic, repeatable-read", { control: "pessimistic", isolation: "repeatable-read" }],
  ["adaptive", { control: "adaptive" }],
];

class Run {
  readonly space = new Space();
  readonly #random: SeededRandom;
  readonly #items = itemsOf(this.space);
  readonly #snapshots: { readonly reads: ReturnType<Space["snapshot"]>; readonly model: Model }[] = [];
  #model: Model = new Map();
  #isSync = false;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  async transaction(options: TransactionOptions | undefined): Promise<void> {
    const steps = this.#someSteps(0);
    const fails = this.#random.chance(0.2);
    let after = this.#model;
    this.#isSync = options === undefined;
    try {
      if (options === undefined) {
        this.space.atomicallySync((tx) => {
          after = driven(this.#doing(tx, this.#model, steps));
          if (fails) throw missing;
        });
      } else {
        await this.space.atomically(async (tx: LockingTransaction) => {
          after = await drivenLater(this.#doing(tx, this.#model, steps));
          if (fails) throw missing;
        }, options);
      }
      this.#model = after;
    } catch (error) {
      expect(error).toBe(missing);
    }
  }

  look(): void {
    const { reads, model } = { reads: this.space.snapshot(), model: this.#model };
    this.#snapshots.push({ reads, model });
    for (const each of this.#snapshots) {
      for (let left = 3; left > 0; left--) {
        const { of, answer } = this.#someQuestion();
        expect(of(each.reads)).toEqual(answer(inOrder(each.model)));
      }
    }
    if (this.#snapshots.length > 3) this.#snapshots.shift()!.reads.end();
  }

  end(): void {
    for (const { reads } of this.#snapshots) reads.end();
    expect(this.space.atomicallySync((tx) => tx.range(this.#items))).toEqual(inOrder(this.#model));
    expectAtRest(this.space, this.#items);
    expect(this.#items.rows.byKey.size).toBe(this.#model.size);
  }

  *#doing(tx: LockingTransaction, before: Model, steps: readonly Step[]): Doing {
    let model = before;
    for (const step of steps) {
      if (step.do === "ask") expect(yield step.of(tx as Reads)).toEqual(step.answer(inOrder(model)));
      else if (step.do === "write") {
        yield step.item === undefined
          ? tx.delete(this.#items, step.key)
          : tx.put(this.#items, step.key, step.item);
        const rows = new Map(model);
        if (step.item === undefined) rows.delete(step.key);
        else rows.set(step.key, step.item);
        model = rows;
      } else model = yield* this.#nesting(tx, model, step);
    }
    return model;
  }

  *#nesting(tx: LockingTransaction, before: Model, { steps, fails }: Step & { do: "nest" }): Doing {
    try {
      return (yield tx.nested((inner) => {
        const doing = this.#doing(inner, before, steps);
        if (!this.#isSync) {
          return drivenLater(doing).then((model) => {
            if (fails) throw missing;
            return model;
          });
        }
        const model = driven(doing);
        if (fails) throw missing;
        return model;
      })) as Model;
    } catch (error) {
      expect(error).toBe(missing);
      return before;
    }
  }

  #someSteps(depth: number): Step[] {
    return Array.from({ length: 1 + this.#random.below(6) }, () => {
      const dice = this.#random.next();
      if (dice < 0.45) return this.#someQuestion();
      if (dice > 0.9 && depth < 2) {
        return { do: "nest", steps: this.#someSteps(depth + 1), fails: this.#random.chance(0.5) };
      }
      const item = { color: this.#oneOf(colors), size: this.#random.below(3) };
      return { do: "write", key: this.#oneOf(keys), item: this.#random.chance(0.3) ? undefined : item };
    });
  }

  #someQuestion(): Step & { do: "ask" } {
    const items = this.#items;
    const key = this.#oneOf(keys);
    const size = this.#random.below(3);
    const color = this.#random.chance(0.5) ? "red" : "blue";
    const edge = () => (this.#random.chance(0.4) ? undefined : this.#oneOf([...keys, 1, "1", "zz"]));
    const range = { from: edge(), to: edge(), reverse: this.#random.chance(0.5), limit: this.#limit() };
    const questions: (Step & { do: "ask" })[] = [
      {
        do: "ask",
        of: (tx) => tx.get(items, key),
        answer: (rows) => rows.find(([each]) => each === key)?.[1],
      },
      { do: "ask", of: (tx) => tx.range(items, range), answer: (rows) => cut(rows, range) },
      {
        do: "ask",
        of: (tx) => tx.where(items, (row) => row.size === size),
        answer: (rows) => rows.filter(([, item]) => item.size === size),
      },
      {
        do: "ask",
        of: (tx) => tx.by(items, "color", color),
        answer: (rows) => rows.filter(([, item]) => item.color === color),
      },
      {
        do: "ask",
        of: (tx) => tx.by(items, "size", size),
        answer: (rows) => rows.filter(([, item]) => item.size === size),
      },
    ];
    return this.#oneOf(questions);
  }

  #limit(): number | undefined {
    return this.#random.chance(0.5) ? undefined : 1 + this.#random.below(3);
  }

  #oneOf<T>(list: readonly T[]): T {
    return list[this.#random.below(list.length)]!;
  }
}

interface Cut {
  readonly from: Key | undefined;
  readonly to: Key | undefined;
  readonly reverse: boolean;
  readonly limit: number | undefined;
}

function cut(rows: Rows, { from, to, reverse, limit }: Cut): Rows {
  const found = rows.filter(
    ([key]) =>
      (from === undefined || compareKeys(key, from) >= 0) && (to === undefined || compareKeys(key, to) < 0),
  );
  return (reverse ? found.reverse() : found).slice(0, limit);
}

function inOrder(model: Model): Rows {
  return [...model].sort(([a], [b]) => compareKeys(a, b));
}

function driven(doing: Doing): Model {
  for (let given: unknown; ;) {
    const next = doing.next(given);
    if (next.done === true) return next.value;
    given = next.value;
  }
}

async function drivenLater(doing: Doing): Promise<Model> {
  for (let given: unknown, error: unknown; ;) {
    const next = error === undefined ? doing.next(given) : doing.throw(error);
    if (next.done === true) return next.value;
    error = undefined;
    try {
      given = await next.value;
    } catch (thrown) {
      error = thrown;
    }
  }
}

describe("a table", () => {
  for (const [what, options] of manners) {
    test(`does as a plain Map does: ${what}`, async () => {
      for (let seed = 0; seed < 40; seed++) {
        const run = new Run(seed);
        for (let left = 25; left > 0; left--) {
          await run.transaction(options);
          if (left % 3 === 0) run.look();
        }
        run.end();
      }
    });
  }

  test("has rows that are frozen through and through", async () => {
    const space = new Space();
    const table = space.table<string, { name: string; tags: string[] }>();
    const row = { name: "ann", tags: ["a"] };
    const change = (found: unknown) => {
      (found as typeof row).tags.push("b");
    };
    space.atomicallySync((tx) => tx.put(table, "ann", row));
    expect(Object.isFrozen(row.tags)).toBe(true);
    const told: unknown = expect.objectContaining({ code: "misuse" });
    expect(() => space.atomicallySync((tx) => change(tx.get(table, "ann")))).toThrow(told);
    await expect(space.atomically((tx) => change(tx.range(table)[0]![1]))).rejects.toEqual(told);
    expect(space.atomicallySync((tx) => tx.get(table, "ann"))).toEqual({ name: "ann", tags: ["a"] });
  });
});
