import type { Browser, PageElement, Pen } from "./browser.js";

/**
 * A canvas to draw on, sharp on every screen, with the page's colors and font. Part of the page's script: it
 * may use nothing from outside its own text.
 */
export class Sheet {
  readonly pen: Pen;
  readonly canvas: PageElement;
  width = 1;
  height = 1;
  letterWidth = 7;
  readonly #browser: Browser;
  readonly #colors = new Map<string, string>();

  constructor(browser: Browser, canvas: PageElement) {
    this.#browser = browser;
    this.canvas = canvas;
    this.pen = canvas.getContext("2d");
  }

  /** Looks at its size and its colors again. */
  measure(): void {
    const { devicePixelRatio } = this.#browser;
    this.width = Math.max(this.canvas.clientWidth, 1);
    this.height = this.canvas.clientHeight;
    this.canvas.width = Math.round(this.width * devicePixelRatio);
    this.canvas.height = Math.round(this.height * devicePixelRatio);
    this.#colors.clear();
    this.clear();
    this.letterWidth = this.pen.measureText("0").width;
  }

  clear(): void {
    const { devicePixelRatio } = this.#browser;
    this.pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    this.pen.clearRect(0, 0, this.width, this.height);
    this.pen.font = "12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace";
    this.pen.textBaseline = "middle";
  }

  /** One of those that the page's style names. */
  color(name: string): string {
    let color = this.#colors.get(name);
    if (color === undefined) {
      color = this.#browser.getComputedStyle(this.canvas).getPropertyValue(`--${name}`).trim();
      this.#colors.set(name, color);
    }
    return color;
  }

  /** Draws nothing left of or above that. */
  within(left: number, top: number, draw: () => void): void {
    this.pen.save();
    this.pen.beginPath();
    this.pen.rect(left, top, this.width, this.height);
    this.pen.clip();
    draw();
    this.pen.restore();
  }

  /** As much of the text as there is room for. */
  fitting(text: string, room: number): string {
    const letters = Math.floor(room / this.letterWidth);
    if (text.length <= letters) return text;
    return letters < 3 ? "" : `${text.slice(0, letters - 1)}…`;
  }
}
