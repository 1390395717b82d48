import type { Box, Geometry } from "./geometry.js";
import type { Sheet } from "./sheet.js";

/**
 * Draws what leads from one operation to another: the longest order, the edges of a cycle. Part of the page's
 * script: it may use nothing from outside its own text.
 */
export class Links {
  readonly #sheet: Sheet;
  readonly #geometry: Geometry;

  constructor(sheet: Sheet, geometry: Geometry) {
    this.#sheet = sheet;
    this.#geometry = geometry;
  }

  /** The longest order, as a line from each to the next. */
  drawOrder(): void {
    const { scene, viewport, width } = this.#geometry;
    const { pen } = this.#sheet;
    const seen = scene.points.map((at, n) => [at, scene.order[n]!] as const);
    const margin = (viewport.to - viewport.from) / 2;
    const near = seen.filter(([at]) => at > viewport.from - margin && at < viewport.to + margin);
    // So near to each other they would hide the bars, and tell nothing.
    if (near.length > width / 10) return;
    const middles = near.map(([at, i]) => {
      const { top, height } = this.#geometry.boxOf(i);
      return [this.#geometry.x(at), top + height - 1] as const;
    });
    pen.strokeStyle = pen.fillStyle = this.#sheet.color("order");
    pen.lineWidth = 1.25;
    pen.globalAlpha = 0.6;
    pen.beginPath();
    for (const [x, y] of middles) pen.lineTo(x, y);
    pen.stroke();
    pen.globalAlpha = 1;
    for (const [x, y] of middles) {
      pen.beginPath();
      pen.arc(x, y, 2.5, 0, 7);
      pen.fill();
    }
  }

  drawEdges(): void {
    const { anomaly, rowOf } = this.#geometry.scene;
    for (const [from, to, relation] of anomaly?.edges ?? []) {
      if (rowOf[from] !== -1 && rowOf[to] !== -1) {
        this.#drawEdge(this.#geometry.boxOf(from), this.#geometry.boxOf(to), relation);
      }
    }
  }

  /** From the right half of a bar to the left half of the other, so that there and back are two. */
  #drawEdge(from: Box, to: Box, relation: string): void {
    const { pen } = this.#sheet;
    const [x0, x1] = [from.left * 0.35 + from.right * 0.65, to.left * 0.65 + to.right * 0.35];
    // It leaves to where the other is, up or down. In one row it goes forth above the bars, and back below.
    const isLevel = to.top === from.top;
    const out = (isLevel ? x1 < x0 : to.top > from.top) ? 1 : -1;
    const into = isLevel ? -out : out;
    const y0 = out === 1 ? from.top + from.height : from.top;
    const y1 = into === 1 ? to.top : to.top + to.height;
    const sway = isLevel ? 16 : Math.max(Math.abs(y1 - y0) * 0.6, 24);
    pen.strokeStyle = pen.fillStyle = this.#sheet.color("violation");
    pen.lineWidth = 1.75;
    pen.beginPath();
    pen.moveTo(x0, y0);
    pen.bezierCurveTo(x0, y0 + out * sway, x1, y1 - into * sway, x1, y1 - into * 7);
    pen.stroke();
    pen.beginPath();
    pen.moveTo(x1, y1);
    pen.lineTo(x1 - 4.5, y1 - into * 9);
    pen.lineTo(x1 + 4.5, y1 - into * 9);
    pen.fill();
    // A third of the way: halfway the one back might cross.
    const y = y0 * 0.72 + y1 * 0.28 + (out * 0.44 - into * 0.24) * sway;
    this.#drawChip(relation, x0 * 0.72 + x1 * 0.28, y);
  }

  #drawChip(text: string, x: number, y: number): void {
    const width = text.length * this.#sheet.letterWidth + 10;
    this.#sheet.pen.fillStyle = this.#sheet.color("surface");
    this.#sheet.pen.beginPath();
    this.#sheet.pen.roundRect(x - width / 2, y - 9, width, 18, 9);
    this.#sheet.pen.fill();
    this.#sheet.pen.stroke();
    this.#sheet.pen.fillStyle = this.#sheet.color("violation");
    this.#sheet.pen.fillText(text, x - width / 2 + 5, y + 0.5);
  }
}
