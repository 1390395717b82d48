import type { Operation } from "lockstep/check";

/** So many who all want a lock before the first is granted it; then each has it, one after the other. */
export function crowdOfWaiters(count: number): Operation[] {
  const operations = Array.from({ length: count }, (_, index): Operation[] => {
    const call = { client: index, args: [], result: undefined, outcome: "ok" } as const;
    const granted = count + 3 * index;
    return [
      { ...call, name: "acquire", invoked: index, returned: granted },
      { ...call, name: "release", invoked: granted + 1, returned: granted + 2 },
    ];
  }).flat();
  return operations.sort((a, b) => a.invoked - b.invoked);
}
