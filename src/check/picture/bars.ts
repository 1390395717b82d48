import type { Gradient } from "./browser.js";
import type { Box, Geometry } from "./geometry.js";
import type { Role } from "./scene.js";
import type { Sheet } from "./sheet.js";

/** Draws operations. Part of the page's script: it may use nothing from outside its own text. */
export class Bars {
  readonly #sheet: Sheet;
  readonly #geometry: Geometry;
  /** Those of the bars drawn so far, and where: inside, or right beside. */
  #labels: [operation: number, room: Box, isInside: boolean][] = [];

  constructor(sheet: Sheet, geometry: Geometry) {
    this.#sheet = sheet;
    this.#geometry = geometry;
  }

  /** What matters lies over what does not. */
  draw(): void {
    const { visible } = this.#geometry;
    for (const role of ["plain", "ordered", "partaker", "culprit"] as const) {
      for (const row of visible) this.#drawBars(row, role);
    }
  }

  /** What stands in the bars drawn before, or beside them. */
  label(): void {
    for (const label of this.#labels) this.#drawLabel(...label);
    this.#labels = [];
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
    return this.#sheet.color(names[role]);
  }

  #drawRun({ left, right, top, height }: Box, role: Role): void {
    // What matters is seen from afar, too.
    const least = role === "culprit" ? 4 : role === "partaker" ? 3 : 1;
    this.#sheet.pen.fillStyle = this.#fillOf(role);
    this.#sheet.pen.fillRect(left, top, Math.max(right - left, least), height);
  }

  #drawBar(i: number, box: Box, next: number | undefined): void {
    const { roleOf, end } = this.#geometry.scene;
    const role = roleOf[i]!;
    const { left, right, top, height } = box;
    const isOpen = end[i] === Infinity;
    const edge = role === "partaker" ? "violation" : role === "ordered" ? "order" : undefined;
    this.#sheet.pen.beginPath();
    this.#sheet.pen.roundRect(left, top, right - left, height, Math.min(4, (right - left) / 3));
    this.#sheet.pen.fillStyle = isOpen ? this.#faded(this.#fillOf(role), box) : this.#fillOf(role);
    this.#sheet.pen.fill();
    if (edge !== undefined) {
      this.#sheet.pen.fillStyle = this.#sheet.color(edge);
      this.#sheet.pen.fillRect(left, top, 3, height);
    }
    if (height < 12) return;
    const until = next === undefined ? this.#sheet.width : this.#geometry.boxOf(next).left;
    const isBeside = role !== "plain" && !this.#fits(i, right - left) && until - right > right - left;
    if (isBeside) this.#labels.push([i, { ...box, left: right, right: until }, false]);
    // Others may be drawn over what fades away.
    else this.#labels.push([i, isOpen ? { ...box, right: Math.min(right, until) } : box, true]);
  }

  #faded(color: string, { left, right }: Box): Gradient {
    const gradient = this.#sheet.pen.createLinearGradient(left, 0, right, 0);
    gradient.addColorStop(0, color);
    gradient.addColorStop(0.4, color);
    // Not "transparent", which is a transparent black: the way to it would be grey.
    gradient.addColorStop(1, `${color}00`);
    return gradient;
  }

  #fits(i: number, room: number): boolean {
    const { drawing, numberOf } = this.#geometry.scene;
    const letters = drawing.label[i]!.length + (numberOf[i] === 0 ? 0 : String(numberOf[i]).length + 2);
    return letters * this.#sheet.letterWidth + 10 <= room;
  }

  #drawLabel(i: number, { left, right, top, height }: Box, isInside: boolean): void {
    const { drawing, numberOf, roleOf } = this.#geometry.scene;
    const middle = top + height / 2 + 0.5;
    let from = Math.max(left, this.#geometry.gutter) + 7;
    if (numberOf[i] !== 0) {
      const number = String(numberOf[i]);
      const width = number.length * this.#sheet.letterWidth + 8;
      if (from + width > right) return;
      this.#sheet.pen.fillStyle = this.#sheet.color("order");
      this.#sheet.pen.beginPath();
      this.#sheet.pen.roundRect(from - 2, top + height / 2 - 8, width, 16, 8);
      this.#sheet.pen.fill();
      this.#sheet.pen.fillStyle = this.#sheet.color("on-strong");
      this.#sheet.pen.fillText(number, from + 2, middle);
      from += width + 3;
    }
    const inks = { plain: "bar-ink", ordered: "ink", partaker: "ink", culprit: "on-strong" };
    this.#sheet.pen.fillStyle = this.#sheet.color(isInside ? inks[roleOf[i]!] : "ink");
    this.#sheet.pen.fillText(this.#sheet.fitting(drawing.label[i]!, right - from - 3), from, middle);
  }
}
