// A little database that promises as much or as little as it is told, and what its clients saw of it.
import { SeededRandom } from "lockstep/base";
import type { History, Operation, Workload } from "lockstep/check";
import type { Micro } from "./random-transactions.js";

export type Isolation =
  /** One transaction at a time. */
  | "serial"
  /** A snapshot at the start; who commits second fails. */
  | "snapshot"
  /** The same on two replicas, which tell each other of their commits later. */
  | "parallel snapshots"
  /** Each read sees what is committed then. */
  | "read committed"
  /** Each read sees all that was written, be it committed or not; a key is written by one at a time. */
  | "read uncommitted";

interface Write {
  readonly key: string;
  readonly value: number;
}

interface Running {
  readonly place: number;
  readonly client: number;
  readonly replica: number;
  readonly call: readonly Micro[];
  readonly did: Micro[];
  readonly writes: Write[];
  /** How many commits of its replica it sees, if that does not change. */
  readonly sees: number;
  waited: number;
}

const keys = ["x", "y", "z"];
const mostPatience = 6;

export class SimulatedDatabase {
  readonly #random: SeededRandom;
  readonly #isolation: Isolation;
  readonly #isList: boolean;
  readonly #operations: Operation[] = [];
  readonly #running = new Map<number, Running>();
  /** By replicas: the writes of each commit, in the order in which it learned of them. */
  readonly #commits: Write[][][] = [[], []];
  /** What each replica has not heard of yet. */
  readonly #news: Write[][][] = [[], []];
  #moment = 0;
  #value = 0;

  constructor(seed: number, isolation: Isolation, workload: Workload) {
    this.#random = new SeededRandom(seed);
    this.#isolation = isolation;
    this.#isList = workload === "list-append";
  }

  run(transactions: number, clients: number): History {
    while (this.#operations.length < transactions || this.#running.size > 0) {
      const client = this.#random.below(clients);
      const running = this.#running.get(client);
      if (running !== undefined) this.#goOn(running);
      else if (this.#operations.length < transactions) this.#begin(client);
      if (this.#random.chance(0.1)) this.#tellNews(this.#random.below(2));
    }
    return { operations: this.#operations };
  }

  #begin(client: number): void {
    const call = Array.from({ length: 1 + this.#random.below(4) }, (): Micro => {
      const key = keys[this.#random.below(keys.length)]!;
      return this.#random.chance(0.5) ? ["r", key] : [this.#isList ? "append" : "w", key, ++this.#value];
    });
    const replica = this.#isolation === "parallel snapshots" ? client % 2 : 0;
    const sees = this.#commits[replica]!.length;
    const place = this.#operations.length;
    const running = { place, client, replica, call, did: [], writes: [], sees, waited: 0 };
    const operation = { client, name: "txn", args: [call], result: undefined, outcome: "unknown" as const };
    this.#operations.push({ ...operation, invoked: this.#moment++, returned: Infinity });
    this.#running.set(client, running);
  }

  /** One micro-operation, or the end; of a serial database all at once. */
  #goOn(running: Running): void {
    const { call, did } = running;
    do {
      if (did.length === call.length) {
        this.#end(running);
        return;
      }
      const [action, key, value] = call[did.length]!;
      if (action === "r") {
        did.push(["r", key, this.#read(running, key)]);
      } else if (this.#isLocked(running, key)) {
        running.waited++;
        if (running.waited > mostPatience) this.#return(running, "fail");
        return;
      } else {
        running.writes.push({ key, value: value as number });
        did.push([action, key, value]);
      }
    } while (this.#isolation === "serial");
  }

  #read(running: Running, key: string): unknown {
    const commits = this.#commits[running.replica]!;
    const isSnapshot = this.#isolation === "snapshot" || this.#isolation === "parallel snapshots";
    const seen = (isSnapshot ? commits.slice(0, running.sees) : commits).flat();
    const open = [...this.#running.values()].filter((other) => other !== running);
    const dirty = this.#isolation === "read uncommitted" ? open.flatMap(({ writes }) => writes) : [];
    const all = [...seen, ...dirty, ...running.writes].filter((write) => write.key === key);
    const values = all.map(({ value }) => value);
    return this.#isList ? values : (values.at(-1) ?? null);
  }

  #isLocked(running: Running, key: string): boolean {
    if (this.#isolation !== "read uncommitted" && this.#isolation !== "read committed") return false;
    const open = [...this.#running.values()].filter((other) => other !== running);
    return open.some(({ writes }) => writes.some((write) => write.key === key));
  }

  #end(running: Running): void {
    const { writes, replica, sees } = running;
    const isSnapshot = this.#isolation === "snapshot" || this.#isolation === "parallel snapshots";
    const unseen = [...this.#commits[replica]!.slice(sees), ...this.#news[replica]!].flat();
    const isSecond = unseen.some(({ key }) => writes.some((write) => write.key === key));
    const aborts = this.#isolation !== "serial" && this.#random.chance(0.1);
    if (aborts || (isSnapshot && isSecond)) {
      this.#return(running, "fail");
      return;
    }
    if (writes.length > 0) {
      this.#commits[replica]!.push(writes);
      if (this.#isolation === "parallel snapshots") this.#news[1 - replica]!.push(writes);
    }
    this.#return(running, this.#random.chance(0.05) ? "unknown" : "ok");
  }

  #tellNews(replica: number): void {
    const news = this.#news[replica]!.shift();
    if (news !== undefined) this.#commits[replica]!.push(news);
  }

  #return({ place, client, did }: Running, outcome: Operation["outcome"]): void {
    this.#running.delete(client);
    if (outcome === "unknown") return;
    const result = outcome === "ok" ? did : undefined;
    this.#operations[place] = { ...this.#operations[place]!, outcome, result, returned: this.#moment++ };
  }
}
