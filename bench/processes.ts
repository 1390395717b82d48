import { fork, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** A process of a bench: it is told what to do, and answers. */
export class Worker {
  readonly #child: ChildProcess;

  /**
   * Starts a file of this folder with arguments; `flags` are Node's own. Plain JavaScript needs no loader.
   */
  constructor(file: string, args: readonly string[], flags: readonly string[] = []) {
    const path = fileURLToPath(new URL(file, import.meta.url));
    const loader = file.endsWith(".mjs") ? [] : process.execArgv;
    this.#child = fork(path, args, { execArgv: [...loader, ...flags] });
    started.add(this.#child);
    this.#child.once("exit", () => started.delete(this.#child));
  }

  tell(message: object | number): void {
    this.#child.send(message);
  }

  /** The next thing it says. */
  answer<T>(): Promise<T> {
    return new Promise((resolve, reject) => {
      const onExit = (status: number | null) => {
        reject(new Error(`a process of the bench ended with status ${status} before it answered`));
      };
      this.#child.once("exit", onExit);
      this.#child.once("message", (answer) => {
        this.#child.off("exit", onExit);
        resolve(answer as T);
      });
    });
  }

  /** Lets it finish by itself. */
  async end(): Promise<void> {
    const { exitCode, signalCode } = this.#child;
    if (exitCode !== null || signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once("exit", resolve));
    if (this.#child.connected) this.#child.disconnect();
    await gone;
  }
}

const started = new Set<ChildProcess>();
const directories = new Set<string>();

process.once("exit", () => {
  for (const child of started) child.kill("SIGKILL");
  for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
});

/** Runs with a directory that is gone afterwards, however it ends. */
export async function inDirectory<T>(run: (directory: string) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), "lockstep-bench-"));
  directories.add(directory);
  try {
    return await run(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
    directories.delete(directory);
  }
}
