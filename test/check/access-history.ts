import type { Operation } from "lockstep/check";

/**
 * Reads and writes, one after the other, a line each: `a write x 1`, `b read x 1`, `b read x nothing`,
 * `a cas x 1 2`; with `lost` at the end if nobody knows what became of it, or `failed`.
 */
export function accessHistory(text: string): Operation[] {
  const lines = text.split("\n").map((line) => line.trim());
  return lines
    .filter((line) => line !== "")
    .map((line, index) => {
      const words = line.split(" ");
      const last = words.at(-1);
      const outcome = last === "lost" ? "unknown" : last === "failed" ? "fail" : "ok";
      if (outcome !== "ok") words.pop();
      const [client, name, key, ...values] = words;
      const numbers = values.map((value) => (value === "nothing" ? null : Number(value)));
      const isRead = name === "read";
      return {
        client: client!,
        name: name!,
        args: isRead ? [key] : [key, ...numbers],
        result: outcome !== "ok" ? undefined : isRead ? numbers[0] : name === "cas" ? true : undefined,
        outcome,
        invoked: index * 2,
        returned: outcome === "unknown" ? Infinity : index * 2 + 1,
      };
    });
}
