import { checkHistory, type History } from "../history.js";
import type { Anomaly, Verdict } from "../verdict.js";
import { Bars } from "./bars.js";
import type { Browser } from "./browser.js";
import { Controls } from "./controls.js";
import { drawingOf, drawnOperations, placesOf, type Drawing } from "./drawing.js";
import { findings } from "./findings.js";
import { Geometry } from "./geometry.js";
import { html, jsonIn, Markup } from "./html.js";
import { Overview } from "./overview.js";
import { Painter } from "./painter.js";
import { Scene } from "./scene.js";
import { Sheet } from "./sheet.js";
import { style } from "./style.js";
import { Links } from "./links.js";
import { Viewport } from "./viewport.js";

/** More than a reader looks at, and each is a page of its own. */
const mostAnomalies = 50;

/**
 * A picture of a history and of what is wrong with it: one HTML page that needs nothing from elsewhere. It
 * has a lane for each client and a bar for each operation, from its call to its answer. It is called by the
 * verdict, unless a title is given.
 *
 * @example
 * ```ts
 * await writeFile("verdict.html", verdictPage(history, check(history).linearizable(register())));
 * ```
 */
export function verdictPage(history: History, verdict: Verdict, title = titleOf(verdict)): string {
  checkHistory(history);
  const anomalies = verdict.is === "violation" ? verdict.anomalies.slice(0, mostAnomalies) : [];
  const operations = drawnOperations(history, anomalies);
  const drawing = drawingOf(history, operations, anomalies);
  const leftOut = history.operations.length - operations.length;
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
        />
        <title>${title}</title>
        <style>
          ${new Markup(style)}
        </style>
      </head>
      <body class="${verdict.is}">
        ${heading(history, verdict, title)}
        <main>
          <div class="stage">
            ${toolbar(drawing, anomalies)}
            <canvas id="overview" aria-hidden="true"></canvas>
            <div class="view">
              <canvas
                id="timeline"
                tabindex="0"
                role="application"
                aria-describedby="keys"
                aria-label="Timeline of ${counted(operations.length, "operation")}"
              ></canvas>
              <div id="detail" role="status" hidden></div>
            </div>
            ${legend(anomalies)}
          </div>
          ${notes(history, verdict, leftOut)} ${findings(anomalies, placesOf(operations))}
        </main>
        <script type="application/json" id="drawing">
          ${jsonIn(drawing)}
        </script>
        <script>
          ${script()};
        </script>
      </body>
    </html> `;
  return page.text;
}

function heading({ operations }: History, verdict: Verdict, title: string) {
  const clients = new Set(operations.map(({ client }) => client)).size;
  const scale = `${counted(operations.length, "operation")}, ${counted(clients, "client")}`;
  const progress = verdict.is === "unknown" && `; ${verdict.checked} of ${verdict.of} checked`;
  return html`<header>
    <h1>${title}</h1>
    <p class="verdict">
      <b>${verdict.is}</b> ${saidOf(verdict)} <span class="quiet">${scale}${progress}</span>
    </p>
  </header>`;
}

function saidOf({ is, level }: Verdict): string {
  return { valid: `keeps ${level}`, violation: `breaks ${level}`, unknown: `whether it keeps ${level}` }[is];
}

function titleOf(verdict: Verdict): string {
  return `${verdict.is}: ${saidOf(verdict)}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** What is to be known of the picture. */
function notes({ realTime }: History, verdict: Verdict, leftOut: number): Markup[] {
  const texts = [
    verdict.is === "unknown" && verdict.reason,
    leftOut > 0 && `Not drawn: ${leftOut} operations, which were too many for a browser.`,
    realTime === false && "Only each client's own order is known: how lanes stand to each other is made up.",
  ];
  return texts.filter((text) => text !== false).map((text) => html`<p class="card">${text}</p>`);
}

function toolbar({ keys, invokedMs }: Drawing, anomalies: readonly Anomaly[]) {
  const option = (value: number | string, text: string) => html`<option value="${value}">${text}</option>`;
  return html`<div class="toolbar">
    ${anomalies.length > 0 && html`<button type="button" id="show-violation">Show the violation</button>`}
    <button type="button" id="show-all">Show all</button>
    <button type="button" id="nearer" aria-label="Zoom in">+</button>
    <button type="button" id="farther" aria-label="Zoom out">−</button>
    <span class="gap"></span>
    ${
      anomalies.length > 1 &&
      html`<label
        >Anomaly
        <select id="anomaly">
          ${anomalies.map(({ name, explanation }, i) =>
            option(i, `${i + 1}. ${name}: ${explanation.slice(0, 60)}`),
          )}
        </select></label
      >`
    }
    ${
      keys.length > 0 &&
      html`<label
        >About
        <select id="key">
          ${option(-1, "everything")}${keys.map((key, i) => option(i, key))}
        </select></label
      >`
    }
    ${
      invokedMs.length > 0 &&
      html`<label
        >Axis
        <select id="axis">
          ${option("order", "order of events")}${option("time", "time")}
        </select></label
      >`
    }
  </div>`;
}

function legend(anomalies: readonly Anomaly[]) {
  const hasOrder = anomalies.some(({ attempt }) => attempt !== undefined);
  return html`<div class="legend">
    <span><i></i>from call to answer</span>
    <span><i class="open"></i>nobody saw the end</span>
    ${anomalies.length > 0 && html`<span><i class="culprit"></i>the violation</span>`}
    ${
      hasOrder &&
      html`<span><i class="partaker"></i>takes part</span>
        <span><i class="ordered"></i>has a place in the longest order</span>`
    }
    <span class="keys" id="keys"
      >Drag to move, wheel to zoom. <kbd>+</kbd> <kbd>−</kbd> zoom, <kbd>0</kbd> all,
      ${anomalies.length > 0 && html`<kbd>v</kbd> violation,`} <kbd>←</kbd> <kbd>→</kbd> <kbd>↑</kbd>
      <kbd>↓</kbd> from one operation to the next</span
    >
  </div>`;
}

/**
 * The script of the page is these classes' own source. So it is compiled, linted and tested as all else is;
 * in turn each of them may use nothing from outside its text, and gets the others through its constructor.
 */
const parts = { Viewport, Scene, Geometry, Sheet, Bars, Links, Overview, Painter, Controls };

function script(): Markup {
  const sources = Object.entries(parts).map(([name, part]) => `${name}: ${String(part)}`);
  return new Markup(`(${String(start)})(window, {\n${sources.join(",\n")}\n});`);
}

/** Runs in the page. */
function start(browser: Browser, made: typeof parts): void {
  const drawing = JSON.parse(browser.document.getElementById("drawing")!.textContent) as Drawing;
  const canvas = browser.document.getElementById("timeline")!;
  const strip = browser.document.getElementById("overview")!;
  const geometry = new made.Geometry(new made.Scene(drawing), new made.Viewport());
  const sheet = new made.Sheet(browser, canvas);
  const bars = new made.Bars(sheet, geometry);
  const links = new made.Links(sheet, geometry);
  const overview = new made.Overview(new made.Sheet(browser, strip), geometry);
  const painter = new made.Painter(browser, sheet, geometry, { bars, links, overview });
  new made.Controls(browser, { canvas, strip, geometry, overview, painter });
}
