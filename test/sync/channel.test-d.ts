// What a caller's editor says of channels, selects and actors.
import { Actor, Channel, select, trySelect, type Handling } from "lockstep/sync";
import { expectTypeOf, test } from "vitest";

declare const jobs: Channel<{ id: number }>;
declare const ticks: Channel<void>;
declare const names: Channel<string>;

test("a channel", () => {
  expectTypeOf(new Channel<string>({ capacity: 1 })).toEqualTypeOf<Channel<string>>();
  // @ts-expect-error -- how much it holds is for the caller to say
  new Channel<string>();
  // @ts-expect-error -- the same
  new Channel<string>({});
  expectTypeOf(jobs.receive()).resolves.toEqualTypeOf<{ id: number }>();
  expectTypeOf(jobs.receive({ timeoutMs: 5, signal: undefined })).resolves.toEqualTypeOf<{ id: number }>();
  expectTypeOf(jobs.tryReceive()).toEqualTypeOf<{ value: { id: number } } | null>();
  expectTypeOf(names.send("a")).toEqualTypeOf<Promise<void>>();
  expectTypeOf(names.trySend("a")).toEqualTypeOf<boolean>();
  void ticks.send();
  // @ts-expect-error -- a name is not a job
  void jobs.send("a");
  // @ts-expect-error -- trying never waits, so there is nothing to be patient for
  names.trySend("a", { timeoutMs: 5 });
});

test("a loop", async () => {
  for await (const name of names) expectTypeOf(name).toEqualTypeOf<string>();
});

test("a select tells by its key what happened", async () => {
  const selected = await select({ job: jobs.receiving(), name: names.receiving(), tick: ticks.sending() });
  expectTypeOf(selected.key).toEqualTypeOf<"job" | "name" | "tick">();
  switch (selected.key) {
    case "job":
      if (!selected.done) expectTypeOf(selected.value).toEqualTypeOf<{ id: number }>();
      else expectTypeOf(selected.value).toEqualTypeOf<undefined>();
      break;
    case "name":
      expectTypeOf(selected.value).toEqualTypeOf<string | undefined>();
      break;
    case "tick":
      expectTypeOf(selected.done).toEqualTypeOf<false>();
  }
  const tried = trySelect({ name: names.receiving() });
  expectTypeOf(tried).toEqualTypeOf<
    { key: "name"; done: false; value: string } | { key: "name"; done: true; value: undefined } | null
  >();
  // @ts-expect-error -- a channel is no case; say what to do with it
  void select({ names });
});

const actor = new Actor(() => ({
  deposit: async (amount: number) => amount,
  balance: () => 0,
  rename(name: string, { signal }: Handling) {
    signal.throwIfAborted();
    return { name };
  },
  list: (limit?: number) => [limit],
}));

test("an actor knows each message by its kind", () => {
  expectTypeOf(actor.ask("deposit", 5)).resolves.toEqualTypeOf<number>();
  expectTypeOf(actor.ask("balance")).resolves.toEqualTypeOf<number>();
  expectTypeOf(actor.ask("balance", undefined, { timeoutMs: 5 })).resolves.toEqualTypeOf<number>();
  expectTypeOf(actor.ask("rename", "b", { timeoutMs: 5 })).resolves.toEqualTypeOf<{ name: string }>();
  expectTypeOf(actor.ask("list")).resolves.toEqualTypeOf<(number | undefined)[]>();
  expectTypeOf(actor.tell("list", 3)).toEqualTypeOf<Promise<void>>();
  // @ts-expect-error -- nobody handles that
  void actor.ask("withdraw", 5);
  // @ts-expect-error -- how much?
  void actor.ask("deposit");
  // @ts-expect-error -- an amount is a number
  void actor.tell("deposit", "5");
  // @ts-expect-error -- a handler is a function
  new Actor(() => ({ balance: 0 }));
  // @ts-expect-error -- await what the state needs before the actor is made
  new Actor(async () => ({ balance: () => 0 }));
  // @ts-expect-error -- it would be taken for a promise
  new Actor(() => ({ then: () => 0 }));
  // @ts-expect-error -- there is no such policy
  new Actor(() => ({}), { onCrash: "panic" });
});
