/** The part of a browser that the page's script uses: the compiler knows only Node. */
export interface Browser {
  readonly document: PageDocument;
  readonly devicePixelRatio: number;
  readonly ResizeObserver: new (onResized: () => void) => { observe(element: PageElement): void };
  requestAnimationFrame(draw: () => void): void;
  getComputedStyle(element: PageElement): { getPropertyValue(name: string): string };
  matchMedia(query: string): Listening;
}

interface Listening {
  addEventListener(
    type: string,
    listener: (event: PageEvent) => void,
    options?: { readonly passive: boolean },
  ): void;
}

export interface PageDocument extends Listening {
  getElementById(id: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
}

export interface PageElement extends Listening {
  readonly clientWidth: number;
  readonly clientHeight: number;
  readonly dataset: Record<string, string | undefined>;
  readonly style: Record<string, string>;
  hidden: boolean;
  textContent: string;
  value: string;
  width: number;
  height: number;
  getBoundingClientRect(): { readonly left: number; readonly top: number };
  getContext(kind: "2d"): Pen;
  setPointerCapture(pointer: number): void;
  focus(): void;
}

export interface PageEvent {
  readonly clientX: number;
  readonly clientY: number;
  readonly deltaX: number;
  readonly deltaY: number;
  readonly pointerId: number;
  readonly buttons: number;
  readonly key: string;
  readonly shiftKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
  preventDefault(): void;
}

/** What draws on a canvas. */
export interface Pen {
  fillStyle: string | Gradient;
  strokeStyle: string;
  lineWidth: number;
  globalAlpha: number;
  font: string;
  textAlign: "left" | "center" | "right";
  textBaseline: "middle" | "top";
  setTransform(a: number, b: number, c: number, d: number, e: number, f: number): void;
  setLineDash(pattern: readonly number[]): void;
  createLinearGradient(x0: number, y0: number, x1: number, y1: number): Gradient;
  clearRect(x: number, y: number, width: number, height: number): void;
  fillRect(x: number, y: number, width: number, height: number): void;
  fillText(text: string, x: number, y: number): void;
  measureText(text: string): { readonly width: number };
  beginPath(): void;
  rect(x: number, y: number, width: number, height: number): void;
  roundRect(x: number, y: number, width: number, height: number, radius: number): void;
  arc(x: number, y: number, radius: number, from: number, to: number): void;
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  bezierCurveTo(ax: number, ay: number, bx: number, by: number, x: number, y: number): void;
  fill(): void;
  stroke(): void;
  clip(): void;
  save(): void;
  restore(): void;
}

export interface Gradient {
  addColorStop(at: number, color: string): void;
}
