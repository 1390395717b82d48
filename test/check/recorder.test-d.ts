// What a caller's editor says of recorded calls.
import { recorder, type Begun, type History } from "lockstep/check";
import { expectTypeOf, test } from "vitest";

const client = recorder().client("a");

test("a call gives what its run gives", () => {
  expectTypeOf(client.call("read", "x", () => Promise.resolve(1))).toEqualTypeOf<Promise<number>>();
  expectTypeOf(client.call("read", () => "text")).toEqualTypeOf<Promise<string>>();
  expectTypeOf(client.call("write", "x", 1, async () => undefined)).toEqualTypeOf<Promise<undefined>>();
  const maybe = client.call("cas", "x", 1, 2, (): Promise<boolean> | null => null);
  expectTypeOf(maybe).toEqualTypeOf<Promise<boolean | null>>();
});

test("a call has a name, and a function last", () => {
  // @ts-expect-error -- nothing to call
  void client.call("read");
  // @ts-expect-error -- the last one is no function
  void client.call("read", () => 1, "x");
  // @ts-expect-error -- without a name
  void client.call(() => 1);
  // @ts-expect-error -- a client is a string or a number
  recorder().client({ name: "a" });
});

test("what outcomeOf may answer", () => {
  recorder({ outcomeOf: (error) => (error instanceof RangeError ? "fail" : "unknown") });
  // @ts-expect-error -- what threw is never ok
  recorder({ outcomeOf: () => "ok" });
});

test("what else there is", () => {
  expectTypeOf(client.invoke("write", 1)).toEqualTypeOf<Begun>();
  expectTypeOf(recorder().history).toEqualTypeOf<History>();
});
