import type { Browser, PageDocument, PageElement, PageEvent } from "./browser.js";
import type { Geometry } from "./geometry.js";
import type { Overview } from "./overview.js";
import type { Painter } from "./painter.js";
import type { Axis } from "./scene.js";

interface ControlledParts {
  readonly canvas: PageElement;
  /** What the overview is drawn on. */
  readonly strip: PageElement;
  readonly geometry: Geometry;
  readonly overview: Overview;
  readonly painter: Painter;
}

/**
 * What a reader does with the page: choose, zoom, drag, point, press keys. Part of the page's script: it may
 * use nothing from outside its own text.
 */
export class Controls {
  readonly #document: PageDocument;
  readonly #canvas: PageElement;
  readonly #geometry: Geometry;
  readonly #painter: Painter;
  #anomaly = 0;
  #key = -1;
  #axis: Axis = "order";
  /** Where the pointer was when the drag came this far. */
  #dragged: { x: number; y: number; distance: number } | undefined;

  constructor(browser: Browser, parts: ControlledParts) {
    const { canvas, strip, geometry, overview, painter } = parts;
    this.#document = browser.document;
    this.#canvas = canvas;
    this.#geometry = geometry;
    this.#painter = painter;
    this.#listenToControls();
    this.#listenToPointer();
    for (const type of ["pointerdown", "pointermove"]) {
      strip.addEventListener(type, (event) => {
        if (event.buttons === 0) return;
        overview.goTo(event.clientX - strip.getBoundingClientRect().left);
        painter.draw();
      });
    }
    canvas.addEventListener("keydown", (event) => this.#pressed(event));
    new browser.ResizeObserver(() => painter.measure()).observe(canvas);
    browser.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => painter.measure());
    this.#chooseAnomaly(0);
  }

  #listenToControls(): void {
    const on = (id: string, type: string, act: (value: string) => void) => {
      const element = this.#document.getElementById(id);
      element?.addEventListener(type, () => act(element.value));
    };
    on("anomaly", "change", (value) => this.#chooseAnomaly(Number(value)));
    on("key", "change", (value) => this.#choose(Number(value), this.#axis));
    on("axis", "change", (value) => this.#choose(this.#key, value === "time" ? "time" : "order"));
    on("show-violation", "click", () => this.#showViolation());
    on("show-all", "click", () => this.#showAll());
    on("nearer", "click", () => this.#zoom(1 / 1.5));
    on("farther", "click", () => this.#zoom(1.5));
    for (const button of this.#document.querySelectorAll("[data-operation]")) {
      button.addEventListener("click", () => this.#select(Number(button.dataset["operation"])));
    }
  }

  #listenToPointer(): void {
    const on = (type: string, act: (event: PageEvent, x: number, y: number) => void) => {
      this.#canvas.addEventListener(
        type,
        (event) => {
          const { left, top } = this.#canvas.getBoundingClientRect();
          act(event, event.clientX - left, event.clientY - top);
        },
        { passive: false },
      );
    };
    on("wheel", (event, x) => this.#wheeled(event, x));
    on("pointerdown", (event, x, y) => {
      this.#dragged = { x, y, distance: 0 };
      this.#canvas.setPointerCapture(event.pointerId);
    });
    on("pointermove", (event, x, y) => (event.buttons === 0 ? this.#hover(x, y) : this.#drag(x, y)));
    on("pointerup", (_event, x, y) => {
      // Who hardly moved has clicked.
      if ((this.#dragged?.distance ?? 0) < 4) this.#select(this.#geometry.operationAt(x, y));
      this.#dragged = undefined;
    });
    on("pointerleave", () => this.#hover(-1, -1));
  }

  #chooseAnomaly(anomaly: number): void {
    this.#anomaly = anomaly;
    for (const section of this.#document.querySelectorAll("[data-anomaly]")) {
      section.hidden = section.dataset["anomaly"] !== String(anomaly);
    }
    const key = this.#geometry.scene.drawing.anomalies[anomaly]?.key ?? -1;
    this.#choose(key, this.#axis);
  }

  #choose(key: number, axis: Axis): void {
    const { scene, viewport } = this.#geometry;
    this.#key = key;
    this.#axis = axis;
    scene.arrange(key, axis, scene.drawing.anomalies[this.#anomaly]);
    viewport.reset(scene.last, Math.min(scene.step * 4, scene.last));
    this.#canvas.style["height"] = `${this.#geometry.wantedHeight}px`;
    const filter = this.#document.getElementById("key");
    if (filter) filter.value = String(key);
    this.#painter.measure();
    this.#select(-1);
    this.#showViolation();
  }

  /** With as much around it as it is wide, so that one sees what it stands in. */
  #showViolation(): void {
    const { scene, viewport } = this.#geometry;
    const { violation } = scene;
    if (violation === undefined) {
      this.#showAll();
      return;
    }
    const margin = Math.max((violation.to - violation.from) / 4, scene.step * 3);
    viewport.show(violation.from - margin, violation.to + margin);
    const rows = scene.partakers.map((i) => scene.rowOf[i]!).filter((row) => row !== -1);
    const top = rows.reduce((least, row) => Math.min(least, row), Infinity);
    this.#geometry.scrollTo((top - 1) * this.#geometry.rowHeight);
    this.#painter.draw();
  }

  #showAll(): void {
    this.#geometry.viewport.showAll();
    this.#painter.draw();
  }

  #zoom(factor: number, x = this.#geometry.viewport.width / 2): void {
    this.#geometry.viewport.zoom(factor, x);
    this.#painter.draw();
  }

  #wheeled(event: PageEvent, x: number): void {
    event.preventDefault();
    const isSideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (isSideways) this.#pan(event.deltaX || event.deltaY, 0);
    else this.#zoom(1.0015 ** event.deltaY, x - this.#geometry.gutter);
    this.#hover(-1, -1);
  }

  #pan(x: number, y: number): void {
    this.#geometry.viewport.pan(x);
    this.#geometry.scrollTo(this.#geometry.scroll + y);
    this.#painter.draw();
  }

  #drag(x: number, y: number): void {
    if (this.#dragged === undefined) return;
    const [left, up] = [this.#dragged.x - x, this.#dragged.y - y];
    this.#pan(left, up);
    this.#dragged = { x, y, distance: this.#dragged.distance + Math.abs(left) + Math.abs(up) };
    this.#hover(-1, -1);
  }

  #hover(x: number, y: number): void {
    this.#painter.hovered = this.#geometry.operationAt(x, y);
    this.#painter.draw();
    this.#tell();
  }

  #select(operation: number): void {
    this.#painter.selected = operation;
    if (operation !== -1) {
      // What another key hides is not to be seen before all are.
      if (this.#geometry.scene.rowOf[operation] === -1) this.#choose(-1, this.#axis);
      this.#painter.selected = operation;
      this.#geometry.reveal(operation);
    }
    this.#painter.draw();
    this.#tell();
  }

  #pressed(event: PageEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const actions: Record<string, () => void> = {
      "+": () => this.#zoom(1 / 1.5),
      "=": () => this.#zoom(1 / 1.5),
      "-": () => this.#zoom(1.5),
      "0": () => this.#showAll(),
      v: () => this.#showViolation(),
      Escape: () => this.#select(-1),
      ArrowLeft: () => this.#step(-1),
      ArrowRight: () => this.#step(1),
      ArrowUp: () => this.#change(-1),
      ArrowDown: () => this.#change(1),
    };
    const act = actions[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  }

  /** To the one before or after in the same lane. */
  #step(by: 1 | -1): void {
    const { rows, rowOf } = this.#geometry.scene;
    const { selected } = this.#painter;
    const row = rows[rowOf[selected] ?? 0] ?? [];
    this.#select(selected === -1 ? this.#middlemost(0) : (row[row.indexOf(selected) + by] ?? selected));
  }

  /** To the lane above or below, where it is about the same time. */
  #change(by: 1 | -1): void {
    const { rows, rowOf } = this.#geometry.scene;
    const { selected } = this.#painter;
    const row = selected === -1 ? 0 : rowOf[selected]! + by;
    this.#select(this.#middlemost((row + rows.length) % rows.length));
  }

  /** Of the lane, what begins next to the selected one, or to the middle of what is seen. */
  #middlemost(row: number): number {
    const { scene, viewport } = this.#geometry;
    const { selected } = this.#painter;
    const at = selected === -1 ? (viewport.from + viewport.to) / 2 : scene.start[selected]!;
    const away = (i: number) => Math.abs(scene.start[i]! - at);
    return (scene.rows[row] ?? []).reduce((best, i) => (best === -1 || away(i) < away(best) ? i : best), -1);
  }

  /** Says all there is to know of what is pointed at, or else of what is selected. */
  #tell(): void {
    const { hovered, selected } = this.#painter;
    const operation = hovered === -1 ? selected : hovered;
    const detail = this.#document.getElementById("detail")!;
    detail.hidden = operation === -1;
    if (operation === -1) return;
    detail.textContent = this.#wordsFor(operation).join("\n");
    const { left, top, height } = this.#geometry.boxOf(operation);
    const { gutter, width } = this.#geometry;
    detail.style["left"] = `${Math.max(gutter, Math.min(left, width - detail.clientWidth - 8))}px`;
    detail.style["top"] = `${top + height + 6}px`;
  }

  #wordsFor(i: number): string[] {
    const { drawing, anomaly, numberOf, order } = this.#geometry.scene;
    const { label, client, clients, failed, returned, invokedMs, returnedMs, invokedLine, returnedLine } =
      drawing;
    const isOpen = returned[i] === -1;
    const words = [label[i]!, clients[client[i]!]!];
    if (isOpen) words.push("nobody saw the end of it: it may take effect at any later time, or never");
    else if (failed.includes(i)) words.push("it failed, and changed nothing");
    if (invokedMs.length > 0) {
      const [from, to] = [invokedMs[i]!, returnedMs[i]!];
      words.push(
        isOpen ? `called at ${from} ms` : `${from} ms to ${to} ms (${Number((to - from).toFixed(3))} ms)`,
      );
    }
    if (invokedLine.length > 0) {
      words.push(isOpen ? `line ${invokedLine[i]}` : `lines ${invokedLine[i]} and ${returnedLine[i]}`);
    }
    if (numberOf[i] !== 0) words.push(`number ${numberOf[i]} of ${order.length} in the longest order`);
    for (const [stuck, because] of anomaly?.stuck ?? [])
      if (stuck === i) words.push(`cannot be next: ${because}`);
    for (const [from, to, relation, because] of anomaly?.edges ?? []) {
      if (from === i) words.push(`${relation}: before ${label[to]}, for ${because}`);
    }
    return words;
  }
}
