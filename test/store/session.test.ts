import { LockstepError, ManualClock } from "lockstep/base";
import { beforeEach, describe, expect, test } from "vitest";
import { KeptSession, marginMs, type SessionEnd, type SessionLink } from "../../src/store/session.js";

const ttlMs = 900;
const validMs = ttlMs - marginMs(ttlMs);

/** A store that answers as told, and notes when it was asked. */
class ScriptedLink implements SessionLink {
  readonly renewedAt: number[] = [];
  ends = 0;
  answer: () => Promise<boolean> = () => Promise.resolve(true);
  answerEnd: () => Promise<void> = () => Promise.resolve();
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  renew(): Promise<boolean> {
    this.renewedAt.push(this.#clock.now());
    return this.answer();
  }

  end(): Promise<void> {
    this.ends++;
    return this.answerEnd();
  }
}

let clock: ManualClock;
let link: ScriptedLink;
let heard: SessionEnd[];

beforeEach(() => {
  clock = new ManualClock(5000);
  link = new ScriptedLink(clock);
  heard = [];
});

function open(askedAt = clock.now()): KeptSession {
  const session = new KeptSession("id", ttlMs, askedAt, link, clock);
  session.onEnd((reason) => heard.push(reason));
  return session;
}

function unreachable(): Promise<never> {
  return Promise.reject(new LockstepError("unavailable", "no route"));
}

/** An answer that comes so much later. */
function late(afterMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    clock.after(afterMs, () => {
      resolve(true);
    });
  });
}

describe("a session's validity", () => {
  test("counts from before the store was asked to open it, less a margin", () => {
    const askedAt = clock.now();
    clock.jump(200);
    expect(open(askedAt).validUntil).toBe(askedAt + validMs);
  });

  test("has a margin of a tenth of its time to live, and of half a second at most", () => {
    expect([10, 1000, 5000, 60_000].map(marginMs)).toEqual([1, 100, 500, 500]);
  });

  test("counts from the sending of a renewal, not from the reply", async () => {
    const session = open();
    link.answer = () => late(150);
    await clock.advance(300);
    expect(link.renewedAt).toEqual([5300]);
    expect(session.validUntil).toBe(5000 + validMs);
    await clock.advance(150);
    expect(session.validUntil).toBe(5300 + validMs);
  });

  test("is asked for anew every third of the time to live, whenever the replies come", async () => {
    open();
    link.answer = () => late(150);
    await clock.advance(1300);
    expect(link.renewedAt).toEqual([5300, 5600, 5900, 6200]);
    expect(heard).toEqual([]);
  });

  test("goes on for as long as the store answers", async () => {
    const session = open();
    await clock.advance(100 * ttlMs);
    expect(session.isValid()).toBe(true);
    expect(session.validUntil).toBeGreaterThan(clock.now() + ttlMs / 2);
  });

  test("is not given back by a reply that comes after the deadline", async () => {
    const session = open();
    link.answer = () => late(validMs - 300 + 1);
    await clock.advance(validMs - 1);
    expect(session.isValid()).toBe(true);
    await clock.advance(1);
    expect(heard).toEqual(["lost"]);
    await clock.advance(10 * ttlMs);
    expect(session.isValid()).toBe(false);
    expect(session.validUntil).toBe(5000 + validMs);
    expect(link.renewedAt).toEqual([5300]);
    expect(heard).toEqual(["lost"]);
  });

  test("ends at the deadline though the reply never comes", async () => {
    const session = open();
    link.answer = () => new Promise(() => undefined);
    await clock.advance(validMs);
    expect(heard).toEqual(["lost"]);
    expect(session.isValid()).toBe(false);
  });

  test("ends when the store no longer knows the session", async () => {
    const session = open();
    link.answer = () => Promise.resolve(false);
    await clock.advance(300);
    expect(heard).toEqual(["lost"]);
    expect(session.isValid()).toBe(false);
    await clock.advance(10 * ttlMs);
    expect(link.renewedAt).toEqual([5300]);
  });

  test("ends when the engine says so", async () => {
    const session = open();
    session.lose();
    session.lose();
    expect(heard).toEqual(["lost"]);
    expect(session.isValid()).toBe(false);
    await clock.advance(10 * ttlMs);
    expect(link.renewedAt).toEqual([]);
  });
});

describe("an unreachable store", () => {
  test("is asked again every tenth of the time to live, until the deadline", async () => {
    const session = open();
    link.answer = unreachable;
    await clock.advance(validMs - 1);
    expect(link.renewedAt).toEqual([5300, 5390, 5480, 5570, 5660, 5750]);
    expect(session.isValid()).toBe(true);
    await clock.advance(1);
    expect(heard).toEqual(["lost"]);
    link.answer = () => Promise.resolve(true);
    await clock.advance(10 * ttlMs);
    expect(link.renewedAt).toHaveLength(6);
    expect(session.isValid()).toBe(false);
  });

  test("that comes back in time is forgiven", async () => {
    const session = open();
    link.answer = unreachable;
    await clock.advance(500);
    link.answer = () => Promise.resolve(true);
    await clock.advance(100);
    expect(session.validUntil).toBe(5570 + validMs);
    await clock.advance(10 * ttlMs);
    expect(session.isValid()).toBe(true);
    expect(heard).toEqual([]);
  });
});

describe("a process that was frozen beyond the deadline", () => {
  test("sees at its first look that the session is over", () => {
    const session = open();
    clock.jump(validMs - 1);
    expect(session.isValid()).toBe(true);
    clock.jump(1);
    expect(heard).toEqual([]);
    expect(session.isValid()).toBe(false);
    expect(heard).toEqual(["lost"]);
  });

  test("sends no renewal when its timers run at last", async () => {
    const session = open();
    clock.jump(validMs);
    await clock.advance(10 * ttlMs);
    expect(link.renewedAt).toEqual([]);
    expect(heard).toEqual(["lost"]);
    expect(session.isValid()).toBe(false);
  });

  test("does not trust a reply that waited for it", async () => {
    const session = open();
    let reply: (known: boolean) => void = () => undefined;
    link.answer = () => new Promise((resolve) => (reply = resolve));
    await clock.advance(300);
    clock.jump(validMs);
    reply(true);
    await clock.advance(0);
    expect(session.isValid()).toBe(false);
    expect(session.validUntil).toBe(5000 + validMs);
    expect(link.renewedAt).toEqual([5300]);
  });

  test("goes on when it wakes before the deadline", async () => {
    const session = open();
    clock.jump(validMs - 10);
    await clock.advance(1);
    expect(link.renewedAt).toEqual([5000 + validMs - 10]);
    await clock.advance(10 * ttlMs);
    expect(session.isValid()).toBe(true);
  });
});

describe("end()", () => {
  test("tells the store once, and is over at once", async () => {
    const session = open();
    const ending = session.end();
    expect(session.isValid()).toBe(false);
    expect(heard).toEqual(["ended"]);
    await Promise.all([ending, session.end(), session.end()]);
    await clock.advance(10 * ttlMs);
    expect(link.ends).toBe(1);
    expect(link.renewedAt).toEqual([]);
    expect(heard).toEqual(["ended"]);
  });

  test("resolves when the keys are due to expire, if the store cannot be told", async () => {
    const session = open();
    // The last renewal reached the store, but its reply was lost: the store counts from then.
    link.answer = unreachable;
    link.answerEnd = unreachable;
    await clock.advance(310);
    const resolvedAt: number[] = [];
    const note = () => resolvedAt.push(clock.now());
    void session.end().then(note);
    await clock.advance(10);
    void session.end().then(note);
    await clock.advance(10 * ttlMs);
    expect(resolvedAt).toHaveLength(2);
    for (const at of resolvedAt) {
      expect(at).toBeGreaterThanOrEqual(5300 + ttlMs);
      expect(at).toBeLessThanOrEqual(5310 + ttlMs);
    }
    expect(link.ends).toBe(1);
  });

  test("is not undone by the reply to a renewal that was on its way", async () => {
    for (const known of [true, false]) {
      heard = [];
      const session = open();
      link.answer = () => late(50).then(() => known);
      await clock.advance(300);
      await session.end();
      const renewals = link.renewedAt.length;
      await clock.advance(10 * ttlMs);
      expect(session.isValid()).toBe(false);
      expect(heard).toEqual(["ended"]);
      expect(link.renewedAt).toHaveLength(renewals);
    }
  });

  test("of a lost session resolves at once", async () => {
    const session = open();
    session.lose();
    await session.end();
    expect(heard).toEqual(["lost"]);
  });
});

describe("onEnd()", () => {
  test("calls back at once when it is over already", () => {
    const session = open();
    session.lose();
    const late: SessionEnd[] = [];
    const callOff = session.onEnd((reason) => late.push(reason));
    expect(late).toEqual(["lost"]);
    callOff();
  });

  test("gives a way to call the callback off, for each time it was given", () => {
    const session = open();
    let calls = 0;
    const callback = () => {
      calls++;
    };
    const callOff = session.onEnd(callback);
    session.onEnd(callback);
    session.onEnd(callback);
    callOff();
    callOff();
    session.lose();
    expect(calls).toBe(2);
  });

  test("calls back in the order of asking, and once only", async () => {
    const session = open();
    const order: number[] = [];
    const late: SessionEnd[] = [];
    for (const i of [1, 2, 3]) session.onEnd(() => order.push(i));
    await clock.advance(0);
    await session.end();
    session.lose();
    expect(order).toEqual([1, 2, 3]);
    session.onEnd((reason) => late.push(reason));
    expect(late).toEqual(["ended"]);
  });
});
