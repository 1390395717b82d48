interface Machine {
  availableParallelism(): number;
}

const os = (globalThis.process as NodeJS.Process | undefined)?.getBuiltinModule("node:os") as
  Machine | undefined;
const { navigator } = globalThis as { navigator?: { hardwareConcurrency?: number } };

/** How many threads run side by side here. */
export const coreCount = os?.availableParallelism() ?? navigator?.hardwareConcurrency ?? 1;
