// A server for tests: a process of our own on a port of our own, ended by its own pid.
import { type ChildProcess, execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createConnection } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

export interface ServerSpec {
  /** For messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Whom it runs as, where we are root; else it runs as we do. */
  readonly user?: string;
  /** How it is asked to end: SIGTERM, unless it is Postgres, which then waits for its clients. */
  readonly stopSignal?: NodeJS.Signals;
  /** When it is ready: that port of 127.0.0.1 accepts, a line says so, or a question is answered with yes. */
  readonly ready: number | RegExp | (() => Promise<boolean>);
}

/** A Java server on two busy cores takes some seconds; more than this is a fault. */
const startsWithinMs = 60_000;
/** Who has not ended by then does not hear. */
const endsWithinMs = 3_000;
const outputKept = 8192;

/** One server, which may be killed and started again on the same port and files. */
export class ServerProcess {
  readonly #spec: ServerSpec;
  #child: ChildProcess | undefined;
  #output = "";
  #exited: Promise<void> = Promise.resolve();

  private constructor(spec: ServerSpec) {
    this.#spec = spec;
  }

  /** Resolves when it is ready; a server that ends before rejects with its last words. */
  static async start(spec: ServerSpec): Promise<ServerProcess> {
    const server = new ServerProcess(spec);
    await server.#start();
    return server;
  }

  /** Of the process itself; it changes with a restart. */
  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined || !this.isRunning) throw new Error(`${this.#spec.name} does not run`);
    return pid;
  }

  get isRunning(): boolean {
    const { exitCode = null, signalCode = null, pid } = this.#child ?? {};
    return pid !== undefined && exitCode === null && signalCode === null;
  }

  /** The last that it said. */
  get output(): string {
    return this.#output;
  }

  /** Resolves when the process is gone, however it went. */
  get exited(): Promise<void> {
    return this.#exited;
  }

  /** SIGKILL, SIGSTOP, SIGCONT … It does not wait; `exited` does. */
  kill(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** Ends it, if it still runs, and starts it anew. */
  async restart(): Promise<void> {
    await this.stop();
    await this.#start();
  }

  /** By its signal; by SIGKILL where that is not heard. */
  async stop(): Promise<void> {
    if (!this.isRunning) return this.#exited;
    this.kill(this.#spec.stopSignal ?? "SIGTERM");
    // Who is frozen does not hear it.
    this.kill("SIGCONT");
    const late = setTimeout(() => {
      if (this.isRunning) this.kill("SIGKILL");
    }, endsWithinMs);
    await this.#exited;
    clearTimeout(late);
  }

  async #start(): Promise<void> {
    const { command, args, env = {}, cwd, user } = this.#spec;
    this.#output = "";
    // By a program, so that it is for the server alone: a library that is preloaded would be so for setpriv,
    // as root.
    const setting = ["env", ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
    const [program, ...rest] = [...wrapper(user), ...setting, command, ...args] as [string, ...string[]];
    const child = spawn(program, rest, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    const failed = once(child, "error").then(([error]) => this.#hear(String(error)));
    this.#exited = Promise.race([once(child, "exit"), failed]).then(() => {
      running.delete(child);
    });
    running.add(child);
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text: string) => this.#hear(text));
    }
    await this.#readiness();
  }

  #hear(text: string): void {
    this.#output = (this.#output + text).slice(-outputKept);
  }

  async #readiness(): Promise<void> {
    const { name } = this.#spec;
    const giveUpAt = Date.now() + startsWithinMs;
    while (!(await this.#isReady())) {
      if (!this.isRunning) throw new Error(`${name} ended before it was ready; it said:\n${this.#output}`);
      if (Date.now() > giveUpAt) {
        await this.stop();
        throw new Error(`${name} is not ready after ${startsWithinMs / 1000} s; it said:\n${this.#output}`);
      }
      await sleep(25);
    }
  }

  async #isReady(): Promise<boolean> {
    const { ready } = this.#spec;
    // Whoever answers on the port of a server that has ended is not it.
    if (!this.isRunning) return false;
    if (typeof ready === "number") return accepts(ready);
    return ready instanceof RegExp ? ready.test(this.#output) : ready();
  }
}

/** What is still to be ended, should this process end first. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/**
 * Linux itself ends the server when this process dies, even by SIGKILL. A server that refuses to run as root
 * runs as somebody else.
 */
function wrapper(user: string | undefined): string[] {
  if (process.platform !== "linux") return [];
  const identity = user === undefined || !isRoot ? [] : ["--reuid", user, "--regid", user, "--init-groups"];
  return ["setpriv", "--pdeathsig", "SIGKILL", ...identity];
}

const isRoot = process.getuid?.() === 0;

/** Runs a program to its end, as the user given where we are root; throws with what it said if it fails. */
export function runProgram(command: string, args: readonly string[], user?: string): string {
  const [program, ...rest] = [...wrapper(user), command, ...args] as [string, ...string[]];
  const { status, stdout, stderr, error } = spawnSync(program, rest, { encoding: "utf8" });
  if (status !== 0) throw new Error(`${command} failed: ${error?.message ?? ""}\n${stdout}\n${stderr}`);
  return stdout;
}

/** The same while the event loop turns, for a program that talks to this process. */
export async function runProgramAside(
  command: string,
  args: readonly string[],
  user?: string,
): Promise<void> {
  const [program, ...rest] = [...wrapper(user), command, ...args] as [string, ...string[]];
  await promisify(execFile)(program, rest);
}

/** Whether something accepts connections on a port of this host. */
export async function accepts(port: number): Promise<boolean> {
  const socket = createConnection({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
