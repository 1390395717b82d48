import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { LockstepError, type LockstepErrorCode } from "lockstep/base";
import { freeze, type Freeze } from "../rig/frozen.js";
import type { Order, Report } from "./actor.js";
import type { Belief, Duties, Granted } from "./duties.js";
import type { Witness } from "./witness.js";

type Ask = <D extends Order["duty"]>(
  duty: D,
  ...args: Parameters<Duties[D]>
) => Promise<Awaited<ReturnType<Duties[D]>>>;

/** Somebody who wants locks; all that it is granted and believes comes before the witness. */
export class Party {
  readonly name: string;
  readonly #witness: Witness;
  readonly #ask: Ask;
  readonly #tokens = new Map<string, bigint>();

  constructor(name: string, witness: Witness, ask: Ask) {
    this.name = name;
    this.#witness = witness;
    this.#ask = ask;
  }

  /** Asks, and asks again while the store is away, until it is granted. */
  acquire(lock = "lock"): Promise<Granted> {
    return this.#granted(lock, this.#ask("acquire", lock));
  }

  /** Asks once; 'timeout' if it was not granted in time, and what else may happen to a single call. */
  acquireOnce(lock = "lock", timeoutMs?: number): Promise<Granted> {
    return this.#granted(lock, this.#ask("acquireOnce", lock, timeoutMs));
  }

  async believes(lock = "lock"): Promise<Belief> {
    return this.#believed(lock, await this.#ask("believes", lock));
  }

  async isHeld(lock = "lock"): Promise<boolean> {
    return (await this.believes(lock)).isHeld;
  }

  async block(ms: number, lock = "lock"): Promise<Belief> {
    return this.#believed(lock, await this.#ask("block", ms, lock));
  }

  async release(lock = "lock"): Promise<void> {
    const at = await this.#ask("release", lock);
    this.#believed(lock, { isHeld: true, at, isWarned: false });
  }

  async openSessions(count: number, ttlMs: number, prefix: string): Promise<void> {
    await this.#ask("openSessions", count, ttlMs, prefix);
  }

  /** Writes to what the lock protects without a look at whether it still has it; whether that was taken. */
  write(lock = "lock"): boolean {
    const token = this.#tokens.get(lock);
    if (token === undefined) throw new Error(`${this.name} was never granted ${lock}`);
    return this.#witness.write(lock, token);
  }

  #granted(lock: string, asked: Promise<Granted>): Promise<Granted> {
    const granted = asked.then((grant) => {
      this.#tokens.set(lock, grant.token);
      this.#witness.granted(lock, this.name, grant);
      return grant;
    });
    // A day that has failed does not wait for what it asked for.
    granted.catch(() => undefined);
    return granted;
  }

  #believed(lock: string, belief: Belief): Belief {
    this.#witness.believed(lock, this.name, belief);
    return belief;
  }
}

/** A party in a process of its own. */
export class RemoteParty extends Party {
  readonly process: ChildProcess;
  #frozen: Freeze | undefined;

  private constructor(name: string, witness: Witness, child: ChildProcess) {
    const waiting = new Map<number, (report: Report) => void>();
    child.on("message", (report: Report) => {
      waiting.get(report.id)?.(report);
      waiting.delete(report.id);
    });
    let orders = 0;
    super(name, witness, async (duty, ...args) => {
      const id = ++orders;
      const reported = new Promise<Report>((resolve) => waiting.set(id, resolve));
      child.send({ id, duty, args } satisfies Order);
      const { result, error } = await reported;
      if (error !== undefined) throw new LockstepError(error as LockstepErrorCode, `${name}: ${error}`);
      return result as never;
    });
    this.process = child;
  }

  static async start(
    name: string,
    witness: Witness,
    how: { readonly address: string; readonly ttlMs: number; readonly env?: Record<string, string> },
  ): Promise<RemoteParty> {
    const child = fork(fileURLToPath(new URL("actor.ts", import.meta.url)), [how.address, `${how.ttlMs}`], {
      execArgv: ["--import", fileURLToPath(new URL("../simulation/source-loader.mjs", import.meta.url))],
      env: { ...process.env, ...how.env },
      // By this, bigints go through.
      serialization: "advanced",
    });
    const ended = once(child, "exit").then(() => {
      throw new Error(`${name} ended before it was ready`);
    });
    await Promise.race([once(child, "message"), ended]);
    ended.catch(() => undefined);
    return new RemoteParty(name, witness, child);
  }

  freeze(): void {
    this.#frozen = freeze(this.process);
  }

  thaw(): void {
    this.#frozen?.thaw();
  }

  /** As by `kill -9`: it says good-bye to nobody. */
  async kill(): Promise<void> {
    const { process } = this;
    if (process.exitCode !== null || process.signalCode !== null) return;
    const gone = once(process, "exit");
    process.kill("SIGKILL");
    await gone;
  }
}
