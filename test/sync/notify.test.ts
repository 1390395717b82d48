import fc from "fast-check";
import type { Patience } from "lockstep/base";
import { Notify } from "lockstep/sync";
import { getEventListeners } from "node:events";
import { expect, test } from "vitest";
import {
  abortable,
  follow,
  HandClock,
  happen,
  expectNothingLeft,
  interleavings,
  refusal,
  settled,
} from "./outcome.js";
import { likeTheModel } from "./wait-list-model.js";

test("it does as the model does", async () => {
  const property = likeTheModel((clock, list) => {
    const notify = new Notify({ clock });
    let isRemembered = false;
    const one = () => {
      notify.notifyOne();
      if (!list.wakeFirst()) isRemembered = true;
    };
    const all = () => {
      notify.notifyAll();
      list.wakeAll();
    };
    return {
      wait: (patience) => notify.wait(patience),
      get waiting() {
        return notify.waiting;
      },
      actions: [one, one, all],
      goesOn: () => {
        const goesOn = isRemembered;
        isRemembered = false;
        return goesOn;
      },
    };
  });
  await fc.assert(property, { numRuns: 500 });
});

test("races in one turn: a call is never lost to one who gives up; in every order", async () => {
  const eventsOf = ["one", "another", "abort a", "time out b"] as const;
  for (const { order, pauses } of interleavings(eventsOf)) {
    const clock = new HandClock();
    const notify = new Notify({ clock });
    const { signal, abort } = abortable();
    const waits = [{ signal }, { timeoutMs: 1 }].map((patience) => follow(notify.wait(patience)));
    const events: Record<(typeof eventsOf)[number], () => void> = {
      one: () => notify.notifyOne(),
      another: () => notify.notifyOne(),
      "abort a": () => abort("enough"),
      "time out b": () => clock.fire(1),
    };
    await happen({ order: order.map((name) => events[name]), pauses });
    const woken = waits.filter(({ is }) => is === "done").length;
    expect({ order, waiting: notify.waiting, pending: clock.pending }).toEqual({
      order,
      waiting: 0,
      pending: 0,
    });
    // Each call has woken one, or is remembered for the next.
    const next = follow(notify.wait());
    await settled();
    expect({ order, pauses, is: next.is }).toEqual({ order, pauses, is: woken < 2 ? "done" : "waits" });
    // The first call goes to the first who is there.
    const call = Math.min(order.indexOf("one"), order.indexOf("another"));
    const isFirst = call < order.indexOf("abort a");
    expect({ order, is: waits[0]!.is }).toEqual({ order, is: isFirst ? "done" : "enough" });
  }
});

test("calls that nobody waits for are remembered as one", async () => {
  const notify = new Notify();
  for (let times = 0; times < 5; times++) notify.notifyOne();
  const waits = [follow(notify.wait()), follow(notify.wait())];
  await settled();
  expect(waits.map(({ is }) => is)).toEqual(["done", "waits"]);
});

test("a call to all is for those who wait, and is not remembered", async () => {
  const notify = new Notify();
  const before = [follow(notify.wait()), follow(notify.wait())];
  notify.notifyAll();
  const after = follow(notify.wait());
  await settled();
  expect([...before, after].map(({ is }) => is)).toEqual(["done", "done", "waits"]);
});

test("a wait that is refused leaves what is remembered to the next", async () => {
  const notify = new Notify();
  expect(await refusal(() => notify.wait({ timeoutMs: 0 }))).toBe("timeout");
  notify.notifyOne();
  expect(await refusal(() => notify.wait({ signal: AbortSignal.abort("before") }))).toBe("before");
  expect(await refusal(() => notify.wait({ timeoutMs: -1 }))).toBe("bad-input");
  expect(await refusal(() => notify.wait({ timeoutMs: 0 }))).toBe("none");
  expect(await refusal(() => notify.wait({ timeoutMs: 0 }))).toBe("timeout");
});

test("nonsense is refused, and changes nothing", async () => {
  expect(await refusal(() => new Notify({ permits: 1 } as object))).toBe("bad-input");
  const notify = new Notify({ name: "work" });
  for (const patience of [{ timeout: 5 }, { timeoutMs: NaN }, { signal: 1 }, null, 5]) {
    expect(await refusal(() => notify.wait(patience as Patience))).toBe("bad-input");
  }
  expect(notify.waiting).toBe(0);
});

test("a million waits that were given up leave nothing behind", async () => {
  const notify = new Notify();
  const shared = abortable();
  const staying = follow(notify.wait({ signal: shared.signal }));
  const round = async (rounds: number) => {
    for (let i = 0; i < rounds; i++) {
      const { signal, abort } = abortable();
      for (let each = 0; each < 500; each++) notify.wait({ signal }).catch(() => undefined);
      abort("enough");
      await Promise.resolve();
    }
  };
  await round(200);
  await expectNothingLeft(4e6, () => round(1800));
  expect([notify.waiting, getEventListeners(shared.signal, "abort").length]).toEqual([1, 1]);
  notify.notifyAll();
  await settled();
  expect([staying.is, getEventListeners(shared.signal, "abort").length]).toEqual(["done", 0]);
});
