import type { Geometry } from "./geometry.js";
import type { Sheet } from "./sheet.js";

/**
 * The whole axis at a glance, above the timeline: how much happened when, where the violation is, and which
 * part the timeline shows. Part of the page's script: it may use nothing from outside its own text.
 */
export class Overview {
  readonly #sheet: Sheet;
  readonly #geometry: Geometry;
  /** How many operations begin in each column. */
  #begun = new Uint32Array(1);
  readonly #columnWidth = 4;
  readonly #fewest = 120;

  constructor(sheet: Sheet, geometry: Geometry) {
    this.#sheet = sheet;
    this.#geometry = geometry;
  }

  /** Looks at its size and at the scene again; where little happened, there is nothing to be gained by it. */
  measure(): void {
    const { scene } = this.#geometry;
    const shown = scene.rows.flat();
    this.#sheet.canvas.hidden = shown.length < this.#fewest;
    this.#sheet.measure();
    this.#begun = new Uint32Array(Math.floor(this.#sheet.width / this.#columnWidth) + 1);
    for (const i of shown) this.#begun[Math.floor(this.#x(scene.start[i]!) / this.#columnWidth)]!++;
  }

  /** Moves what is seen, so that this is in the middle of it. */
  goTo(x: number): void {
    const { viewport, scene } = this.#geometry;
    const middle = (x / this.#sheet.width) * scene.last;
    const half = (viewport.to - viewport.from) / 2;
    viewport.show(middle - half, middle + half);
  }

  draw(): void {
    const { pen, width, height } = this.#sheet;
    const { scene, viewport } = this.#geometry;
    this.#sheet.clear();
    const most = this.#begun.reduce((a, b) => Math.max(a, b), 1);
    pen.fillStyle = this.#sheet.color("bar");
    this.#begun.forEach((count, column) => {
      const high = (count / most) * (height - 8);
      pen.fillRect(column * this.#columnWidth, height - 2 - high, this.#columnWidth - 1, high);
    });
    pen.fillStyle = this.#sheet.color("violation");
    for (const i of scene.partakers) {
      if (scene.rowOf[i] !== -1) pen.fillRect(this.#x(scene.start[i]!) - 1, 2, 2.5, height - 4);
    }
    const left = Math.max(this.#x(Math.max(viewport.from, 0)), 0.5);
    const right = Math.min(this.#x(Math.min(viewport.to, scene.last)), width - 0.5);
    pen.beginPath();
    pen.roundRect(left, 0.5, Math.max(right - left, 3), height - 1, 3);
    pen.strokeStyle = pen.fillStyle = this.#sheet.color("ink");
    pen.lineWidth = 1;
    pen.stroke();
    pen.globalAlpha = 0.08;
    pen.fill();
    pen.globalAlpha = 1;
  }

  #x(position: number): number {
    return (position / this.#geometry.scene.last) * (this.#sheet.width - 1);
  }
}
