import type { Scene } from "./scene.js";
import type { Viewport } from "./viewport.js";

export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly height: number;
}

/**
 * Where on the canvas each operation is, in pixels: a lane for each row, and left of them the names. Part of
 * the page's script: it may use nothing from outside its own text.
 */
export class Geometry {
  readonly scene: Scene;
  readonly viewport: Viewport;
  width = 1;
  height = 1;
  /** How wide the names are. */
  gutter = 0;
  /** How high the axis is. */
  readonly header = 26;
  /** How far the rows are scrolled up. */
  scroll = 0;
  readonly #lowestRow = 22;
  readonly #longestFade = 170;

  constructor(scene: Scene, viewport: Viewport) {
    this.scene = scene;
    this.viewport = viewport;
  }

  resize(width: number, height: number, gutter: number): void {
    this.width = width;
    this.height = height;
    this.gutter = gutter;
    this.viewport.width = Math.max(width - gutter, 1);
    this.scrollTo(this.scroll);
  }

  /** The height at which every row is seen at its best. */
  get wantedHeight(): number {
    return this.header + this.scene.rows.length * this.#tallestRow;
  }

  /** Arrows want room between the rows. */
  get #tallestRow(): number {
    return (this.scene.anomaly?.edges.length ?? 0) > 0 ? 68 : 34;
  }

  get rowHeight(): number {
    const fitting = (this.height - this.header) / Math.max(this.scene.rows.length, 1);
    return Math.min(Math.max(fitting, this.#lowestRow), this.#tallestRow);
  }

  scrollTo(scroll: number): void {
    const hidden = this.scene.rows.length * this.rowHeight - (this.height - this.header);
    this.scroll = Math.min(Math.max(scroll, 0), Math.max(hidden, 0));
  }

  topOf(row: number): number {
    return this.header + row * this.rowHeight - this.scroll;
  }

  x(position: number): number {
    return this.gutter + this.viewport.x(position);
  }

  boxOf(operation: number): Box {
    const { start, end, rowOf } = this.scene;
    const left = this.x(start[operation]!);
    const isOpen = end[operation] === Infinity;
    const right = isOpen ? left + this.#fade : this.x(end[operation]!);
    const gap = Math.max(Math.min(this.rowHeight * 0.14, 4), (this.rowHeight - 26) / 2);
    const top = this.topOf(rowOf[operation]!) + gap;
    return { left, right: Math.max(right, left + 1.5), top, height: this.rowHeight - 2 * gap };
  }

  /** How long a bar without an end is. */
  get #fade(): number {
    const { from, to, width } = this.viewport;
    const step = (this.scene.step / (to - from)) * width;
    return Math.min(Math.max(step * 4, 2), this.#longestFade);
  }

  /** The operations of each row that are in sight, and perhaps one more. */
  get visible(): number[][] {
    return this.scene.rows.filter((_, row) => this.isInSight(row)).map((row) => this.#visibleOf(row));
  }

  isInSight(row: number): boolean {
    return this.topOf(row) + this.rowHeight > this.header && this.topOf(row) < this.height;
  }

  /** The operation at a place of the canvas, or -1; of several the one whose bar is nearest. */
  operationAt(x: number, y: number): number {
    const row = this.scene.rows[Math.floor((y - this.header + this.scroll) / this.rowHeight)];
    if (row === undefined || x < this.gutter || y < this.header) return -1;
    let nearest = -1;
    let distance = 4;
    for (const i of this.#visibleOf(row)) {
      const { left, right } = this.boxOf(i);
      const away = Math.max(left - x, x - right, 0);
      // Of two at the same place the later one is drawn over the other.
      if (away <= distance) [nearest, distance] = [i, away];
    }
    return nearest;
  }

  /** Brings it into sight, if it is not. */
  reveal(operation: number): void {
    const { start, end, rowOf } = this.scene;
    const from = start[operation]!;
    this.viewport.reveal(from, end[operation] === Infinity ? from : end[operation]!);
    const top = rowOf[operation]! * this.rowHeight;
    const room = this.height - this.header - this.rowHeight;
    this.scrollTo(Math.min(Math.max(this.scroll, top - room), top));
  }

  #visibleOf(row: readonly number[]): number[] {
    const begin = this.#firstAfter(row, this.viewport.position(-this.#longestFade));
    return row.slice(Math.max(begin - 1, 0), this.#firstAfter(row, this.viewport.to));
  }

  #firstAfter(row: readonly number[], position: number): number {
    let low = 0;
    let high = row.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.scene.start[row[middle]!]! > position) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
