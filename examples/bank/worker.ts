// One of several processes that move money on the same accounts. main.ts starts them, and tells them for each
// round which of the three ways to go.
import { setTimeout as sleep } from "node:timers/promises";
import { connect, type Lockstep } from "lockstep";
import { paid, parse } from "./account.js";

/** Read, work, write. Whoever writes in between is overwritten, and nobody is told. */
async function unprotected({ kv }: Lockstep, name: string, cents: number): Promise<void> {
  const account = parse(await kv.get(name));
  await work();
  await kv.put(name, paid(account, cents));
}

/** The same, while nobody else of all who share the store can be between the same lines. */
async function locked(ls: Lockstep, name: string, cents: number): Promise<void> {
  await ls.lock(name).run(() => unprotected(ls, name, cents));
}

/**
 * Writes only over what was read. Where somebody was faster, the work is done anew on what now stands there.
 */
async function conditional({ kv }: Lockstep, name: string, cents: number): Promise<void> {
  let entry = await kv.get(name);
  for (;;) {
    const account = parse(entry);
    await work();
    const verdict = await kv.put(name, paid(account, cents), { ifRevision: entry?.revision ?? 0n });
    if (verdict.ok) return;
    entry = verdict.current;
  }
}

const ways = { "no protection": unprotected, "a lock": locked, ifRevision: conditional };
export type Way = keyof typeof ways;

export interface Order {
  readonly way: Way;
  readonly accounts: readonly string[];
  readonly forMs: number;
}

/** What a worker did: each line of it acknowledged by the store. */
export type Done = { readonly name: string; readonly cents: number; readonly latencyMs: number }[];

/** Asking a limit or writing an audit record, say: time enough for the others to come in between. */
function work(): Promise<void> {
  return sleep(1);
}

/** A deposit, or a withdrawal, of 1.00 to 100.00. */
function someCents(): number {
  return (100 + Math.floor(Math.random() * 9_901)) * (Math.random() < 0.5 ? -1 : 1);
}

async function obey(ls: Lockstep, { way, accounts, forMs }: Order): Promise<Done> {
  const done: Done = [];
  const until = performance.now() + forMs;
  for (let begun = performance.now(); begun < until; begun = performance.now()) {
    const name = accounts[Math.floor(Math.random() * accounts.length)]!;
    const cents = someCents();
    await ways[way](ls, name, cents);
    done.push({ name, cents, latencyMs: performance.now() - begun });
  }
  return done;
}

const ls = await connect(process.argv[2]!);
process.on("message", (order: Order) => {
  void obey(ls, order).then((done) => process.send?.(done));
});
// The parent is done with us, or gone.
process.once("disconnect", () => void ls.close());
process.once("SIGINT", () => process.exit(130));
process.send?.("ready");
