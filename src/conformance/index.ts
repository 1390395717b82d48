import { badInput } from "./bad-input.js";
import { closing } from "./closing.js";
import { commits } from "./commits.js";
import { concurrency } from "./concurrency.js";
import { conditions } from "./conditions.js";
import { expiry } from "./expiry.js";
import { inSetting, type Check, type Fixture, type Runner } from "./fixture.js";
import { guarantees } from "./guarantees.js";
import { queries } from "./queries.js";
import { sessions } from "./sessions.js";
import { values } from "./values.js";
import { watchRaces } from "./watch-races.js";
import { watches } from "./watches.js";

export { frozenClock, type Fixture, type Runner } from "./fixture.js";

const themes: Record<string, (check: Check) => void> = {
  guarantees,
  commits,
  conditions,
  values,
  queries,
  concurrency,
  watches,
  "watches in a race": watchRaces,
  sessions,
  expiry,
  close: closing,
  "bad input": badInput,
};

/**
 * Declares the tests that every engine must pass, each on a new and empty store that `open` gives it:
 *
 *     storeConformance({ describe, test }, "memory", async () => ({ … }));
 */
export function storeConformance(runner: Runner, engine: string, open: () => Promise<Fixture>): void {
  for (const [theme, checks] of Object.entries(themes)) {
    runner.describe(`${engine}: ${theme}`, () => {
      checks((name, body) => {
        runner.test(name, () => inSetting(open, body));
      });
    });
  }
}
