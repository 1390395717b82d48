import type { Browser, Gradient, PageElement, Pen } from "./browser.js";
import type { Box, Geometry } from "./geometry.js";
import type { Overview } from "./overview.js";
import type { Role } from "./scene.js";

/**
 * Paints the timeline: lanes, bars, the longest order, the edges of a cycle. Part of the page's script: it
 * may use nothing from outside its own text.
 */
export class Painter {
  selected = -1;
  hovered = -1;
  readonly #browser: Browser;
  readonly #canvas: PageElement;
  readonly #pen: Pen;
  readonly #geometry: Geometry;
  readonly #overview: Overview;
  #colors = new Map<string, string>();
  /** Those that the bars drawn so far have room for. */
  #labels: [operation: number, box: Box][] = [];
  #letterWidth = 7;
  #isDue = false;

  constructor(browser: Browser, canvas: PageElement, geometry: Geometry, overview: Overview) {
    this.#browser = browser;
    this.#canvas = canvas;
    this.#pen = canvas.getContext("2d");
    this.#geometry = geometry;
    this.#overview = overview;
  }

  /** Looks at the canvas's size and colors again. */
  measure(): void {
    const { clientWidth, clientHeight } = this.#canvas;
    const { devicePixelRatio } = this.#browser;
    this.#canvas.width = Math.round(clientWidth * devicePixelRatio);
    this.#canvas.height = Math.round(clientHeight * devicePixelRatio);
    this.#colors.clear();
    this.#setFont();
    this.#letterWidth = this.#pen.measureText("0").width;
    const letters = this.#geometry.scene.drawing.clients.reduce(
      (most, { length }) => Math.max(most, length),
      4,
    );
    const gutter = Math.min(letters * this.#letterWidth + 28, clientWidth * 0.2);
    this.#geometry.resize(clientWidth, clientHeight, gutter);
    this.#overview.measure();
    this.draw();
  }

  /** Draws it when the browser next paints. */
  draw(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#browser.requestAnimationFrame(() => {
      this.#isDue = false;
      this.#drawNow();
      this.#overview.draw();
    });
  }

  #drawNow(): void {
    const { width, height, gutter, header, visible } = this.#geometry;
    const ratio = this.#browser.devicePixelRatio;
    this.#pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#pen.clearRect(0, 0, width, height);
    this.#setFont();
    this.#within(0, header, () => this.#drawLanes());
    this.#within(gutter, 0, () => this.#drawAxis());
    this.#within(gutter, header, () => {
      for (const role of ["plain", "ordered", "partaker", "culprit"] as const) {
        for (const row of visible) this.#drawBars(row, role);
      }
      this.#drawPoints();
      // Over the line, which would strike them out.
      for (const [i, box] of this.#labels) this.#drawLabel(i, box);
      this.#labels = [];
      this.#drawEdges();
      this.#outline(this.hovered, 1);
      this.#outline(this.selected, 2);
    });
  }

  /** Draws nothing left of or above that. */
  #within(left: number, top: number, draw: () => void): void {
    this.#pen.save();
    this.#pen.beginPath();
    this.#pen.rect(left, top, this.#geometry.width, this.#geometry.height);
    this.#pen.clip();
    draw();
    this.#pen.restore();
  }

  #color(name: string): string {
    let color = this.#colors.get(name);
    if (color === undefined) {
      color = this.#browser.getComputedStyle(this.#canvas).getPropertyValue(`--${name}`).trim();
      this.#colors.set(name, color);
    }
    return color;
  }

  #setFont(): void {
    this.#pen.font = "12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace";
    this.#pen.textBaseline = "middle";
  }

  #drawLanes(): void {
    const { width, gutter, rowHeight, scene } = this.#geometry;
    let lane = 0;
    scene.clientOfRow.forEach((client, row) => {
      const isNew = scene.clientOfRow[row - 1] !== client;
      if (isNew) lane++;
      if (!this.#geometry.isInSight(row)) return;
      const top = this.#geometry.topOf(row);
      this.#pen.fillStyle = this.#color(lane % 2 === 0 ? "band" : "surface");
      this.#pen.fillRect(0, top, width, rowHeight + 0.5);
      if (!isNew) return;
      const name = this.#fitting(scene.drawing.clients[client]!, gutter - 20);
      this.#pen.fillStyle = this.#color("ink");
      this.#pen.fillText(name, 12, top + rowHeight / 2);
    });
  }

  #drawAxis(): void {
    const { viewport, header, height, scene } = this.#geometry;
    const isTime = scene.axis === "time";
    const least = ((viewport.to - viewport.from) / viewport.width) * 90;
    const power = 10 ** Math.floor(Math.log10(least));
    const nice = [1, 2, 5].find((n) => n * power >= least) ?? 10;
    const step = Math.max(nice * power, isTime ? 1e-3 : 1);
    for (let at = Math.max(Math.ceil(viewport.from / step), 0) * step; at <= viewport.to; at += step) {
      const x = Math.round(this.#geometry.x(at));
      this.#pen.fillStyle = this.#color("line");
      this.#pen.fillRect(x, header - 7, 1, height);
      this.#pen.fillStyle = this.#color("quiet");
      const text = String(Number(at.toPrecision(12)));
      this.#pen.fillText(isTime ? `${text} ms` : text, x + 5, header / 2);
    }
  }

  #drawBars(row: readonly number[], role: Role): void {
    // Those that are too small to tell apart are drawn as one, or there were a hundred on each pixel.
    let run: Box | undefined;
    row.forEach((i, at) => {
      if (this.#geometry.scene.roleOf[i] !== role) return;
      const box = this.#geometry.boxOf(i);
      if (box.right - box.left >= 5) {
        this.#drawBar(i, box, row[at + 1]);
      } else if (run !== undefined && box.left - run.right < 1) {
        run = { ...run, right: box.right };
      } else {
        if (run !== undefined) this.#drawRun(run, role);
        run = box;
      }
    });
    if (run !== undefined) this.#drawRun(run, role);
  }

  #fillOf(role: Role): string {
    const names = { plain: "bar", ordered: "order-soft", partaker: "violation-soft", culprit: "violation" };
    return this.#color(names[role]);
  }

  #drawRun({ left, right, top, height }: Box, role: Role): void {
    // What matters is seen from afar, too.
    const least = role === "culprit" ? 4 : role === "partaker" ? 3 : 1;
    this.#pen.fillStyle = this.#fillOf(role);
    this.#pen.fillRect(left, top, Math.max(right - left, least), height);
  }

  #drawBar(i: number, box: Box, next: number | undefined): void {
    const { roleOf, end } = this.#geometry.scene;
    const role = roleOf[i]!;
    const { left, right, top, height } = box;
    const isOpen = end[i] === Infinity;
    const edge = role === "partaker" ? "violation" : role === "ordered" ? "order" : undefined;
    this.#pen.beginPath();
    this.#pen.roundRect(left, top, right - left, height, Math.min(4, (right - left) / 3));
    this.#pen.fillStyle = isOpen ? this.#faded(this.#fillOf(role), box) : this.#fillOf(role);
    this.#pen.fill();
    if (edge !== undefined) {
      this.#pen.fillStyle = this.#color(edge);
      this.#pen.fillRect(left, top, 3, height);
    }
    // Others may be drawn over what fades away.
    const until = isOpen && next !== undefined ? Math.min(right, this.#geometry.boxOf(next).left) : right;
    if (height >= 12) this.#labels.push([i, { ...box, right: until }]);
  }

  #faded(color: string, { left, right }: Box): Gradient {
    const gradient = this.#pen.createLinearGradient(left, 0, right, 0);
    gradient.addColorStop(0, color);
    gradient.addColorStop(0.4, color);
    // Not "transparent", which is a transparent black: the way to it would be grey.
    gradient.addColorStop(1, `${color}00`);
    return gradient;
  }

  #drawLabel(i: number, { left, right, top, height }: Box): void {
    const { drawing, numberOf, roleOf } = this.#geometry.scene;
    const middle = top + height / 2 + 0.5;
    let from = Math.max(left, this.#geometry.gutter) + 7;
    if (numberOf[i] !== 0) {
      const number = String(numberOf[i]);
      const width = number.length * this.#letterWidth + 8;
      if (from + width > right) return;
      this.#pen.fillStyle = this.#color("order");
      this.#pen.beginPath();
      this.#pen.roundRect(from - 2, top + height / 2 - 8, width, 16, 8);
      this.#pen.fill();
      this.#pen.fillStyle = this.#color("on-strong");
      this.#pen.fillText(number, from + 2, middle);
      from += width + 3;
    }
    const inks = { plain: "bar-ink", ordered: "ink", partaker: "ink", culprit: "on-strong" };
    this.#pen.fillStyle = this.#color(inks[roleOf[i]!]);
    this.#pen.fillText(this.#fitting(drawing.label[i]!, right - from - 3), from, middle);
  }

  /** As much of the text as there is room for. */
  #fitting(text: string, room: number): string {
    const letters = Math.floor(room / this.#letterWidth);
    if (text.length <= letters) return text;
    return letters < 3 ? "" : `${text.slice(0, letters - 1)}…`;
  }

  /** The longest order, as a line from each to the next. */
  #drawPoints(): void {
    const { scene, viewport, width } = this.#geometry;
    const pen = this.#pen;
    const seen = scene.points.map((at, n) => [at, scene.order[n]!] as const);
    const margin = (viewport.to - viewport.from) / 2;
    const near = seen.filter(([at]) => at > viewport.from - margin && at < viewport.to + margin);
    // So near to each other they would hide the bars, and tell nothing.
    if (near.length > width / 10) return;
    const middles = near.map(([at, i]) => {
      const { top, height } = this.#geometry.boxOf(i);
      return [this.#geometry.x(at), top + height - 1] as const;
    });
    pen.strokeStyle = pen.fillStyle = this.#color("order");
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

  #drawEdges(): void {
    const { anomaly, rowOf } = this.#geometry.scene;
    for (const [from, to, relation] of anomaly?.edges ?? []) {
      if (rowOf[from] !== -1 && rowOf[to] !== -1) {
        this.#drawEdge(this.#geometry.boxOf(from), this.#geometry.boxOf(to), relation);
      }
    }
  }

  /** From the right half of a bar to the left half of the other, so that there and back are two. */
  #drawEdge(from: Box, to: Box, relation: string): void {
    const pen = this.#pen;
    const [x0, x1] = [from.left * 0.35 + from.right * 0.65, to.left * 0.65 + to.right * 0.35];
    // It leaves upwards, unless the other is below; and comes in from above, unless the other is above.
    const out = to.top > from.top ? 1 : -1;
    const into = to.top < from.top ? -1 : 1;
    const y0 = out === 1 ? from.top + from.height : from.top;
    const y1 = into === 1 ? to.top : to.top + to.height;
    const sway = Math.max(Math.abs(y1 - y0) * 0.6, 24);
    pen.strokeStyle = pen.fillStyle = this.#color("violation");
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
    const width = text.length * this.#letterWidth + 10;
    this.#pen.fillStyle = this.#color("surface");
    this.#pen.beginPath();
    this.#pen.roundRect(x - width / 2, y - 9, width, 18, 9);
    this.#pen.fill();
    this.#pen.stroke();
    this.#pen.fillStyle = this.#color("violation");
    this.#pen.fillText(text, x - width / 2 + 5, y + 0.5);
  }

  #outline(operation: number, width: number): void {
    if (operation === -1 || this.#geometry.scene.rowOf[operation] === -1) return;
    const { left, right, top, height } = this.#geometry.boxOf(operation);
    this.#pen.strokeStyle = this.#color("ink");
    this.#pen.lineWidth = width;
    this.#pen.beginPath();
    this.#pen.roundRect(left - 2, top - 2, Math.max(right - left, 3) + 4, height + 4, 5);
    this.#pen.stroke();
  }
}
