import { LockstepError } from "./errors.js";

/** Node's own, which deadlocks and transactions within transactions are found by. */
export function asyncHooks() {
  // Not imported, so that all the rest can be loaded where there is no such module.
  const { process } = globalThis as { process?: Partial<NodeJS.Process> };
  const hooks = process?.getBuiltinModule?.("node:async_hooks");
  if (hooks === undefined) {
    throw new LockstepError(
      "unsupported",
      "deadlocks are detected by async hooks; that needs Node 20.16 or later",
    );
  }
  return hooks;
}
