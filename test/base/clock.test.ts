import { systemClock } from "lockstep/base";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

const day = 24 * 3600 * 1000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("a delay that is too long for one of Node's timers is kept all the same", () => {
  const callback = vi.fn();
  systemClock.after(60 * day, callback);
  vi.advanceTimersByTime(60 * day - 1);
  expect(callback).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(callback).toHaveBeenCalledTimes(1);
});

test("a long delay can be called off at each of its stages", () => {
  const callback = vi.fn();
  const timer = systemClock.after(60 * day, callback);
  vi.advanceTimersByTime(40 * day);
  timer.cancel();
  vi.advanceTimersByTime(100 * day);
  expect(callback).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});
