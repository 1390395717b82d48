// Histories that must be searched: logs of others, where they stand beside the repository, and one busy key.
import { existsSync, readFileSync } from "node:fs";
import { casRegister, check, keyValue, readHistory, type History, type Model } from "lockstep/check";
import { SeededRandom } from "lockstep/base";
import { randomHistory, type Toy } from "../../test/check/random-histories.js";
import type { Subjects, Workloads } from "../apart.js";

export const clients = 50;
export const operations = 10_000;
/** Of how few values the busy key is; the fewer, the more often one cannot tell which write was read. */
export const values = [2, 5, 50] as const;

const oracles = new URL("../../../shared/oracles/", import.meta.url);
const hasOracles = existsSync(oracles);
const logs = ["etcd logs", "kv c01", "kv c10"] as const;

export const logNames: readonly string[] = hasOracles ? logs : [];
export const busyNames: readonly string[] = values.map((count) => `${count} values`);

/** Milliseconds to judge all of them. */
export const subjects: Subjects = {
  "etcd logs": async () => judgeAll(await etcdLogs(), casRegister()),
  "kv c01": async () => judgeAll([await kvLog("c01-ok")], keyValue({ init: "" })),
  "kv c10": async () => judgeAll([await kvLog("c10-ok")], keyValue({ init: "" })),
  ...Object.fromEntries(
    values.map((count) => [`${count} values`, () => judgeAll([busyKey(count)], casRegister({ init: 0 }))]),
  ),
};

interface Labelled {
  readonly history: History;
  readonly expected: "valid" | "violation";
}

function judgeAll(all: readonly Labelled[], model: Model): Workloads {
  const judge = () => {
    for (const { history, expected } of all) {
      const { is } = check(history).linearizable(model);
      if (is !== expected) throw new Error(`the verdict is ${is}, and should be ${expected}`);
    }
  };
  // What is measured is compiled.
  timeFor(500, judge);
  return { ms: () => timeFor(100, judge) };
}

/** The time that it takes once, in milliseconds, by repeating it for so long at least. */
function timeFor(leastMs: number, run: () => void): number {
  const start = performance.now();
  for (let times = 1; ; times++) {
    run();
    const passed = performance.now() - start;
    if (passed >= leastMs) return passed / times;
  }
}

async function etcdLogs(): Promise<Labelled[]> {
  const folder = new URL("jepsen-etcd/", oracles);
  const labels = readFileSync(new URL("labels.txt", folder), "utf8").trim().split("\n");
  return Promise.all(
    labels.map(async (line) => {
      const [file = "", label] = line.split(/\s+/);
      const history = await readHistory(readFileSync(new URL(file, folder), "utf8"));
      return { history, expected: label === "linearizable" ? "valid" : "violation" };
    }),
  );
}

async function kvLog(name: string): Promise<Labelled> {
  const text = readFileSync(new URL(`kv/${name}.txt`, oracles), "utf8");
  return { history: await readHistory(text), expected: "valid" };
}

function busyKey(count: number): Labelled {
  const history = randomHistory(new SeededRandom(1), toyCell(count), { operations, clients });
  return { history: { operations: history }, expected: "valid" };
}

/** Half of the calls read, a quarter writes, a quarter compares first. */
function toyCell(count: number): Toy {
  let value: unknown = 0;
  return {
    call(random) {
      const name = ["read", "read", "write", "cas"][random.below(4)]!;
      const args = { read: 0, write: 1, cas: 2 }[name]!;
      return { name, args: Array.from({ length: args }, () => random.below(count)) };
    },
    apply(name, args) {
      if (name === "read") return value;
      if (name === "cas" && value !== args[0]) return false;
      value = args.at(-1);
      return name === "cas" ? true : undefined;
    },
    guess: () => undefined,
  };
}
