// Runs the real `lockstep`, as built, against a store in a directory of its own, or at a given address.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeAll, beforeEach } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const main = join(root, "dist/cli/main.js");

export interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface StartOptions {
  input?: string | Uint8Array;
  environment?: Record<string, string>;
}

/** A `lockstep` that is running, or was. */
export class Running {
  readonly ended: Promise<Outcome>;
  readonly process: ChildProcess;
  stdout = "";
  stderr = "";
  isOver = false;

  constructor(url: string, args: readonly string[], options: StartOptions) {
    const environment = { ...process.env, LOCKSTEP_URL: url, ...options.environment };
    const child = spawn(process.execPath, [main, ...args], { env: environment });
    this.process = child;
    child.stdin.on("error", () => undefined);
    child.stdin.end(options.input);
    child.stdout.setEncoding("utf8").on("data", (text: string) => (this.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.stderr += text));
    // Not "close": what a killed `lockstep` leaves behind may hold the pipes open.
    const drained = Promise.all([ended(child.stdout), ended(child.stderr)]);
    this.ended = new Promise((resolve) => {
      child.once("exit", (status) => {
        this.isOver = true;
        void Promise.race([drained, sleep(500)]).then(() => {
          resolve({ status, stdout: this.stdout, stderr: this.stderr });
        });
      });
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  /** Resolves with the match, once it is in what was printed. */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    return until(`${String(pattern)} in the output`, () => pattern.exec(this.stdout), this);
  }
}

export interface CommandLine {
  readonly url: string;
  /** Runs to the end. */
  run(...args: string[]): Promise<Outcome>;
  runWith(options: StartOptions, ...args: string[]): Promise<Outcome>;
  start(...args: string[]): Running;
}

/**
 * Call at the top of a suite: each test gets a new store, and what it leaves running is killed. With
 * `addressOf` it is the store behind that address, which is asked anew for each test.
 */
export function useCommandLine(addressOf = (directory: string) => `lmdb:${directory}`): CommandLine {
  let directory = "";
  let url = "";
  const running: Running[] = [];
  const start = (options: StartOptions, args: readonly string[]) => {
    const started = new Running(url, args, options);
    running.push(started);
    return started;
  };
  beforeAll(() => {
    // Builds only where something changed.
    execFileSync(process.execPath, [join(root, "scripts/prepare.mjs")], { stdio: "inherit" });
  }, 120_000);
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "lockstep-cli-"));
    url = addressOf(directory);
  });
  afterEach(async () => {
    for (const each of running) each.kill("SIGKILL");
    await Promise.all(running.splice(0).map((each) => each.ended));
    rmSync(directory, { recursive: true, force: true });
  });
  return {
    get url() {
      return url;
    },
    run: async (...args) => start({}, args).ended,
    runWith: async (options, ...args) => start(options, args).ended,
    start: (...args) => start({}, args),
  };
}

/** Asks again and again until the answer is there. */
export async function until<T>(
  awaited: string,
  ask: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  seen?: Running,
): Promise<T> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) {
      throw new Error(`no ${awaited}; stdout: ${seen?.stdout ?? ""} stderr: ${seen?.stderr ?? ""}`);
    }
    await sleep(20);
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** For `sh -c`: says its process id, and goes on until it is told to end, or for half a minute. */
export function loop(onTerm: string): string {
  const wait = "n=0; while [ $n -lt 600 ]; do sleep 0.05; n=$((n + 1)); done";
  return `trap '${onTerm}' TERM; echo "up $$"; ${wait}`;
}

async function ended(stream: NodeJS.ReadableStream): Promise<void> {
  return new Promise((resolve) => stream.once("end", resolve));
}
