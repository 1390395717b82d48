import { expect, test } from "vitest";
import { isAlive, loop, until, useCommandLine, type Running } from "./command-line.js";

const lockstep = useCommandLine();

interface Holding {
  holder: { value: string; token: string };
  queue: { value: string }[];
}

async function election(): Promise<Holding | undefined> {
  const { stdout } = await lockstep.run("status", "--json");
  return (JSON.parse(stdout) as { elections: Holding[] }).elections[0];
}

/** Starts a candidate, and resolves when it stands. */
async function candidate(value: string, ...options: string[]): Promise<Running> {
  const work = `echo "$LOCKSTEP_ELECTION $LOCKSTEP_TOKEN"; ${loop("echo stopped; exit 5")}`;
  const running = lockstep.start("elect", "boss", "--value", value, ...options, "--", "sh", "-c", work);
  await until("candidacy", async () => {
    const standing = await election();
    return standing && [standing.holder, ...standing.queue].some((each) => each.value === value);
  });
  return running;
}

test("one leads; when it is killed, the other one does", async () => {
  const first = await candidate("a", "--ttl", "60s");
  const [, token = "", pid = ""] = await first.printed(/boss (\d+)\nup (\d+)/);
  const second = await candidate("b", "--ttl", "60s");
  expect(second.stdout).toBe("");
  first.kill("SIGKILL");
  const [, next = ""] = await second.printed(/boss (\d+)\nup/);
  expect(BigInt(next)).toBeGreaterThan(BigInt(token));
  expect(await election()).toMatchObject({ holder: { value: "b", token: next }, queue: [] });
  await until("end of the first one's command", () => !isAlive(Number(pid)));
});

test("a leader that froze stops its command and stands again", async () => {
  const first = await candidate("a", "--ttl", "1s");
  await first.printed(/up/);
  const second = await candidate("b");
  first.kill("SIGSTOP");
  await second.printed(/up/);
  first.kill("SIGCONT");
  await first.printed(/stopped/);
  await until("new candidacy", async () => (await election())?.queue[0]?.value === "a");
  second.kill("SIGTERM");
  expect((await second.ended).status).toBe(5);
  await first.printed(/up[^]*boss \d+\nup/);
  expect(first.stderr).toMatch(/^lockstep: the term of "boss" is lost: .*\n$/);
});

test("ends with its command's status; a signal ends a mere candidacy", async () => {
  const leader = await candidate("a");
  await leader.printed(/up/);
  const other = await candidate("b");
  other.kill("SIGINT");
  expect(await other.ended).toEqual({ status: 130, stdout: "", stderr: "" });
  leader.kill("SIGTERM");
  expect((await leader.ended).status).toBe(5);
  expect(await election()).toBeUndefined();
});
