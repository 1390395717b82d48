import { describe, valueText, type Operation } from "./history.js";

/** As people read it in a picture or a table: `write("x", 1)`, and of a transaction `append x 1, r y [2]`. */
export function operationText(operation: Operation): string {
  return transactionText(operation) ?? describe(operation);
}

/** Its reads and writes with what they gave, if it is known; undefined if it is no transaction. */
function transactionText({ args: [called], result, outcome }: Operation): string | undefined {
  const isAnswered = Array.isArray(result);
  const parts: unknown = isAnswered ? result : called;
  const isTransaction = [called, parts].every((list) => Array.isArray(list) && list.every(Array.isArray));
  if (!isTransaction) return undefined;
  const words = (parts as unknown[][]).map((part) => {
    const [name, key, value] = part.map((each) => (typeof each === "string" ? each : valueText(each)));
    // Before the answer nobody knows what a read gives.
    const isOpen = part.length < 3 || (!isAnswered && part[2] === null);
    return isOpen ? `${name} ${key}` : `${name} ${key} ${value}`;
  });
  return words.join(", ") + { ok: "", fail: " failed", unknown: " → ?" }[outcome];
}
