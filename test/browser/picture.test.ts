// The page that shows a verdict, seen in a browser: what is wrong has the color of a violation, and nothing else.
import { writeFile } from "node:fs/promises";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type History, type Operation, type Verdict } from "lockstep/check";
import { expect, onTestFinished, test } from "vitest";
import { verdictPage } from "../../src/check/picture/page.js";
import { chromium, Page } from "./chromium.js";
import { pixelsOf, type Pixels } from "./pixels.js";

const violationColor = 0xc8242c;

const write: Operation = {
  client: "ann",
  name: "write",
  args: ["</script><b>", 1],
  result: undefined,
  outcome: "ok",
  invoked: 0,
  returned: 2,
};
const early: Operation = { ...write, client: "bob", name: "read", result: 1, invoked: 1, returned: 3 };
const stale: Operation = { ...early, client: "cid", result: null, invoked: 4, returned: 5 };
const history: History = { operations: [write, early, stale] };

const violation: Verdict = {
  is: "violation",
  level: "linearizable",
  anomalies: [
    {
      name: "stale read",
      explanation: "It read nothing, though 1 had been written.",
      operations: [write, stale],
      attempt: {
        order: [write, early],
        state: "1",
        stuck: [{ operation: stale, because: "it read nothing, but there is 1" }],
      },
    },
  ],
};
const cycle: Verdict = {
  is: "violation",
  level: "serializable",
  anomalies: [
    {
      name: "G2-item",
      explanation: "Write skew.",
      operations: [write, early],
      cycle: [
        { from: write, to: early, relation: "rw", because: "one" },
        { from: early, to: write, relation: "rw", because: "the other" },
      ],
    },
  ],
};

test.skipIf(chromium === undefined)("the violation is to be seen", { timeout: 60_000 }, async () => {
  const page = await opened(violation);
  const bar = middleOf(await coloredOnCanvas(page));
  expect(bar.count, "pixels of the bar").toBeGreaterThan(500);
  // What stands there is the one that went wrong, and the page says why.
  await page.pointAt(bar.x, bar.y);
  const detail = await page.evaluate<string>("document.getElementById('detail').textContent");
  expect(detail).toContain('read("</script><b>", 1) → null');
  expect(detail).toContain("cannot be next: it read nothing, but there is 1");
});

test.skipIf(chromium === undefined)(
  "what is valid has nothing in that color",
  { timeout: 60_000 },
  async () => {
    const page = await opened({ is: "valid", level: "linearizable" });
    expect(await coloredOnCanvas(page)).toEqual([]);
    // There is a picture, all the same.
    await page.evaluate("document.getElementById('timeline').focus()");
    await page.press("ArrowRight");
    const detail = await page.evaluate<string>("document.getElementById('detail').textContent");
    expect(detail).toContain("ann");
  },
);

test.skipIf(chromium === undefined)("a cycle is a graph, and its nodes lead to the bars", async () => {
  const page = await opened(cycle);
  expect(await page.evaluate("document.querySelectorAll('.graph .node').length")).toBe(2);
  expect(middleOf(await coloredOnCanvas(page)).count).toBeGreaterThan(500);
  const click = "dispatchEvent(new MouseEvent('click', { bubbles: true }))";
  await page.evaluate(`document.querySelectorAll('.graph .node')[1].${click}`);
  const detail = await page.evaluate<string>("document.getElementById('detail').textContent");
  expect(detail).toMatch(/^read.*\nbob/);
});

async function opened(verdict: Verdict): Promise<Page> {
  const folder = await mkdtemp(join(tmpdir(), "lockstep-picture-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "verdict.html");
  await writeFile(file, verdictPage(history, verdict));
  return Page.open(pathToFileURL(file).href);
}

interface Dot {
  readonly x: number;
  readonly y: number;
}

/** The pixels of the timeline that have the color of a violation. */
async function coloredOnCanvas(page: Page): Promise<Dot[]> {
  const bounds = await page.evaluate<{ x: number; y: number; width: number; height: number }>(
    "document.getElementById('timeline').getBoundingClientRect().toJSON()",
  );
  const pixels: Pixels = pixelsOf(await page.screenshot());
  const colored: Dot[] = [];
  for (let y = Math.ceil(bounds.y); y < Math.min(bounds.y + bounds.height, pixels.height); y++) {
    for (let x = Math.ceil(bounds.x); x < Math.min(bounds.x + bounds.width, pixels.width); x++) {
      if (pixels.at(x, y) === violationColor) colored.push({ x, y });
    }
  }
  return colored;
}

/** One of them that has as many of them before it as after it. */
function middleOf(dots: readonly Dot[]): Dot & { readonly count: number } {
  const byColumn = dots.toSorted((a, b) => a.x - b.x);
  const middle = byColumn[byColumn.length >> 1] ?? { x: 0, y: 0 };
  return { ...middle, count: dots.length };
}
