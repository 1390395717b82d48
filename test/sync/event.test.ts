import fc from "fast-check";
import type { Patience } from "lockstep/base";
import { Event } from "lockstep/sync";
import { expect, test } from "vitest";
import { abortable, follow, HandClock, happen, interleavings, refusal, settled } from "./outcome.js";
import { likeTheModel } from "./wait-list-model.js";

test("it does as the model does", async () => {
  const property = likeTheModel((clock, list) => {
    const event = new Event({ clock });
    let isSet = false;
    const set = () => {
      event.set();
      isSet = true;
      list.wakeAll();
    };
    const reset = () => {
      event.reset();
      isSet = false;
    };
    return {
      wait: (patience) => event.wait(patience),
      get waiting() {
        expect(event.isSet).toBe(isSet);
        return event.waiting;
      },
      actions: [set, reset],
      goesOn: () => isSet,
    };
  });
  await fc.assert(property, { numRuns: 500 });
});

test("races in one turn, in every order: who is there when it is set goes on", async () => {
  const eventsOf = ["set", "reset", "abort a", "time out b"] as const;
  for (const { order, pauses } of interleavings(eventsOf)) {
    const clock = new HandClock();
    const event = new Event({ clock });
    const { signal, abort } = abortable();
    const waits = [{ signal }, { timeoutMs: 1 }, {}].map((patience) => follow(event.wait(patience)));
    const events: Record<(typeof eventsOf)[number], () => void> = {
      set: () => event.set(),
      reset: () => event.reset(),
      "abort a": () => abort("enough"),
      "time out b": () => clock.fire(1),
    };
    await happen({ order: order.map((name) => events[name]), pauses });
    const setAt = order.indexOf("set");
    const a = order.indexOf("abort a") < setAt ? "enough" : "done";
    const b = order.indexOf("time out b") < setAt ? "timeout" : "done";
    expect({ order, pauses, is: waits.map(({ is }) => is) }).toEqual({ order, pauses, is: [a, b, "done"] });
    expect([event.isSet, event.waiting, clock.pending]).toEqual([order.indexOf("reset") < setAt, 0, 0]);
  }
});

test("all go on in the order in which they came", async () => {
  const event = new Event();
  const order: number[] = [];
  const all = [1, 2, 3].map((who) => event.wait().then(() => order.push(who)));
  event.set();
  event.reset();
  await Promise.all(all);
  expect(order).toEqual([1, 2, 3]);
});

test("who waits while it is set goes on at once, even without time to wait", async () => {
  const event = new Event();
  expect(await refusal(() => event.wait({ timeoutMs: 0 }))).toBe("timeout");
  event.set();
  event.set();
  expect(await refusal(() => event.wait({ timeoutMs: 0 }))).toBe("none");
  expect(await refusal(() => event.wait({ signal: AbortSignal.abort("before") }))).toBe("before");
});

test("nonsense is refused, and changes nothing", async () => {
  expect(await refusal(() => new Event({ isSet: true } as object))).toBe("bad-input");
  const event = new Event({ name: "ready" });
  for (const patience of [{ timeout: 5 }, { timeoutMs: -1 }, { timeoutMs: NaN }, { signal: 1 }, null, 5]) {
    expect(await refusal(() => event.wait(patience as Patience))).toBe("bad-input");
    expect(() => event.wait(patience as Patience).catch(() => undefined)).not.toThrow();
  }
  await settled();
  expect([event.waiting, event.isSet]).toEqual([0, false]);
  await expect(event.wait({ timeoutMs: 0 })).rejects.toThrow(
    'there was no time to wait for the event "ready"',
  );
});
