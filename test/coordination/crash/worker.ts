// One process of a crash test, which kills it and freezes it: `worker.ts ADDRESS LOG ROLE SEED TTL`.
//
// It holds locks, or leads, again and again. Every line of the log is one write to a file opened for
// appending. Its time is taken before the guard is asked, so that a line that says `held` is a proof: at that
// time nobody else can have had it. What the section writes goes to a register in kv, which refuses a token
// that it has seen a higher one of; there a holder that woke too late does no harm, and a lost update would
// be seen. What is done with the registers goes to a history of its own, LOG and its process id.
import { appendFileSync } from "node:fs";
import { connect, isLockstepError, type Held, type Lockstep } from "lockstep";
import { SeededRandom } from "lockstep/base";
import { recorder, type RecordedClient } from "lockstep/check";

const [address = "", log = "", role = "", seed = "", ttlMs = ""] = process.argv.slice(2);
const random = new SeededRandom(Number(seed));
const stop = new AbortController();
process.on("message", () => {
  stop.abort();
});
process.on("disconnect", () => process.exit(1));

const record = recorder({ write: (line) => appendFileSync(`${log}.${process.pid}`, line) });

function say(what: string, held: Held): void {
  const at = process.hrtime.bigint();
  const isHeld = held.isHeld;
  const { name, token } = held;
  const line = { name, what, token: String(token), pid: process.pid, at: String(at), isHeld };
  appendFileSync(log, `${JSON.stringify(line)}\n`);
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function read(ls: Lockstep, task: RecordedClient, name: string) {
  const begun = task.invoke("read", name);
  const entry = await ls.kv.get(`register/${name}`);
  begun.ok(entry?.text);
  return entry;
}

/** Writes what `next` makes of the count, unless the register has seen a higher token. */
async function write(
  ls: Lockstep,
  task: RecordedClient,
  held: Held,
  next: (count: number) => number,
): Promise<number | undefined> {
  for (;;) {
    const entry = await read(ls, task, held.name);
    const { token, count } = JSON.parse(entry?.text ?? '{"token":"0","count":0}') as {
      token: string;
      count: number;
    };
    if (BigInt(token) > held.token) return undefined;
    const value = { token: String(held.token), count: next(count) };
    const text = JSON.stringify(value);
    const isWritten = await task.call("cas", held.name, entry?.text, text, async () => {
      const verdict = await ls.kv.put(`register/${held.name}`, text, { ifRevision: entry?.revision ?? 0n });
      return verdict.ok;
    });
    if (isWritten) return value.count;
  }
}

async function section(ls: Lockstep, task: RecordedClient, held: Held): Promise<void> {
  say("enter", held);
  // From here on the register refuses every holder before us.
  const count = await write(ls, task, held, (found) => found);
  if (count !== undefined) {
    await pause(random.below(25));
    await write(ls, task, held, () => count + 1);
  }
  say("exit", held);
}

async function holdLocks(ls: Lockstep, task: RecordedClient): Promise<void> {
  for (;;) {
    const name = random.chance(0.5) ? "a" : "b";
    const patience = random.chance(0.2) ? { timeoutMs: random.below(60) } : { signal: stop.signal };
    try {
      const held = await ls.lock(name).acquire(patience);
      await section(ls, task, held);
      await held[Symbol.asyncDispose]();
    } catch (error) {
      if (stop.signal.aborted) return;
      if (!isLockstepError(error, "timeout")) throw error;
    }
    if (stop.signal.aborted) return;
    await pause(random.below(5));
  }
}

async function lead(ls: Lockstep, task: RecordedClient): Promise<void> {
  try {
    for await (const term of ls.election("e").campaign({ value: String(process.pid), signal: stop.signal })) {
      await section(ls, task, term);
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
}

const ls = await connect(address, { ttlMs: Number(ttlMs) });
process.send?.("ready");
// Two tasks of one process: they wait in one line here, and in one place there.
const tasks = [1, 2].map((task) => record.client(`${process.pid}, task ${task}`));
await (role === "leader" ? lead(ls, tasks[0]!) : Promise.all(tasks.map((task) => holdLocks(ls, task))));
await ls.close();
process.exit(0);
