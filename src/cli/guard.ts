import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync } from "node:fs";
import { Socket } from "node:net";

/**
 * A shell that ends a process when this one was killed, which no handler in this one could do. It waits at a
 * pipe of ours, and only we hold the other end: the kernel closes it whatever kills us.
 */
export class Guard {
  readonly #shell: ChildProcess;

  /** Before there is anything to guard, so that there is no moment without it. */
  constructor(graceMs: number) {
    // Handed over as text, since a shell reads a file as it goes and an upgrade may replace it. Without the
    // comments, which would be all that `ps` shows.
    const text = readFileSync(new URL("guard.sh", import.meta.url), "utf8");
    const script = text.replaceAll(/^#.*\n/gm, "");
    const tenths = String(Math.ceil(graceMs / 100));
    this.#shell = spawn("/bin/sh", ["-c", script, "lockstep-guard", tenths], {
      // It holds on to nothing of ours: no output that a reader waits for the end of, no directory.
      stdio: ["pipe", "ignore", "ignore"],
      cwd: "/",
      // Not of our process group: what is sent to that one, by a terminal or by kill, is not meant for it.
      detached: true,
    });
    this.#shell.on("error", ignore);
    this.#shell.stdin?.on("error", ignore);
    this.#shell.unref();
    if (this.#shell.stdin instanceof Socket) this.#shell.stdin.unref();
    if (this.#shell.pid === undefined) throw new Error("cannot start /bin/sh, which is to guard the command");
  }

  watch(pid: number): void {
    this.#shell.stdin?.write(`${pid}\n`);
  }

  /** The process has ended: its id may soon be another's. */
  dismiss(): void {
    this.#shell.stdin?.end("ended\n");
  }
}

function ignore(): void {
  // A guard that is gone cannot be told anything; what it guards goes on.
}
