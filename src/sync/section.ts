import { LockstepError } from "../base/errors.js";
import type { Held } from "./held.js";

/** Acquires, runs the section, releases, whatever the section does. */
export function runHolding<H extends Held, T>(
  acquire: () => Promise<H>,
  section: (held: H) => T,
): Promise<Awaited<T>> {
  if (typeof section !== "function") {
    return Promise.reject(
      new LockstepError("bad-input", "run needs the section to run, as in run(async () => { … })"),
    );
  }
  return hold(acquire, section);
}

async function hold<H extends Held, T>(
  acquire: () => Promise<H>,
  section: (held: H) => T,
): Promise<Awaited<T>> {
  const held = await acquire();
  try {
    return await section(held);
  } finally {
    held[Symbol.dispose]();
  }
}
