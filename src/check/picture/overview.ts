import type { Browser, PageElement, Pen } from "./browser.js";
import type { Geometry } from "./geometry.js";

/**
 * The whole axis at a glance, above the timeline: how much happened when, where the violation is, and which
 * part the timeline shows. Part of the page's script: it may use nothing from outside its own text.
 */
export class Overview {
  readonly #browser: Browser;
  readonly #canvas: PageElement;
  readonly #pen: Pen;
  readonly #geometry: Geometry;
  /** How many operations begin in each column. */
  #begun = new Uint32Array(1);
  #width = 1;
  readonly #columnWidth = 4;
  readonly #fewest = 120;

  constructor(browser: Browser, canvas: PageElement, geometry: Geometry) {
    this.#browser = browser;
    this.#canvas = canvas;
    this.#pen = canvas.getContext("2d");
    this.#geometry = geometry;
  }

  /** Looks at its size and at the scene again; where little happened, there is nothing to be gained by it. */
  measure(): void {
    const { scene } = this.#geometry;
    const shown = scene.rows.flat();
    this.#canvas.hidden = shown.length < this.#fewest;
    const { clientWidth, clientHeight } = this.#canvas;
    const { devicePixelRatio } = this.#browser;
    this.#canvas.width = Math.round(clientWidth * devicePixelRatio);
    this.#canvas.height = Math.round(clientHeight * devicePixelRatio);
    this.#width = Math.max(clientWidth, 1);
    this.#begun = new Uint32Array(Math.floor(clientWidth / this.#columnWidth) + 1);
    for (const i of shown) this.#begun[Math.floor(this.#x(scene.start[i]!) / this.#columnWidth)]!++;
  }

  /** Moves what is seen, so that this is in the middle of it. */
  goTo(x: number): void {
    const { viewport, scene } = this.#geometry;
    const middle = (x / this.#width) * scene.last;
    const half = (viewport.to - viewport.from) / 2;
    viewport.show(middle - half, middle + half);
  }

  draw(): void {
    const pen = this.#pen;
    const { scene, viewport } = this.#geometry;
    const width = this.#width;
    const height = this.#canvas.clientHeight;
    const style = this.#browser.getComputedStyle(this.#canvas);
    const paint = (color: string) => (pen.fillStyle = style.getPropertyValue(`--${color}`).trim());
    const ratio = this.#browser.devicePixelRatio;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const most = this.#begun.reduce((a, b) => Math.max(a, b), 1);
    paint("bar");
    this.#begun.forEach((count, column) => {
      const high = (count / most) * (height - 8);
      pen.fillRect(column * this.#columnWidth, height - 2 - high, this.#columnWidth - 1, high);
    });
    paint("violation");
    for (const i of scene.partakers) {
      if (scene.rowOf[i] !== -1) pen.fillRect(this.#x(scene.start[i]!) - 1, 2, 2.5, height - 4);
    }
    const left = this.#x(Math.max(viewport.from, 0));
    const seen = Math.max(this.#x(Math.min(viewport.to, scene.last)) - left, 3);
    pen.strokeStyle = paint("ink");
    pen.globalAlpha = 0.08;
    pen.fillRect(left, 1, seen, height - 2);
    pen.globalAlpha = 1;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.roundRect(Math.max(left, 0.5), 0.5, Math.min(seen, width - left - 1), height - 1, 3);
    pen.stroke();
  }

  #x(position: number): number {
    return (position / this.#geometry.scene.last) * (this.#width - 1);
  }
}
