import { setImmediate as turn } from "node:timers/promises";
import { isLockstepError, SeededRandom } from "lockstep/base";
import type { History, Workload } from "lockstep/check";
import { orElse, Space, type LockingTransaction, type Ref, type TransactionOptions } from "lockstep/stm";
import { Chronicle, type Attempt, type Micro } from "./chronicle.js";
import type { Layout, Reads } from "./layout.js";
import { listsInElements, listsInMovingRows, listsInRefs, listsInRows } from "./lists.js";
import { randomPlan, type Access, type Plan } from "./plan.js";
import { readsMoments, type Mix } from "./promised.js";
import { registersInRefs, registersInRows } from "./registers.js";
import { runAtOnce, runAwaiting, settled, type Steps } from "./steps.js";

export interface Played {
  readonly history: History;
  /** How many transactions committed. */
  readonly committed: number;
}

/** Clients that run random transactions on a few keys of one space, each one after the other. */
export async function play(seed: number, mix: Mix, workload: Workload): Promise<Played> {
  const company = new Company(new SeededRandom(seed), mix, workload);
  await company.run();
  return company.chronicle;
}

type Block = (tx: LockingTransaction) => unknown;

/** What blocks throw that want to be undone. */
class Thrown extends Error {}

const patienceMs = 10_000;
/** Nobody needs nearly as many: who does is tried for ever, maybe with no turn for anybody else. */
const attempts = 1000;

class Company {
  readonly chronicle = new Chronicle();
  readonly #random: SeededRandom;
  readonly #mix: Mix;
  readonly #space = new Space();
  readonly #layouts: readonly Layout[];
  /** How many keys each of the layouts has. */
  readonly #keys: readonly number[];
  readonly #write: string;
  /** Is set when all has been quiet, for who retries has read it. */
  readonly #bell: Ref<number> = this.#space.ref(0);
  #values = 0;

  constructor(random: SeededRandom, mix: Mix, workload: Workload) {
    this.#random = random;
    this.#mix = mix;
    const isList = workload === "list-append";
    this.#write = isList ? "append" : "w";
    const count = 1 + random.below(isList ? 2 : 4);
    this.#layouts = isList ? listLayouts(this.#space, count, mix) : registerLayouts(this.#space, count, mix);
    this.#keys = this.#layouts.map(() => count);
  }

  async run(): Promise<void> {
    const clients = 2 + this.#random.below(9);
    const transactions = 10 + this.#random.below(30);
    let open = clients;
    const runs = Array.from({ length: clients }, async (_, client) => {
      for (let each = 0; each < transactions; each++) {
        await this.#transact(client, randomPlan(this.#random, this.#mix, this.#keys));
      }
      open--;
    });
    await Promise.race([Promise.all(runs), this.#watch(() => open > 0)]);
  }

  /** Wakes those who sleep, and notices if nothing goes on any more. */
  async #watch(isOn: () => boolean): Promise<void> {
    let seen = -1;
    let heardAt = 0;
    while (isOn()) {
      await turn();
      if (this.chronicle.committed > seen) {
        seen = this.chronicle.committed;
        heardAt = performance.now();
        continue;
      }
      await this.#space.atomically((tx) => tx.update(this.#bell, (rung) => rung + 1));
      if (performance.now() - heardAt > patienceMs) throw new Error("nothing goes on any more");
    }
  }

  async #transact(client: number, plan: Plan): Promise<void> {
    let attempt: Attempt | undefined;
    const begin = () => {
      attempt?.aborted();
      return (attempt = this.chronicle.begin(client));
    };
    try {
      await this.#perform(plan, begin);
      attempt!.committed();
    } catch (error) {
      attempt?.aborted();
      const isRefused = plan.shape === "sync" && isLockstepError(error, "timeout");
      if (!(error instanceof Thrown) && !isRefused) throw error;
    }
  }

  async #perform(plan: Plan, begin: () => Attempt): Promise<void> {
    const { shape, accesses, isolation, control } = plan;
    const space = this.#space;
    const options: TransactionOptions = { isolation, control, readOnly: shape === "read-only", attempts };
    const atomically = (block: Block) => space.atomically(block, options);
    if (shape === "snapshot") {
      const { did } = begin();
      using snapshot = space.snapshot();
      await runAwaiting(this.#access(snapshot, accesses, did));
    } else if (shape === "sync") {
      space.atomicallySync((tx) => runAtOnce(this.#access(tx, accesses, begin().did)));
    } else if (shape === "at once" && control === "optimistic") {
      await atomically((tx) => runAtOnce(this.#access(tx, accesses, begin().did)));
    } else if (shape === "or else") {
      await this.#orElse(plan, atomically, begin);
    } else {
      let attempt = 0;
      await atomically((tx) => runAwaiting(this.#block(tx, plan, begin().did, attempt++)));
    }
  }

  *#block(tx: LockingTransaction, plan: Plan, did: Micro[], attempt: number): Steps<void> {
    const { shape, accesses, before } = plan;
    if (shape === "nested" || shape === "nested thrown") {
      yield* this.#access(tx, accesses.slice(0, before), did);
      yield* this.#nested(tx, plan, did);
      // What is nested is there now, or it is gone.
      yield* this.#access(tx, [{ ...accesses[0]!, action: "read" }], did);
      return;
    }
    yield* this.#access(tx, accesses, did);
    if (shape === "thrown") throw new Thrown();
    if (shape !== "retried" || attempt > 0) return;
    yield* settled(tx.get(this.#bell));
    tx.retry();
  }

  *#nested(tx: LockingTransaction, { shape, accesses, before }: Plan, did: Micro[]): Steps<void> {
    const part: Micro[] = [];
    const nested = tx.nested((inner) =>
      runAwaiting(this.#part(inner, accesses.slice(before), part, shape === "nested thrown")),
    );
    try {
      yield* settled(nested);
      did.push(...part);
    } catch (error) {
      if (!(error instanceof Thrown)) throw error;
    }
  }

  *#part(tx: LockingTransaction, accesses: readonly Access[], did: Micro[], throws: boolean): Steps<void> {
    try {
      yield* this.#access(tx, accesses, did);
      if (throws) throw new Thrown();
    } catch (error) {
      this.chronicle.undone("somebody", did);
      throw error;
    }
  }

  /** The first of two has begun something, and retries; what the second does is all that is done. */
  async #orElse(plan: Plan, atomically: (block: Block) => Promise<unknown>, begin: () => Attempt) {
    const { accesses, before } = plan;
    const first = (tx: LockingTransaction) => runAwaiting(this.#retrying(tx, accesses.slice(0, before)));
    const second = (tx: LockingTransaction) => runAwaiting(this.#access(tx, accesses, current.did));
    let current: Attempt;
    const either = orElse(first, second);
    await atomically((tx) => {
      current = begin();
      return either(tx);
    });
  }

  *#retrying(tx: LockingTransaction, accesses: readonly Access[]): Steps<void> {
    const did: Micro[] = [];
    try {
      yield* this.#access(tx, accesses, did);
      yield* settled(tx.get(this.#bell));
      tx.retry();
    } finally {
      this.chronicle.undone("somebody", did);
    }
  }

  *#access(tx: Reads, accesses: readonly Access[], did: Micro[]): Steps<void> {
    for (const { layout, key, action, isGuarded, way, pause } of accesses) {
      if (pause !== "none") yield pause === "turn" ? turn() : Promise.resolve();
      const kept = this.#layouts[layout]!;
      const name = (each: number) => `${kept.name} ${each}`;
      if (action === "write") {
        const value = ++this.#values;
        did.push([this.#write, name(key), value]);
        yield* kept.write(tx as LockingTransaction, key, value, isGuarded);
        continue;
      }
      const seen =
        action === "read for update" && kept.readForUpdate !== undefined
          ? kept.readForUpdate(tx as LockingTransaction, key)
          : kept.read(tx, key, way);
      for (const [each, value] of yield* seen) did.push(["r", name(each), value]);
    }
  }
}

function listLayouts(space: Space, count: number, { weakest }: Mix): Layout[] {
  const layouts = [listsInRefs(space, count), listsInRows(space)];
  // A place after one that is not committed may be taken, and the one before it be taken later.
  if (weakest !== "read-uncommitted") layouts.push(listsInElements(space));
  // Two may find no row, and put theirs at different keys: a snapshot is no help against that.
  if (weakest === "serializable") layouts.push(listsInMovingRows(space));
  return layouts;
}

function registerLayouts(space: Space, count: number, mix: Mix): Layout[] {
  return [registersInRefs(space, count), registersInRows(space, count, readsMoments(mix))];
}
