import { badNetwork } from "./bad-network.js";
import { elections } from "./elections.js";
import { givingUp } from "./giving-up.js";
import { keyValue } from "./key-value.js";
import { locks } from "./locks.js";
import { loss } from "./loss.js";
import { onGround, type Check, type Ground } from "./setting.js";

const themes: Record<string, (check: Check) => void> = {
  "a lock": locks,
  "giving up": givingUp,
  loss,
  "a bad network": badNetwork,
  "an election": elections,
  kv: keyValue,
};

/**
 * What locks, elections and the key-value store must do on every engine, in whatever time the ground has.
 * What needs the exactness of a manual clock, or every order of a few steps, is tested on memory alone.
 */
export function recipes(engine: string, open: () => Promise<Ground>): void {
  for (const [title, theme] of Object.entries(themes)) onGround(open, `${engine}: ${title}`, theme);
}
