import { type ChildProcess, spawn } from "node:child_process";

/** Longer than any test keeps a process frozen that it thaws itself. */
const thawedAfterMs = 12_000;

export interface Freeze {
  thaw(): void;
  /** Resolves when it is over, however it ended. */
  readonly over: Promise<void>;
}

/**
 * Freezes a process. After a while it is thawed, or killed, by a process of its own: on an engine in shared
 * memory this one may itself be among those who wait for a frozen writer, and then nothing here runs until
 * that goes on.
 */
export function freeze(child: ChildProcess, ms = thawedAfterMs, end: "CONT" | "KILL" = "CONT"): Freeze {
  child.kill("SIGSTOP");
  const script = `sleep ${ms / 1000}; kill -${end} ${child.pid}`;
  const alarm = spawn("sh", ["-c", script], { stdio: "ignore" });
  alarm.unref();
  const over = new Promise<void>((resolve) => {
    alarm.once("exit", () => {
      resolve();
    });
  });
  return {
    over,
    thaw: () => {
      alarm.kill("SIGKILL");
      child.kill("SIGCONT");
    },
  };
}
