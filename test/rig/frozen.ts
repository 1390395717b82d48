import { type ChildProcess, spawn } from "node:child_process";

/** Longer than any test keeps a process frozen. */
const thawedAfterSeconds = 12;

/**
 * Freezes a process; what this returns thaws it. After a while it thaws by a process of its own: on an engine
 * in shared memory this one may itself be among those who wait for a frozen writer, and then nothing here
 * runs until that goes on.
 */
export function freeze(child: ChildProcess): () => void {
  child.kill("SIGSTOP");
  const script = `sleep ${thawedAfterSeconds}; kill -CONT ${child.pid}`;
  const alarm = spawn("sh", ["-c", script], { stdio: "ignore" });
  alarm.unref();
  return () => {
    alarm.kill("SIGKILL");
    child.kill("SIGCONT");
  };
}
