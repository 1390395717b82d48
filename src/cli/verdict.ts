import type { KeyValueVerdict } from "../coordination/key-value.js";
import { entryJson, valueLine } from "./entry-text.js";
import { exitStatus } from "./exit-status.js";
import { printJson, printLine, say } from "./output.js";

/** Tells what became of a write: its revision, or what stands there instead. */
export async function reportVerdict(verdict: KeyValueVerdict, key: string, json: boolean): Promise<number> {
  if (json) {
    await printJson(
      verdict.ok ? verdict : { ok: false, current: verdict.current && entryJson(verdict.current) },
    );
  } else if (verdict.ok) {
    await printLine(verdict.revision.toString());
  }
  if (verdict.ok) return exitStatus.ok;
  const { current } = verdict;
  const state = current
    ? `is at revision ${current.revision.toString()} with the value ${valueLine(current)}`
    : "does not exist";
  say(`refused: ${JSON.stringify(key)} ${state}`);
  return exitStatus.no;
}
