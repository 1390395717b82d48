// One of several processes that want the same lock again and again; it notes when it asked for the lock, had
// it and gave it back, by a clock that is the same in all processes.
import { setTimeout as sleep } from "node:timers/promises";
import { openContender } from "./contender.js";

export const insideMs = 1;
export const outsideMs = 5;

export interface Go {
  /** The reading of the clock at which to begin, in nanoseconds. */
  readonly from: string;
  readonly forMs: number;
}

/** In milliseconds since `Go.from`. */
export interface Section {
  readonly asked: number;
  readonly acquired: number;
  readonly releasing: number;
}

const [module, name, place] = process.argv.slice(2) as [string, string, string];
const contender = await openContender(module, name, place);
const acquire = contender.lock("bench");

process.once("message", ({ from, forMs }: Go) => {
  void contend(BigInt(from), forMs).then((sections) => process.send?.(sections));
});
process.once("disconnect", () => void contender.close());
process.send?.("ready");

async function contend(from: bigint, forMs: number): Promise<Section[]> {
  const now = () => Number(process.hrtime.bigint() - from) / 1e6;
  const sections: Section[] = [];
  await sleep(Math.max(0, -now()));
  while (now() < forMs) {
    const asked = now();
    const release = await acquire();
    const acquired = now();
    await sleep(insideMs);
    const releasing = now();
    await release();
    sections.push({ asked, acquired, releasing });
    await sleep(outsideMs);
  }
  return sections;
}
