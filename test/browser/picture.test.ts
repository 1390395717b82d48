// The page that shows a verdict, seen in a browser: what is wrong has the color of a violation, and nothing
// else has.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
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

test.skipIf(chromium === undefined)(
  "a cycle is a graph, whose nodes lead on",
  { timeout: 60_000 },
  async () => {
    const page = await opened(cycle);
    expect(await page.evaluate("document.querySelectorAll('.graph .node').length")).toBe(2);
    expect(middleOf(await coloredOnCanvas(page)).count).toBeGreaterThan(500);
    const click = "dispatchEvent(new MouseEvent('click', { bubbles: true }))";
    await page.evaluate(`document.querySelectorAll('.graph .node')[1].${click}`);
    const detail = await page.evaluate<string>("document.getElementById('detail').textContent");
    expect(detail).toMatch(/^read.*\nbob/);
  },
);

test.skipIf(chromium === undefined)("it can be handled in every way", { timeout: 60_000 }, async () => {
  const operations = Array.from({ length: 600 }, (_, i): Operation => {
    return { ...write, client: i % 7, args: [`key ${i % 3}`, i], invoked: 2 * i, returned: 2 * i + 1 };
  });
  const [first, second] = [operations[0]!, operations[103]!];
  const anomalies = [
    { name: "one", explanation: "One.", key: "key 0", operations: [first] },
    {
      name: "two",
      explanation: "Two.",
      operations: [first, second],
      cycle: [{ from: second, to: first, relation: "rw", because: "it is" }],
    },
  ] as const;
  const times = Array.from({ length: 1_200 }, (_, i) => i * i);
  const page = await opened({ is: "violation", level: "serializable", anomalies }, { operations, times });
  for (const [id, value] of Object.entries({ anomaly: "1", key: "2", axis: "time" })) {
    await page.evaluate(`(() => {
      const choice = document.getElementById("${id}");
      choice.value = "${value}";
      choice.dispatchEvent(new Event("change"));
    })()`);
    await page.painted();
  }
  for (const id of ["nearer", "show-all", "farther", "nearer", "show-violation"]) {
    await page.evaluate(`document.getElementById("${id}").click()`);
    await page.painted();
  }
  for (const at of ["timeline", "overview"]) {
    const { x, y } = await boundsOf(page, at);
    await page.pointAt(x + 300, y + 20, { type: "mouseWheel", deltaX: 0, deltaY: -400 });
    await page.pointAt(x + 300, y + 20, { type: "mousePressed", button: "left", buttons: 1 });
    await page.pointAt(x + 200, y + 25, { buttons: 1 });
    await page.pointAt(x + 200, y + 25, { type: "mouseReleased", button: "left" });
  }
  await page.evaluate("document.getElementById('timeline').focus()");
  const keys = ["+", "-", "0", "v", "ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "x"];
  for (const key of keys) await page.press(key);
  expect(await page.evaluate("document.getElementById('detail').hidden")).toBe(false);
  await page.press("Escape");
  expect(await page.evaluate("document.getElementById('detail').hidden")).toBe(true);
  // Another key is shown; who asks for an operation that it hides is shown everything.
  await page.evaluate("document.querySelector('[data-anomaly=\"1\"] button').click()");
  expect(await page.evaluate("document.getElementById('key').value")).toBe("-1");
  expect(page.errors).toEqual([]);
});

async function opened(verdict: Verdict, of: History = history): Promise<Page> {
  const folder = await mkdtemp(join(tmpdir(), "lockstep-picture-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "verdict.html");
  await writeFile(file, verdictPage(of, verdict));
  return Page.open(pathToFileURL(file).href);
}

interface Dot {
  readonly x: number;
  readonly y: number;
}

function boundsOf(page: Page, id: string): Promise<{ x: number; y: number; width: number; height: number }> {
  return page.evaluate(`document.getElementById("${id}").getBoundingClientRect().toJSON()`);
}

/** The pixels of the timeline that have the color of a violation. */
async function coloredOnCanvas(page: Page): Promise<Dot[]> {
  const bounds = await boundsOf(page, "timeline");
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
