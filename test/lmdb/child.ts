import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const loader = fileURLToPath(new URL("../../scripts/typescript.mjs", import.meta.url));

/**
 * Another process, which runs a TypeScript file against the built package; killed at the latest when the test
 * ends.
 */
export class Child {
  readonly process: ChildProcess;
  readonly messages: unknown[] = [];

  constructor(file: string, args: string[], options: { uid?: number } = {}) {
    const path = fileURLToPath(new URL(file, import.meta.url));
    this.process = fork(path, args, { execArgv: ["--import", loader], ...options });
    this.process.on("message", (message) => this.messages.push(message));
    onTestFinished(() => {
      this.process.kill("SIGKILL");
    });
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** The next message that comes; throws if the process ends instead. */
  next(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.process.once("message", resolve);
      this.process.once("exit", (code, signal) => {
        reject(new Error(`the child process ended with ${String(code ?? signal)}`));
      });
    });
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const gone = once(this.process, "exit");
    this.process.kill(signal);
    await gone;
  }
}
