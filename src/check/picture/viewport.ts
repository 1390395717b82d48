/**
 * Which part of the axis is seen, and where on the screen. Part of the page's script: it may use nothing from
 * outside its own text.
 */
export class Viewport {
  /** What is seen, in the units of the axis. */
  from = 0;
  to = 1;
  /** How many pixels it is seen on. */
  width = 1;
  /** The whole axis. */
  #first = 0;
  #last = 1;
  /** As little as one may see at once. */
  #closest = 1;

  /** A new axis from zero to the last, of which one sees all, and never less than `closest`. */
  reset(last: number, closest: number): void {
    const margin = last * 0.02;
    this.#first = -margin;
    this.#last = last + margin;
    this.#closest = closest;
    this.showAll();
  }

  x(position: number): number {
    return ((position - this.from) / (this.to - this.from)) * this.width;
  }

  position(x: number): number {
    return this.from + (x / this.width) * (this.to - this.from);
  }

  showAll(): void {
    this.show(this.#first, this.#last);
  }

  show(from: number, to: number): void {
    const span = Math.min(Math.max(to - from, this.#closest), this.#last - this.#first);
    const middle = (from + to) / 2;
    this.from = Math.min(Math.max(middle - span / 2, this.#first), this.#last - span);
    this.to = this.from + span;
  }

  /** By less than 1 to come nearer; what stands at `x` stays there. */
  zoom(factor: number, x: number): void {
    const fixed = this.position(x);
    const span = Math.max((this.to - this.from) * factor, this.#closest);
    const from = fixed - (x / this.width) * span;
    this.show(from, from + span);
  }

  pan(pixels: number): void {
    const distance = (pixels / this.width) * (this.to - this.from);
    this.show(this.from + distance, this.to + distance);
  }

  /** Moves as little as is needed to see it, if it can be seen whole. */
  reveal(from: number, to: number): void {
    const span = this.to - this.from;
    const margin = span * 0.05;
    if (from < this.from + margin) this.show(from - margin, from - margin + span);
    else if (to > this.to - margin) {
      const begin = Math.min(to + margin - span, from - margin);
      this.show(begin, begin + span);
    }
  }
}
