import type { SeededRandom } from "lockstep/base";
import {
  bank,
  casRegister,
  counter,
  fencedMutex,
  keyValue,
  list,
  multiRegister,
  mutex,
  queue,
  register,
  semaphore,
  set,
  stack,
  type Model,
} from "lockstep/check";
import { toyQueue, toySet, toyStack, type Toy } from "./random-histories.js";

/** An object of few values, whose histories are ambiguous, and a toy that behaves like it. */
export interface SmallObject {
  readonly model: Model;
  readonly toy: () => Toy;
}

const few = (random: SeededRandom) => random.below(3);

/** Every object but those that go by who calls. */
export const smallObjects: Readonly<Record<string, SmallObject>> = {
  register: { model: register(), toy: () => toyCell(["write"]) },
  "cas-register": { model: casRegister(), toy: () => toyCell(["write", "cas"]) },
  "keyed cas-register": { model: casRegister(), toy: () => keyed(toyCell(["write", "cas"]), 2) },
  "cas only": { model: casRegister({ init: 0 }), toy: () => toyCell(["cas"], 0) },
  kv: { model: keyValue({ init: "" }), toy: () => toyStore() },
  set: { model: set(), toy: () => toySet({ repeats: 0.7 }) },
  "growing set": { model: set(), toy: () => toySet({ repeats: 0.7, grows: true }) },
  queue: { model: queue(), toy: () => toyQueue({ repeats: 0.9 }) },
  stack: { model: stack(), toy: () => toyStack({ repeats: 0.9 }) },
  list: { model: list(), toy: () => toyList() },
  counter: { model: counter(), toy: () => toyCounter() },
  semaphore: { model: semaphore(2), toy: () => toySemaphore(2) },
  "multi-register": { model: multiRegister(), toy: () => toyRegisters() },
  bank: { model: bank({ accounts: { a: 3, b: 1 } }), toy: () => toyBank() },
  "bank of unknown accounts": { model: bank({ total: 4 }), toy: () => toyBank() },
};

/** Those that go by who calls; what is called at random is possible often enough. */
export const lockModels: Readonly<Record<string, Model>> = { mutex: mutex(), "fenced-mutex": fencedMutex() };

function toyCell(changes: readonly string[], init: number | null = null): Toy {
  let value: unknown = init;
  const known = ["read", ...changes];
  return {
    call(random) {
      const name = known[random.below(known.length)]!;
      const count = { read: 0, write: 1, cas: 2 }[name]!;
      return { name, args: Array.from({ length: count }, () => few(random)) };
    },
    apply(name, args) {
      if (name === "read") return value;
      if (name === "cas" && value !== args[0]) return false;
      value = args.at(-1);
      return name === "cas" ? true : undefined;
    },
    guess(name, random) {
      if (name === "write") return undefined;
      return name === "cas" ? random.chance(0.5) : few(random);
    },
  };
}

function toyStore(): Toy {
  let text = "";
  return {
    call(random) {
      const name = ["get", "get", "put", "append", "delete"][random.below(5)]!;
      return { name, args: name === "put" || name === "append" ? ["x", "ab"[random.below(2)]] : ["x"] };
    },
    apply(name, args) {
      if (name === "get") return text;
      text = name === "delete" ? "" : name === "put" ? String(args[1]) : text + String(args[1]);
      return undefined;
    },
    guess: (name, random) => (name === "get" ? ["", "a", "b", "ab", "ba"][random.below(5)] : undefined),
  };
}

function toyList(): Toy {
  const values: unknown[] = [];
  return {
    call: (random) =>
      random.chance(0.5) ? { name: "read", args: [] } : { name: "append", args: [random.below(2)] },
    apply(name, args) {
      if (name === "read") return [...values];
      values.push(args[0]);
      return undefined;
    },
    guess: (name, random) =>
      name === "read" ? Array.from({ length: random.below(3) }, () => random.below(2)) : undefined,
  };
}

function toyCounter(): Toy {
  let count = 0;
  return {
    call(random) {
      const name = ["read", "increment", "decrement", "add"][random.below(4)]!;
      return { name, args: name === "add" ? [random.below(3)] : [] };
    },
    apply(name, args) {
      if (name === "read") return count;
      count += name === "increment" ? 1 : name === "decrement" ? -1 : (args[0] as number);
      return name === "add" ? count : undefined;
    },
    guess: (name, random) => (name === "read" || name === "add" ? few(random) : undefined),
  };
}

function toySemaphore(permits: number): Toy {
  let free = permits;
  return {
    call(random) {
      const args = random.chance(0.5) ? [] : [1 + random.below(permits)];
      return { name: free === permits || random.chance(0.5) ? "acquire" : "release", args };
    },
    apply(name, [weight = 1]) {
      const after = name === "acquire" ? free - (weight as number) : free + (weight as number);
      if (name === "acquire" && after < 0) return false;
      free = Math.min(permits, after);
      return name === "acquire" ? true : undefined;
    },
    guess: (name, random) => (name === "acquire" ? random.chance(0.5) : undefined),
  };
}

function toyRegisters(): Toy {
  const values: Record<string, unknown> = { x: null, y: null };
  const read = () => ({ ...values });
  return {
    call(random) {
      const kind = random.below(4);
      if (kind === 0) return { name: "write", args: [{ x: few(random), y: few(random) }] };
      if (kind === 1) return { name: "write", args: [{ y: few(random) }] };
      return { name: "read", args: [["x", "y"]] };
    },
    apply(name, args) {
      if (name === "read") return read();
      Object.assign(values, args[0]);
      return undefined;
    },
    guess: (name, random) => (name === "read" ? { x: few(random), y: few(random) } : undefined),
  };
}

function toyBank(): Toy {
  const balances = { a: 3, b: 1 };
  return {
    call(random) {
      if (random.chance(0.5)) return { name: "read", args: [] };
      const [from, to] = random.chance(0.5) ? ["a", "b"] : ["b", "a"];
      return { name: "transfer", args: [from, to, random.below(3)] };
    },
    apply(name, args) {
      if (name === "read") return { ...balances };
      const [from, to, amount] = args as ["a" | "b", "a" | "b", number];
      balances[from] -= amount;
      balances[to] += amount;
      return undefined;
    },
    guess(name, random) {
      const a = random.below(5);
      return name === "read" ? { a, b: 4 - a } : undefined;
    },
  };
}

/** Several of them, of which each call names one by its key. */
function keyed(first: Toy, count: number): Toy {
  const toys = [first, ...Array.from({ length: count - 1 }, () => toyCell(["write", "cas"]))];
  return {
    call(random) {
      const key = random.below(count);
      const { name, args } = toys[key]!.call(random);
      return { name, args: [`k${key}`, ...args] };
    },
    apply: (name, [key, ...args]) => toys[Number(String(key).slice(1))]!.apply(name, args),
    guess: (name, random) => first.guess(name, random),
  };
}
