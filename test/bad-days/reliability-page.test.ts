import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { days } from "./days.js";
import { engines, outcomesOf, pagePath, reliabilityPage } from "./reliability-page.js";

test("docs/reliability.md has every day and every engine, in the words of the code", async () => {
  const page = readFileSync(pagePath, "utf8");
  const outcomes = outcomesOf(page);
  for (const engine of engines) {
    const missing = days.filter((day) => !outcomes.get(engine)?.has(day));
    expect(
      missing.map(({ title }) => title),
      `on ${engine}`,
    ).toEqual([]);
  }
  expect(page).toBe(await reliabilityPage(outcomes));
});
