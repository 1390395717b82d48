import { callLine } from "lockstep/check";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { isAlive, loop, until, useCommandLine, type CommandLine, type Running } from "./command-line.js";

interface Status {
  locks: { name: string; holder: { label: string }; queue: unknown[] }[];
  sessions: unknown[];
}

async function status(lockstep: CommandLine): Promise<Status> {
  return JSON.parse((await lockstep.run("status", "--json")).stdout) as Status;
}

/** The process id of a command that runs, and is guarded: it may print before its guard is told of it. */
async function pidOf(running: Running): Promise<number> {
  const [, pid] = await running.printed(/up (\d+)/);
  await new Promise((resolve) => setTimeout(resolve, 200));
  return Number(pid);
}

/** Starts one more who wants the lock, and resolves when it is in the queue. */
async function queued(lockstep: CommandLine, ...args: string[]): Promise<Running> {
  const running = lockstep.start(...args);
  await until("place in the queue", async () => (await status(lockstep)).locks[0]?.queue.length === 1);
  return running;
}

describe("lockstep run", () => {
  const lockstep = useCommandLine();

  test("exits with the command's status, and hands on its arguments as they are", async () => {
    const script = 'printf "%s|" "$@"; exit 7';
    const args = ["run", "deploy", "--", "sh", "-c", script, "sh", "-x", "--", "two words", "--timeout"];
    expect(await lockstep.run(...args)).toEqual({
      status: 7,
      stdout: "-x|--|two words|--timeout|",
      stderr: "",
    });
    expect((await status(lockstep)).sessions).toEqual([]);
  });

  test("exits with 128+n when the command dies by a signal", async () => {
    expect((await lockstep.run("run", "deploy", "--", "sh", "-c", "kill -9 $$")).status).toBe(137);
  });

  test("gives the command its lock, a rising token, and our input", async () => {
    const show = ["run", "a lock/of %", "--", "sh", "-c", 'echo "$LOCKSTEP_LOCK:$LOCKSTEP_TOKEN:$(cat)"'];
    const tokens: bigint[] = [];
    for (const input of ["one", "two"]) {
      const { stdout } = await lockstep.runWith({ input }, ...show);
      const [, token = "", read] = /^a lock\/of %:(\d+):(.*)\n$/.exec(stdout) ?? [];
      expect(read).toBe(input);
      tokens.push(BigInt(token));
    }
    expect(tokens[1]).toBeGreaterThan(tokens[0]!);
  });

  test("exits with 127 or 126 when there is no such command, or none to execute", async () => {
    const missing = await lockstep.run("run", "deploy", "--", "no-such-command");
    expect(missing).toMatchObject({ status: 127, stdout: "" });
    expect(missing.stderr).toMatch(/^lockstep: cannot find the command "no-such-command".*\n$/);
    const file = await lockstep.run("run", "deploy", "--", "/etc/passwd");
    expect(file).toMatchObject({ status: 126, stdout: "" });
    expect(file.stderr).toMatch(/^lockstep: cannot run .*\n$/);
  });

  test("exits with 75 when the lock is not got in time, and leaves the queue", async () => {
    const holder = lockstep.start("run", "deploy", "--", "sh", "-c", loop("exit 0"));
    await pidOf(holder);
    for (const timeout of ["0s", "300ms"]) {
      const refused = await lockstep.run("run", "deploy", "--timeout", timeout, "--", "echo", "ran");
      expect(refused).toMatchObject({ status: 75, stdout: "" });
      expect(refused.stderr).toMatch(/^lockstep: .*the lock "deploy".*; held for .* by .*:\d+ sh -c .*\n$/);
    }
    const { locks, sessions } = await status(lockstep);
    expect(locks).toMatchObject([{ name: "deploy", queue: [] }]);
    expect(sessions).toHaveLength(1);
    holder.kill("SIGTERM");
    expect((await holder.ended).status).toBe(0);
    expect((await lockstep.run("run", "deploy", "--timeout", "0s", "--", "echo", "ran")).stdout).toBe(
      "ran\n",
    );
  });

  test("waits for its turn", async () => {
    const first = lockstep.start("run", "deploy", "--", "sh", "-c", loop("echo done; exit 0"));
    await pidOf(first);
    const second = await queued(lockstep, "run", "deploy", "--", "echo", "second");
    expect(second.stdout).toBe("");
    first.kill("SIGTERM");
    expect((await second.ended).stdout).toBe("second\n");
    expect((await first.ended).stdout).toContain("done");
  });

  test("of many at once one has its turn at a time, as `lockstep check` finds", async () => {
    const directory = mkdtempSync(join(tmpdir(), "lockstep-run-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const history = join(directory, "history.jsonl");
    const clients = [1, 2, 3, 4, 5];
    const wanted = clients.map((client) => callLine(client, { client, name: "acquire", args: [] }));
    writeFileSync(history, wanted.join(""));
    // When it is given back, we are not told: at some time after the command is done.
    const script = `
      printf '{"id":%s,"event":"ok","result":%s}\\n' $1 $LOCKSTEP_TOKEN >> ${history}
      sleep 0.05
      printf '{"id":%s,"client":%s,"event":"invoke","name":"release"}\\n' -$1 $1 >> ${history}`;
    const ends = await Promise.all(
      clients.map((client) => lockstep.run("run", "job", "--", "sh", "-c", script, "sh", `${client}`)),
    );
    expect(ends).toEqual(clients.map(() => ({ status: 0, stdout: "", stderr: "" })));
    const judged = await lockstep.run("check", history, "--as", "fenced-mutex");
    expect(judged).toMatchObject({ status: 0, stdout: expect.stringContaining("valid") as string });
  });

  test("passes signals on and lives as long as the command", async () => {
    const names = ["HUP", "INT", "QUIT", "USR1", "USR2"] as const;
    const traps = names.map((name) => `trap 'echo got ${name}' ${name};`).join(" ");
    const running = lockstep.start("run", "deploy", "--", "sh", "-c", traps + loop("echo bye; exit 9"));
    await pidOf(running);
    for (const name of names) {
      running.kill(`SIG${name}`);
      await running.printed(new RegExp(`got ${name}\n`));
    }
    running.kill("SIGTERM");
    expect(await running.ended).toMatchObject({ status: 9, stderr: "" });
    expect(running.stdout).toMatch(/bye\n$/);
  });

  test("a signal ends the wait and leaves nothing in the queue", async () => {
    const holder = lockstep.start("run", "deploy", "--", "sh", "-c", loop("exit 0"));
    await pidOf(holder);
    const statuses = { SIGINT: 130, SIGTERM: 143 } as const;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      const waiter = await queued(lockstep, "run", "deploy", "--", "echo", "ran");
      waiter.kill(signal);
      expect(await waiter.ended).toEqual({ status: statuses[signal], stdout: "", stderr: "" });
      const { locks, sessions } = await status(lockstep);
      expect(locks).toMatchObject([{ queue: [] }]);
      expect(sessions).toHaveLength(1);
    }
    expect(holder.isOver).toBe(false);
  });
});

describe("lockstep run, when the lock is lost", () => {
  const lockstep = useCommandLine();

  async function freezeUntilLost(onTerm: string, ...options: string[]) {
    const args = ["run", "deploy", "--ttl", "1s", ...options, "--", "sh", "-c", loop(onTerm)];
    const holder = lockstep.start(...args);
    const pid = await pidOf(holder);
    const waiter = await queued(lockstep, "run", "deploy", "--", "echo", "mine now");
    holder.kill("SIGSTOP");
    expect((await waiter.ended).stdout).toBe("mine now\n");
    holder.kill("SIGCONT");
    return { outcome: await holder.ended, pid };
  }

  test("the command gets SIGTERM, and we exit with 76 and say why", async () => {
    const { outcome, pid } = await freezeUntilLost("echo got TERM; exit 0");
    expect(outcome).toEqual({
      status: 76,
      stdout: `up ${pid}\ngot TERM\n`,
      stderr: expect.stringMatching(/^lockstep: the lock "deploy" is lost: .*\n$/) as string,
    });
    expect(isAlive(pid)).toBe(false);
  });

  test("a command that ignores SIGTERM is killed after the grace", async () => {
    const { outcome, pid } = await freezeUntilLost("echo deaf", "--grace", "200ms");
    expect(outcome.status).toBe(76);
    expect(outcome.stdout).toContain("deaf");
    expect(isAlive(pid)).toBe(false);
  });
});

describe("lockstep run, killed with SIGKILL", () => {
  const lockstep = useCommandLine();

  test("hands over at once, and its command ends", async () => {
    const holder = lockstep.start("run", "deploy", "--ttl", "60s", "--", "sh", "-c", loop("exit 0"));
    const pid = await pidOf(holder);
    const waiter = await queued(lockstep, "run", "deploy", "--", "echo", "mine now");
    const killedAt = performance.now();
    holder.kill("SIGKILL");
    await waiter.printed(/mine now/);
    expect(performance.now() - killedAt).toBeLessThan(3000);
    await until("end of the command", () => !isAlive(pid));
  });

  test("a command that ignores SIGTERM is killed after the grace", async () => {
    const command = ["--", "sh", "-c", loop("echo deaf")];
    const holder = lockstep.start("run", "deploy", "--grace", "500ms", ...command);
    const pid = await pidOf(holder);
    holder.kill("SIGKILL");
    await holder.printed(/deaf/);
    expect(isAlive(pid)).toBe(true);
    await until("end of the command", () => !isAlive(pid));
  });
});
