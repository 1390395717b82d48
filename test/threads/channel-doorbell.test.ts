// Every order of steps in which sleepers and ringers of a ChannelDoorbell can meet, each step being one
// atomic operation of src/threads/channel-doorbell.ts and of the futex below it.
import { describe, expect, test } from "vitest";

interface Thread {
  readonly brings: number;
  at:
    | "look"
    | "try"
    | "mark"
    | "sleep"
    | "asleep"
    | "bring"
    | "check"
    | "wake"
    | "unmark"
    | "wake all"
    | "done";
  seen: number;
}

interface World {
  word: number;
  things: number;
  /** Who is asleep, in the order in which they went to sleep. */
  line: number[];
  threads: Thread[];
}

/** How the doorbell is built; the one that is wrong shows that the search would find a lost wake-up. */
type Build = "right" | "wakes once" | "marks after the last try";

const sleeper: Thread = { brings: 0, at: "look", seen: 0 };
const ringer = (brings: number): Thread => ({ brings, at: "bring", seen: 0 });

function step(world: World, index: number, build: Build): void {
  const thread = world.threads[index]!;
  switch (thread.at) {
    case "look":
      thread.seen = world.word;
      thread.at = "try";
      return;
    case "try":
      thread.at = "mark";
      if (world.things === 0) return;
      world.things--;
      thread.at = "done";
      return;
    case "mark":
      world.word |= 1;
      if (build === "marks after the last try") thread.seen = world.word;
      thread.at = "sleep";
      return;
    case "sleep":
      if (world.word === thread.seen) world.line.push(index);
      thread.at = world.word === thread.seen ? "asleep" : "look";
      return;
    case "bring":
      world.things += thread.brings;
      thread.at = "check";
      return;
    case "check":
      thread.seen = world.word;
      thread.at = (world.word & 1) === 0 ? "done" : "wake";
      return;
    case "wake":
      thread.at = wake(world, thread.brings) >= thread.brings ? "done" : "unmark";
      return;
    case "unmark":
      thread.at = world.word === thread.seen && build !== "wakes once" ? "wake all" : "done";
      if (world.word === thread.seen) world.word++;
      return;
    case "wake all":
      wake(world, Infinity);
      thread.at = "done";
      return;
    case "asleep":
    case "done":
  }
}

function wake(world: World, count: number): number {
  const woken = world.line.splice(0, count);
  for (const index of woken) world.threads[index]!.at = "look";
  return woken.length;
}

/** The worlds in which nobody can do anything more and somebody sleeps beside what it waits for. */
function lostWakeUps(threads: Thread[], build: Build): World[] {
  const lost: World[] = [];
  const seen = new Set<string>();
  const open: World[] = [{ word: 0, things: 0, line: [], threads }];
  for (let world = open.pop(); world; world = open.pop()) {
    const runnable = world.threads.flatMap(({ at }, index) =>
      at === "asleep" || at === "done" ? [] : [index],
    );
    if (runnable.length === 0 && world.things > 0 && world.line.length > 0) lost.push(world);
    for (const index of runnable) {
      const next = structuredClone(world);
      step(next, index, build);
      const key = JSON.stringify(next);
      if (!seen.has(key)) open.push(next);
      seen.add(key);
    }
  }
  return lost;
}

describe("no order of steps loses a wake-up", () => {
  const cases: Record<string, Thread[]> = {
    "one sleeper, two who bring one": [sleeper, ringer(1), ringer(1)],
    "two sleepers, two who bring one": [sleeper, sleeper, ringer(1), ringer(1)],
    "two sleepers, one who brings two": [sleeper, sleeper, ringer(2)],
    "two sleepers, one who brings two and one who brings one": [sleeper, sleeper, ringer(2), ringer(1)],
    "three sleepers, one who brings three": [sleeper, sleeper, sleeper, ringer(3)],
  };
  for (const [name, threads] of Object.entries(cases)) {
    test(name, () => {
      expect(lostWakeUps(threads, "right")).toEqual([]);
    });
  }

  test("and the search finds those that a wrong doorbell loses", () => {
    // The sleeper that comes back between the wake-up and the end of the mark.
    const comesBack = [sleeper, sleeper, ringer(2), ringer(1)];
    expect(lostWakeUps(comesBack, "wakes once")).not.toEqual([]);
    expect(lostWakeUps([sleeper, ringer(1)], "marks after the last try")).not.toEqual([]);
  });
});
