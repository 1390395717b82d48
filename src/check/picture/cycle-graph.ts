import { clientText, type Operation } from "../history.js";
import type { Edge } from "../verdict.js";
import { labelOf, type Places } from "./drawing.js";
import { html, type Markup } from "./html.js";

interface Point {
  readonly x: number;
  readonly y: number;
}

const box = { width: 236, height: 48 };
const mostLetters = 30;

/**
 * A cycle as a graph: operations on an ellipse, clockwise, and an arrow for each edge. Each graph of a page
 * has an id of its own.
 */
export function cycleGraph(cycle: readonly Edge[], places: Places, id: number): Markup {
  const nodes = new Map<number, Operation>();
  for (const { from, to } of cycle) nodes.set(from.invoked, from).set(to.invoked, to);
  const count = nodes.size;
  const radius = {
    x: Math.max(count < 4 ? 230 : 270, count * 55),
    y: count === 2 ? 0 : Math.max(110, count * 24),
  };
  const center = { x: radius.x + box.width / 2 + 10, y: radius.y + box.height / 2 + (count === 2 ? 60 : 34) };
  // Two stand side by side; more begin at the top.
  const first = count === 2 ? Math.PI : -Math.PI / 2;
  const points = new Map(
    [...nodes.keys()].map((invoked, n) => {
      const angle = first + (n / count) * 2 * Math.PI;
      return [
        invoked,
        { x: center.x + radius.x * Math.cos(angle), y: center.y + radius.y * Math.sin(angle) },
      ];
    }),
  );
  const size = { width: center.x * 2, height: center.y * 2 };
  return html`<svg
    class="graph"
    viewBox="0 0 ${size.width} ${size.height}"
    style="max-width: ${size.width}px"
    role="img"
    aria-label="The cycle as a graph; the list beside it says the same"
  >
    <defs>
      <marker
        id="tip-${id}"
        viewBox="0 0 10 10"
        refX="9"
        refY="5"
        markerWidth="8"
        markerHeight="8"
        orient="auto"
      >
        <path d="M0 0 10 5 0 10z" />
      </marker>
    </defs>
    ${cycle.map((edge) => arrow(edge, points.get(edge.from.invoked)!, points.get(edge.to.invoked)!, id))}
    ${[...nodes.values()].map((operation) => node(operation, points.get(operation.invoked)!, places))}
  </svg>`;
}

function node(operation: Operation, { x, y }: Point, places: Places): Markup {
  const label = labelOf(operation);
  const short = label.length > mostLetters ? `${label.slice(0, mostLetters - 1)}…` : label;
  return html`<g class="node" data-operation="${places.get(operation.invoked) ?? -1}">
    <title>${label}</title>
    <rect
      x="${x - box.width / 2}"
      y="${y - box.height / 2}"
      width="${box.width}"
      height="${box.height}"
      rx="8"
    />
    <text class="client" x="${x}" y="${y - 7}">${clientText(operation.client)}</text>
    <text x="${x}" y="${y + 11}">${short}</text>
  </g>`;
}

/** Bent outwards, so that there and back are two. */
function arrow({ relation, because }: Edge, from: Point, to: Point, id: number): Markup {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy) || 1;
  const bend = 56;
  const control = {
    x: (from.x + to.x) / 2 + (dy / length) * bend,
    y: (from.y + to.y) / 2 - (dx / length) * bend,
  };
  const start = border(from, control);
  const end = border(to, control);
  const middle = {
    x: start.x / 4 + control.x / 2 + end.x / 4,
    y: start.y / 4 + control.y / 2 + end.y / 4,
  };
  const width = relation.length * 8 + 18;
  return html`<g class="edge">
    <title>${because}</title>
    <path
      d="M${start.x} ${start.y}Q${control.x} ${control.y} ${end.x} ${end.y}"
      marker-end="url(#tip-${id})"
    />
    <rect x="${middle.x - width / 2}" y="${middle.y - 12}" width="${width}" height="24" rx="12" />
    <text x="${middle.x}" y="${middle.y}">${relation}</text>
  </g>`;
}

/** Where the line from the middle of a box to the point leaves the box. */
function border({ x, y }: Point, toward: Point): Point {
  const [dx, dy] = [toward.x - x, toward.y - y];
  const scale = Math.min(box.width / 2 / Math.abs(dx), (box.height + 6) / 2 / Math.abs(dy));
  return { x: x + dx * scale, y: y + dy * scale };
}
