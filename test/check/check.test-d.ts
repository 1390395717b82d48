// What a caller's editor says of the promises that can be asked for.
import { check, register, type Verdict } from "lockstep/check";
import { expectTypeOf, test } from "vitest";

const judged = check({ operations: [] });

test("promises about operations are asked of objects", () => {
  expectTypeOf(judged.keeps("linearizable", register())).toEqualTypeOf<Verdict>();
  expectTypeOf(judged.keeps("causal", register())).toEqualTypeOf<Verdict>();
  // @ts-expect-error -- a promise about transactions
  judged.keeps("serializable", register());
});

test("promises about transactions are asked of workloads", () => {
  expectTypeOf(judged.keeps("serializable", "list-append")).toEqualTypeOf<Verdict>();
  expectTypeOf(judged.keeps("causal", "rw-register")).toEqualTypeOf<Verdict>();
  // @ts-expect-error -- a promise about operations
  judged.keeps("linearizable", "list-append");
  // @ts-expect-error -- no workload
  judged.keeps("serializable", "registers");
});
