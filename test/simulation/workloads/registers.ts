import { isLockstepError } from "lockstep/base";
import { casRegister, recorder, type Operation } from "lockstep/check";
import { playCompany, type Member } from "./company.js";
import { judged, type Workload } from "./workload.js";

const keys = Array.from({ length: 5 }, (_, index) => `key ${index}`);

/** What a conditional write answers when it finds another value. */
interface Refusal {
  readonly found: string | undefined;
}

/** Everybody reads and writes every key, at times only over what was read before. */
export const registers: Workload = {
  name: "registers",
  async play(world, minutes) {
    const record = recorder({ clock: world.clock, outcomeOf });
    let writes = 0;
    const task = (key: string) => async (member: Member) => {
      const { process, client, id } = member;
      const recorded = record.client(`${id} ${key}`);
      await process.sleep(process.random.below(5000));
      const what = process.random.next();
      const value = `${++writes}`;
      if (what < 0.2) {
        await recorded.call("write", key, value, async () => {
          await client.kv.put(key, value);
        });
        return;
      }
      const read = recorded.invoke("read", key);
      const entry = await client.kv.get(key);
      read.ok(entry?.text);
      if (what < 0.5) return;
      await recorded.call("cas", key, entry?.text, value, async () => {
        const verdict = await client.kv.put(key, value, { ifRevision: entry?.revision ?? 0n });
        return verdict.ok || ({ found: verdict.current?.text } satisfies Refusal);
      });
    };
    const findings = await playCompany(world, { minutes, tasks: keys.map(task) });
    const operations = record.history.operations;
    return { grants: 0, lockHours: 0, findings: [...findings, ...judged(told(operations), casRegister())] };
  },
};

function outcomeOf(error: unknown): "fail" | "unknown" {
  return isLockstepError(error) && error.applied === "no" ? "fail" : "unknown";
}

/**
 * The same history, in terms of a register. A refusal says what it found: it is a read. A write whose outcome
 * is unknown was made before the first who saw its value had it, and may be made a second time. If nobody saw
 * it, it may as well not have been made: values are never written twice, so whatever came after it did not
 * look at it, and can follow the one before just as well.
 */
function told(operations: readonly Operation[]): Operation[] {
  const told: Operation[] = [];
  const seenBy = new Map<unknown, number>();
  for (const operation of operations) {
    const { name, args, result, outcome, returned } = operation;
    const refusal = name === "cas" && typeof result === "object" ? (result as Refusal) : undefined;
    if (name === "read" && outcome === "unknown") continue;
    told.push(refusal ? { ...operation, name: "read", args: [args[0]], result: refusal.found } : operation);
    const seen = refusal ? refusal.found : name === "cas" ? args[1] : result;
    if (outcome === "ok") seenBy.set(seen, Math.min(returned, seenBy.get(seen) ?? Infinity));
  }
  return told.flatMap((operation) => {
    const { name, args, outcome, invoked } = operation;
    if (outcome !== "unknown") return operation;
    const returned = seenBy.get(args.at(-1));
    if (returned === undefined) return [];
    const made = { ...operation, outcome: "ok", result: name === "cas", returned: returned - 0.5 } as const;
    return name === "cas" ? made : [made, { ...operation, invoked: invoked + 0.5 }];
  });
}
