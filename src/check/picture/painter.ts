import type { Bars } from "./bars.js";
import type { Browser } from "./browser.js";
import type { Geometry } from "./geometry.js";
import type { Overview } from "./overview.js";
import type { Sheet } from "./sheet.js";
import type { Links } from "./links.js";

/** What is drawn on the sheet, or, the overview, beside it. */
interface Layers {
  readonly bars: Bars;
  readonly links: Links;
  readonly overview: Overview;
}

/**
 * Paints the timeline when it is time to. Part of the page's script: it may use nothing from outside its own
 * text.
 */
export class Painter {
  selected = -1;
  hovered = -1;
  readonly #browser: Browser;
  readonly #sheet: Sheet;
  readonly #geometry: Geometry;
  readonly #layers: Layers;
  #isDue = false;

  constructor(browser: Browser, sheet: Sheet, geometry: Geometry, layers: Layers) {
    this.#browser = browser;
    this.#sheet = sheet;
    this.#geometry = geometry;
    this.#layers = layers;
  }

  /** Looks at all sizes and colors again. */
  measure(): void {
    this.#sheet.measure();
    const { width, height, letterWidth } = this.#sheet;
    const { clients } = this.#geometry.scene.drawing;
    const letters = clients.reduce((most, { length }) => Math.max(most, length), 4);
    this.#geometry.resize(width, height, Math.min(letters * letterWidth + 28, width * 0.2));
    this.#layers.overview.measure();
    this.draw();
  }

  /** Draws it when the browser next paints. */
  draw(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#browser.requestAnimationFrame(() => {
      this.#isDue = false;
      this.#drawNow();
      this.#layers.overview.draw();
    });
  }

  #drawNow(): void {
    const { gutter, header } = this.#geometry;
    const { bars, links } = this.#layers;
    this.#sheet.clear();
    this.#sheet.within(0, header, () => this.#drawLanes());
    this.#sheet.within(gutter, 0, () => this.#drawAxis());
    this.#sheet.within(gutter, header, () => {
      bars.draw();
      links.drawOrder();
      // After the line, which would strike them out.
      bars.label();
      links.drawEdges();
      this.#outline(this.hovered, 1);
      this.#outline(this.selected, 2);
    });
  }

  #drawLanes(): void {
    const { width, gutter, rowHeight, scene } = this.#geometry;
    let lane = 0;
    scene.clientOfRow.forEach((client, row) => {
      const isNew = scene.clientOfRow[row - 1] !== client;
      if (isNew) lane++;
      if (!this.#geometry.isInSight(row)) return;
      const top = this.#geometry.topOf(row);
      this.#sheet.pen.fillStyle = this.#sheet.color(lane % 2 === 0 ? "band" : "surface");
      this.#sheet.pen.fillRect(0, top, width, rowHeight + 0.5);
      if (!isNew) return;
      const name = this.#sheet.fitting(scene.drawing.clients[client]!, gutter - 20);
      this.#sheet.pen.fillStyle = this.#sheet.color("ink");
      this.#sheet.pen.fillText(name, 12, top + rowHeight / 2);
    });
  }

  #drawAxis(): void {
    const { viewport, width, header, height, scene } = this.#geometry;
    const isTime = scene.axis === "time";
    const least = ((viewport.to - viewport.from) / viewport.width) * 90;
    const power = 10 ** Math.floor(Math.log10(least));
    const nice = [1, 2, 5].find((n) => n * power >= least) ?? 10;
    const step = Math.max(nice * power, isTime ? 1e-3 : 1);
    for (let at = Math.max(Math.ceil(viewport.from / step), 0) * step; at <= viewport.to; at += step) {
      const x = Math.round(this.#geometry.x(at));
      this.#sheet.pen.fillStyle = this.#sheet.color("line");
      this.#sheet.pen.fillRect(x, header - 7, 1, height);
      this.#sheet.pen.fillStyle = this.#sheet.color("quiet");
      const text = `${Number(at.toPrecision(12))}${isTime ? " ms" : ""}`;
      const length = text.length * this.#sheet.letterWidth;
      const isLast = x + 5 + length > width;
      this.#sheet.pen.fillText(text, isLast ? x - 5 - length : x + 5, header / 2);
    }
  }

  #outline(operation: number, width: number): void {
    if (operation === -1 || this.#geometry.scene.rowOf[operation] === -1) return;
    const { left, right, top, height } = this.#geometry.boxOf(operation);
    this.#sheet.pen.strokeStyle = this.#sheet.color("ink");
    this.#sheet.pen.lineWidth = width;
    this.#sheet.pen.beginPath();
    this.#sheet.pen.roundRect(left - 2, top - 2, Math.max(right - left, 3) + 4, height + 4, 5);
    this.#sheet.pen.stroke();
  }
}
