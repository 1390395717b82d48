import { spawn, type ChildProcess } from "node:child_process";
import { systemClock, type Timer } from "../base/clock.js";
import { exitStatus, statusOfSignal } from "./exit-status.js";
import { Guard } from "./guard.js";
import { say } from "./output.js";

/** A command that runs with our own input and output, and that ends at the latest a grace after we do. */
export class GuardedCommand {
  /** Its exit status as a shell would say it; never rejects. */
  readonly ended: Promise<number>;
  readonly #process: ChildProcess;
  readonly #graceMs: number;
  #lastResort: Timer | undefined;

  constructor(command: readonly string[], environment: Record<string, string>, graceMs: number) {
    const [file = "", ...args] = command;
    this.#graceMs = graceMs;
    const guard = new Guard(graceMs);
    try {
      this.#process = spawn(file, args, { stdio: "inherit", env: { ...process.env, ...environment } });
    } catch (error) {
      guard.dismiss();
      throw error;
    }
    if (this.#process.pid !== undefined) guard.watch(this.#process.pid);
    this.ended = new Promise((resolve) => {
      const onEnd = (status: number) => {
        guard.dismiss();
        this.#lastResort?.cancel();
        resolve(status);
      };
      this.#process.once("exit", (code, signal) => {
        onEnd(signal ? statusOfSignal(signal) : (code ?? exitStatus.fault));
      });
      this.#process.on("error", (error) => {
        // Also told of a signal that could not be sent, when the command is running well.
        if (this.#process.pid === undefined) onEnd(statusOfFailedStart(file, error));
        else say(error.message);
      });
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Asks it to end, and makes it when the grace is over. */
  stop(): void {
    this.signal("SIGTERM");
    this.#lastResort ??= systemClock.after(this.#graceMs, () => {
      this.signal("SIGKILL");
    });
  }
}

function statusOfFailedStart(file: string, error: NodeJS.ErrnoException): number {
  if (error.code === "ENOENT") {
    say(`cannot find the command ${JSON.stringify(file)}; check its name and PATH`);
    return exitStatus.notFound;
  }
  say(`cannot run ${JSON.stringify(file)}: ${error.code ?? error.message}; is it an executable file?`);
  return exitStatus.notExecutable;
}
