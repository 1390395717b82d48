// What the page says and what it is drawn from. Whether it can be seen is for test/browser/picture.test.ts.
import { readFileSync } from "node:fs";
import { SeededRandom } from "lockstep/base";
import type { Anomaly, History, Operation, Verdict } from "lockstep/check";
import { describe, expect, test } from "vitest";
import { drawingOf, drawnOperations, labelOf, mostDrawn } from "../../src/check/picture/drawing.js";
import { Geometry } from "../../src/check/picture/geometry.js";
import { html, jsonIn } from "../../src/check/picture/html.js";
import { verdictPage } from "../../src/check/picture/page.js";
import { Scene } from "../../src/check/picture/scene.js";
import { Viewport } from "../../src/check/picture/viewport.js";
import { randomHistory, toyRegister } from "./random-histories.js";

function operation(
  client: string,
  invoked: number,
  returned: number,
  rest: Partial<Operation> = {},
): Operation {
  const outcome = returned === Infinity ? "unknown" : "ok";
  return { client, name: "read", args: [], result: undefined, outcome, invoked, returned, ...rest };
}

function anomalyOf(rest: Partial<Anomaly>): Anomaly {
  return { name: "made up", explanation: "made up", operations: [], ...rest };
}

function violationOf(...anomalies: [Anomaly, ...Anomaly[]]): Verdict {
  return { is: "violation", level: "linearizable", anomalies };
}

function sceneOf(operations: Operation[], anomaly?: Anomaly, history: Partial<History> = {}): Scene {
  const drawing = drawingOf({ operations, ...history }, operations, anomaly ? [anomaly] : []);
  return new Scene(drawing);
}

/** As a page would show it in a canvas of that size. */
function geometryOf(scene: Scene, width: number, height: number): Geometry {
  const geometry = new Geometry(scene, new Viewport());
  geometry.viewport.reset(scene.last, Math.min(scene.step * 4, scene.last));
  geometry.resize(width, height, 80);
  return geometry;
}

const scriptFiles = [
  "viewport",
  "scene",
  "geometry",
  "sheet",
  "bars",
  "links",
  "overview",
  "painter",
  "controls",
];

const hostile = `</script><b title='x' onload="y">&`;

describe("the page", () => {
  const first = operation("a", 0, 2, { name: "write", args: [hostile, 1] });
  const second = operation(hostile, 1, 3, { args: [hostile], result: hostile });
  const history = { operations: [first, second] };
  const anomaly = anomalyOf({
    name: hostile,
    explanation: hostile,
    operations: [first, second],
    key: hostile,
    cycle: [
      { from: first, to: second, relation: hostile, because: hostile },
      { from: second, to: first, relation: "rw", because: "it did not see it" },
    ],
    attempt: { order: [first], state: hostile, stuck: [{ operation: second, because: hostile }] },
  });

  test("nothing of a history is taken for markup", () => {
    const page = verdictPage(history, violationOf(anomaly), hostile);
    expect(page).not.toContain("<b title");
    expect(page.match(/<\/script/g)).toHaveLength(2);
    expect(page).toContain("&#60;/script&#62;&#60;b title=&#39;x&#39; onload=&#34;y&#34;&#62;&#38;");
  });

  test("it needs nothing from elsewhere", () => {
    const page = verdictPage(history, violationOf(anomaly));
    expect(page).not.toMatch(/https?:|\bsrc=|\bhref=|@import|\bimport\b/);
    expect(page).toContain("default-src 'none'");
  });

  test("it tells every anomaly, in words, too", () => {
    const page = verdictPage(history, violationOf(anomaly, anomalyOf({ name: "G1c", operations: [first] })));
    expect(page).toContain("it did not see it");
    expect(page.match(/<section class="finding"/g)).toHaveLength(2);
    expect(page).toContain('<select id="anomaly">');
  });

  test("it names who did what can be next, and what has a place in the longest order", () => {
    const take = operation("ann", 0, 1, { name: "take", result: true });
    const again = { ...take, client: 2, invoked: 2, returned: 3 };
    const attempt = { order: [take], state: "0", stuck: [{ operation: again, because: "none is left" }] };
    const page = verdictPage({ operations: [take, again] }, violationOf(anomalyOf({ attempt })));
    expect(page).toMatch(/would have to be next[^]*?<span class="quiet">client 2<\/span>/);
    expect(page).toMatch(/longest order that[^]*?<span class="quiet">ann<\/span>/);
  });

  test("it is called by its title, or else by the verdict", () => {
    const page = (title?: string) => verdictPage(history, { is: "valid", level: "causal" }, title);
    expect(page("My queue")).toContain("<h1>My queue</h1>");
    expect(page()).toContain("<h1>valid: keeps causal</h1>");
    expect(verdictPage(history, violationOf(anomaly))).toMatch(/<title>violation: breaks /);
  });

  test("what is unknown, it says why", () => {
    const unknown: Verdict = {
      is: "unknown",
      level: "sequential",
      reason: "no time was left",
      checked: 1,
      of: 2,
    };
    const page = verdictPage(history, unknown);
    expect(page).toContain("no time was left");
    expect(page).toContain("1 of 2");
  });

  test("it says so if the order was made up, or if something is left out", () => {
    const page = verdictPage({ ...history, realTime: false }, { is: "valid", level: "causal" });
    expect(page).toContain("made up");
    expect(verdictPage(history, { is: "valid", level: "causal" })).not.toContain("made up");
  });

  test("what is no history is refused", () => {
    const nonsense = () => verdictPage([] as unknown as History, { is: "valid", level: "linearizable" });
    expect(nonsense).toThrow(expect.objectContaining({ code: "bad-input" }));
  });

  test("an empty history has a page", () => {
    expect(verdictPage({ operations: [] }, { is: "valid", level: "linearizable" })).toContain("0 operations");
  });

  // They travel as their own text, where no import and no neighbour would be found.
  test.each(scriptFiles)("the script's %s stands alone", (name) => {
    const text = readFileSync(new URL(`../../src/check/picture/${name}.ts`, import.meta.url), "utf8");
    const outside = text
      .split("\n")
      .filter((line) => /^(import|const|let|function|export const)\b/.test(line));
    expect(outside.filter((line) => !line.startsWith("import type"))).toEqual([]);
  });
});

test("markup goes into markup as it is, and all else as text", () => {
  expect(html`<p>${[html`<b>${"<"}</b>`, false, undefined, 7]}</p>`.text).toBe("<p><b>&#60;</b>7</p>");
  expect(JSON.parse(jsonIn({ text: hostile }).text)).toEqual({ text: hostile });
  expect(jsonIn(hostile).text).not.toContain("<");
});

describe("the drawing", () => {
  test("a transaction reads as what it did", () => {
    const asked = [
      ["append", "x", 1],
      ["r", "y", null],
    ];
    const answered = [
      ["append", "x", 1],
      ["r", "y", [1, 2]],
    ];
    const txn = operation("a", 0, 1, { name: "txn", args: [asked], result: answered });
    expect(labelOf(txn)).toBe("append x 1, r y [1,2]");
    expect(labelOf({ ...txn, result: undefined, outcome: "unknown" })).toBe("append x 1, r y → ?");
    expect(labelOf({ ...txn, result: undefined, outcome: "fail" })).toBe("append x 1, r y failed");
  });

  test("a label is not longer than anyone would read", () => {
    expect(labelOf(operation("a", 0, 1, { result: "x".repeat(5_000) })).length).toBeLessThan(500);
  });

  test("the first argument is a filter where it tells several apart", () => {
    const keyed = ["x", "y", "x", "y"].map((key, i) => operation("a", 2 * i, 2 * i + 1, { args: [key] }));
    expect(drawingOf({ operations: keyed }, keyed, []).keys).toEqual(["x", "y"]);
    const values = [1, 2, 3, 4].map((value, i) => operation("a", 2 * i, 2 * i + 1, { args: [value] }));
    expect(drawingOf({ operations: values }, values, []).keys).toEqual([]);
    const mixed = [...keyed, operation("a", 9, 10)];
    expect(drawingOf({ operations: mixed }, mixed, []).keys).toEqual([]);
  });

  test("clients stand as people count", () => {
    const operations = ["n10", "n2", "n1"].map((client, i) => operation(client, 2 * i, 2 * i + 1));
    expect(drawingOf({ operations }, operations, []).clients).toEqual(["n1", "n2", "n10"]);
  });

  test("of too many, those are drawn that take part, and those next to the first of them", () => {
    const operations = Array.from({ length: 1_000 }, (_, i) => operation("a", 2 * i, 2 * i + 1));
    const far = anomalyOf({ operations: [operations[500]!, operations[999]!] });
    const drawn = drawnOperations({ operations }, [far], 100);
    expect(drawn).toHaveLength(101);
    expect(drawn[0]).toBe(operations[450]);
    expect(drawn.at(-1)).toBe(operations[999]);
    expect(drawnOperations({ operations }, [], 100)).toEqual(operations.slice(0, 100));
    const last = anomalyOf({ operations: [operations[999]!] });
    expect(drawnOperations({ operations }, [last], 100)).toEqual(operations.slice(900));
  });

  test("times are told from the first call on, and lines as they are in the file", () => {
    const operations = [operation("a", 0, 1), operation("b", 2, Infinity)];
    const drawing = drawingOf({ operations, times: [5, 6.5, 9.00049], lines: [3, 4, 7] }, operations, []);
    expect(drawing.invokedMs).toEqual([0, 4]);
    expect(drawing.returnedMs).toEqual([1.5, -1]);
    expect(drawing.invokedLine).toEqual([3, 7]);
    expect(drawing.returnedLine).toEqual([4, 0]);
  });
});

describe("the scene", () => {
  test("a lane for each client, and one more for what overlaps in it", () => {
    const operations = [
      operation("a", 0, 3),
      operation("a", 1, 2),
      operation("b", 4, 5),
      operation("a", 6, Infinity),
      operation("a", 7, 8),
    ];
    const scene = sceneOf(operations);
    scene.arrange(-1, "order", undefined);
    expect(scene.rows).toEqual([[0, 3, 4], [1], [2]]);
    expect(scene.clientOfRow).toEqual([0, 0, 1]);
  });

  test("of many, those who take part in the violation come first", () => {
    const operations = Array.from({ length: 13 }, (_, i) => operation(`n${i}`, 2 * i, 2 * i + 1));
    const scene = sceneOf(operations, anomalyOf({ operations: [operations[4]!] }));
    scene.arrange(-1, "order", scene.drawing.anomalies[0]);
    expect(scene.clientOfRow).toEqual([4, 0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12]);
  });

  test("a few stand by their names", () => {
    const operations = ["a", "b", "c"].map((client, i) => operation(client, 2 * i, 2 * i + 1));
    const scene = sceneOf(operations, anomalyOf({ operations: [operations[2]!] }));
    scene.arrange(-1, "order", scene.drawing.anomalies[0]);
    expect(scene.clientOfRow).toEqual([0, 1, 2]);
    expect(scene.roleOf).toEqual(["plain", "plain", "culprit"]);
    expect(scene.violation).toEqual({ from: 4, to: 5 });
  });

  test("whoever only takes part, and is far away, need not be seen", () => {
    const operations = Array.from({ length: 50 }, (_, i) => operation("a", 2 * i, 2 * i + 1));
    const [far, near, culprit] = [operations[0]!, operations[38]!, operations[40]!];
    const stuck = [{ operation: culprit, because: "it cannot" }];
    const attempt = { order: [], state: "", stuck };
    const scene = sceneOf(operations, anomalyOf({ operations: [far, near, culprit], attempt }));
    scene.arrange(-1, "order", scene.drawing.anomalies[0]);
    expect(scene.violation).toEqual({ from: 76, to: 81 });
    expect([0, 38, 40].map((i) => scene.roleOf[i])).toEqual(["partaker", "partaker", "culprit"]);
  });

  test("a cycle is what it is about", () => {
    const operations = ["a", "b", "c"].map((client, i) => operation(client, 2 * i, 2 * i + 1));
    const edge = { from: operations[0]!, to: operations[2]!, relation: "rw", because: "it is" };
    const scene = sceneOf(operations, anomalyOf({ cycle: [edge] }));
    scene.arrange(-1, "order", scene.drawing.anomalies[0]);
    expect(scene.roleOf).toEqual(["culprit", "plain", "culprit"]);
  });

  test("what is filtered out leaves no gap", () => {
    const keys = ["x", "y", "y", "y", "x"];
    const operations = keys.map((key, i) => operation("a", 10 * i, 10 * i + 5, { args: [key] }));
    const scene = sceneOf(operations);
    scene.arrange(0, "order", undefined);
    expect(scene.rows).toEqual([[0, 4]]);
    expect([scene.start[0], scene.end[0], scene.start[4], scene.end[4]]).toEqual([0, 1, 2, 3]);
  });

  test("by time, things are as far apart as they were", () => {
    const operations = [operation("a", 0, 1), operation("b", 2, 3)];
    const scene = sceneOf(operations, undefined, { times: [100, 101, 150, 175] });
    scene.arrange(-1, "time", undefined);
    expect([...scene.start, ...scene.end]).toEqual([0, 50, 1, 75]);
    expect(scene.last).toBe(75);
  });

  test("an order has points within its bars, one after the other", () => {
    const operations = [operation("a", 0, 3), operation("b", 1, 5), operation("c", 2, 4)];
    const order = [operations[2]!, operations[0]!, operations[1]!];
    const scene = sceneOf(operations, anomalyOf({ attempt: { order, state: "", stuck: [] } }));
    scene.arrange(-1, "order", scene.drawing.anomalies[0]);
    expect([...scene.numberOf]).toEqual([2, 3, 1]);
    expect(scene.points).toEqual([2.25, 2.5, 2.75]);
  });

  test("an order that does not agree with real time has none", () => {
    const operations = [operation("a", 0, 1), operation("b", 2, 3)];
    const attempt = { order: operations.toReversed(), state: "", stuck: [] };
    const scene = sceneOf(operations, anomalyOf({ attempt }));
    scene.arrange(-1, "order", scene.drawing.anomalies[0]);
    expect(scene.points).toEqual([]);
    expect([...scene.numberOf]).toEqual([2, 1]);
  });
});

describe("on the canvas", () => {
  test("whatever is seen is found where it is drawn", () => {
    const random = new SeededRandom(1);
    for (let run = 0; run < 40; run++) {
      const shape = { operations: 40, clients: 1 + random.below(6), lost: 0.1, failed: 0.1 };
      const scene = sceneOf(randomHistory(random, toyRegister(), shape));
      scene.arrange(-1, "order", undefined);
      const geometry = geometryOf(scene, 900, 120 + random.below(400));
      for (let i = 0; i < 40; i++) {
        geometry.viewport.zoom(random.chance(0.5) ? 0.3 : 4, random.below(820));
        geometry.reveal(i);
        const { left, right, top, height } = geometry.boxOf(i);
        const shown = scene.end[i] === Infinity ? left + 1 : (left + right) / 2;
        expect(geometry.operationAt(shown, top + height / 2)).toBe(i);
        expect(geometry.visible.flat()).toContain(i);
      }
    }
  });

  test("a bar is seen of which neither end is in sight", () => {
    const scene = sceneOf([
      operation("a", 0, 100),
      ...[1, 2, 3, 4].map((n) => operation("b", 2 * n, 2 * n + 1)),
    ]);
    scene.arrange(-1, "order", undefined);
    const geometry = geometryOf(scene, 900, 300);
    geometry.viewport.show(5, 6);
    const { left, right, top } = geometry.boxOf(0);
    expect([left < geometry.gutter, right > 900]).toEqual([true, true]);
    expect(geometry.visible[0]).toEqual([0]);
    expect(geometry.operationAt(500, top + 5)).toBe(0);
  });

  test("a thousand clients can be scrolled through", () => {
    const operations = Array.from({ length: 1_000 }, (_, i) => operation(`c${i}`, 2 * i, 2 * i + 1));
    const scene = sceneOf(operations);
    scene.arrange(-1, "order", undefined);
    const geometry = geometryOf(scene, 900, 300);
    geometry.reveal(999);
    const { top, height } = geometry.boxOf(999);
    expect(top + height).toBeLessThanOrEqual(300);
    geometry.scrollTo(-5);
    expect(geometry.scroll).toBe(0);
  });

  test("what is pointed at stays there when one comes nearer", () => {
    const viewport = new Viewport();
    viewport.width = 1_000;
    viewport.reset(500, 4);
    const at = viewport.position(300);
    viewport.zoom(0.2, 300);
    expect(viewport.position(300)).toBeCloseTo(at, 9);
    expect(viewport.to - viewport.from).toBeCloseTo(104, 9);
    for (let n = 0; n < 20; n++) viewport.zoom(0.2, 300);
    expect(viewport.position(300)).toBeCloseTo(at, 9);
  });

  test("nobody gets lost beyond the ends, or too near", () => {
    const random = new SeededRandom(2);
    const viewport = new Viewport();
    viewport.width = 1_000;
    viewport.reset(500, 4);
    for (let run = 0; run < 2_000; run++) {
      if (random.chance(0.5)) viewport.pan(random.below(4_000) - 2_000);
      else viewport.zoom(2 ** (random.next() * 8 - 4), random.below(1_000));
      expect(viewport.from).toBeGreaterThanOrEqual(-10.001);
      expect(viewport.to).toBeLessThanOrEqual(510.001);
      expect(viewport.to - viewport.from).toBeGreaterThanOrEqual(3.999);
    }
  });
});

test("the drawing of as many operations as there may be is one that a browser can bear", () => {
  const shape = { operations: mostDrawn / 10, clients: 20, lost: 0.0001 };
  const operations = randomHistory(new SeededRandom(3), toyRegister(), shape);
  const drawing = drawingOf({ operations }, operations, []);
  expect(JSON.stringify(drawing).length).toBeLessThan(600_000);
});
