import type { SeededRandom } from "lockstep/base";
import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { freeze } from "../../rig/frozen.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const worker = fileURLToPath(new URL("worker.ts", import.meta.url));
const patienceMs = 15_000;

export interface CrewOptions {
  readonly address: string;
  /** The file that all write to. */
  readonly log: string;
  readonly role: string;
  readonly ttlMs: number;
  readonly random: SeededRandom;
}

/** The processes at work. */
export class Crew {
  readonly #options: CrewOptions;
  readonly #members = new Set<ChildProcess>();
  readonly #frozen = new Set<ChildProcess>();
  readonly #hiring = new Set<Promise<void>>();
  readonly #thawing = new Set<Promise<void>>();
  readonly #failures: string[] = [];
  #closed = false;

  constructor(options: CrewOptions) {
    this.#options = options;
  }

  /** Those that are not frozen. */
  get running(): ChildProcess[] {
    return [...this.#members].filter((child) => !this.#frozen.has(child));
  }

  hire(): Promise<void> {
    const { address, log, role, ttlMs, random } = this.#options;
    const args = [address, log, role, String(random.below(2 ** 31)), String(ttlMs)];
    // On the sources, and with the mistake in them that LOCKSTEP_MISTAKE names, if any.
    const execArgv = ["--import", "./test/simulation/source-loader.mjs"];
    const child = fork(worker, args, { cwd: root, execArgv, stdio: ["ignore", "inherit", "pipe", "ipc"] });
    this.#members.add(child);
    let complaint = "";
    child.stderr?.on("data", (data: Buffer) => (complaint += data.toString()));
    child.on("exit", (code, signal) => {
      // Killed is what we do ourselves.
      if (this.#members.delete(child) && code !== 0) {
        this.#failures.push(`${child.pid} ended with ${code ?? signal}: ${complaint}`);
      }
    });
    const ready = new Promise<void>((resolve) => {
      child.once("message", () => {
        resolve();
      });
      child.once("exit", () => {
        resolve();
      });
    });
    this.#hiring.add(ready);
    void ready.then(() => this.#hiring.delete(ready));
    return ready;
  }

  kill(child: ChildProcess): void {
    this.#members.delete(child);
    this.#frozen.delete(child);
    child.kill("SIGKILL");
  }

  freeze(child: ChildProcess, ms: number): Promise<void> {
    this.#frozen.add(child);
    // One in ten never wakes, but is killed in its sleep.
    const isDoomed = this.#options.random.chance(0.1);
    if (isDoomed) this.#members.delete(child);
    const thawed = freeze(child, ms, isDoomed ? "KILL" : "CONT").over.then(() => {
      this.#frozen.delete(child);
      if (isDoomed && !this.#closed) void this.hire();
    });
    this.#thawing.add(thawed);
    return thawed;
  }

  /** Lets everyone finish in good order; none may have failed. */
  async dismiss(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#thawing);
    await Promise.all(this.#hiring);
    const ends = [...this.#members].map((child) => new Promise((resolve) => child.once("exit", resolve)));
    for (const child of this.#members) child.send("stop");
    await Promise.race([Promise.all(ends), new Promise((resolve) => setTimeout(resolve, patienceMs))]);
    const stillThere = this.#members.size;
    expect({ failures: this.#failures, stillThere }).toEqual({ failures: [], stillThere: 0 });
  }

  end(): void {
    for (const child of this.#members) child.kill("SIGKILL");
  }
}
