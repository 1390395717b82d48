import { clientText, type Operation } from "../history.js";
import type { Anomaly, Attempt, Edge } from "../verdict.js";
import { cycleGraph } from "./cycle-graph.js";
import { labelOf, type Places } from "./drawing.js";
import { html, type Markup } from "./html.js";

/** As much of the longest order as anyone would read; what matters is its end. */
const mostOrdered = 200;
const mostListed = 500;

/** What is known of each anomaly, in words; the script shows one at a time. */
export function findings(anomalies: readonly Anomaly[], places: Places): Markup {
  return html`${anomalies.map((anomaly, i) => finding(anomaly, i, places))}`;
}

function finding(anomaly: Anomaly, i: number, places: Places): Markup {
  const { name, explanation, operations, attempt, cycle = [] } = anomaly;
  return html`<section class="finding" data-anomaly="${i}">
    <article class="card lead">
      <h2>${name}</h2>
      <p>${explanation}</p>
    </article>
    ${
      cycle.length > 0 &&
      html`<article class="card wide">
          <h3>Each must come before the next</h3>
          ${cycleGraph(cycle, places, i)}
        </article>
        <article class="card">
          <h3>Why</h3>
          <ol>
            ${cycle.map((edge) => edgeItem(edge, places))}
          </ol>
        </article>`
    }
    ${attempt && attemptCards(attempt, places)}
    ${
      cycle.length === 0 &&
      html`<article class="card">
        <h3>Those that take part</h3>
        ${operationList(operations, places)}
      </article>`
    }
  </section>`;
}

function attemptCards({ order, state, stuck }: Attempt, places: Places): Markup {
  const hidden = Math.max(order.length - mostOrdered, 0);
  return html`${
      stuck.length > 0 &&
      html`<article class="card">
        <h3>One of these would have to be next</h3>
        <ul class="stuck">
          ${stuck.map(
            ({ operation, because }) =>
              html`<li>
                ${buttonBy(operation, places, "culprit")}
                <p>${because}</p>
              </li>`,
          )}
        </ul>
      </article>`
    }
    <article class="card">
      <h3>The longest order that could be found</h3>
      ${hidden > 0 && html`<p class="quiet">The first ${hidden} of ${order.length} are left out here.</p>`}
      <ol class="order" start="${hidden + 1}">
        ${order.slice(hidden).map((operation) => html`<li>${buttonBy(operation, places)}</li>`)}
      </ol>
      <p class="state">Then it is <code>${state}</code></p>
    </article>`;
}

function edgeItem({ from, to, relation, because }: Edge, places: Places): Markup {
  return html`<li>
    ${buttonBy(from, places)} <span class="relation">${relation}</span> ${buttonBy(to, places)}
    <p>${because}</p>
  </li>`;
}

function operationList(operations: readonly Operation[], places: Places): Markup {
  const listed = operations.slice(0, mostListed);
  const more = operations.length - listed.length;
  return html`<ul>
      ${listed.map((operation) => html`<li>${buttonBy(operation, places)}</li>`)}
    </ul>
    ${more > 0 && html`<p class="quiet">and ${more} more</p>`}`;
}

/** With who did it: many do the same. */
function buttonBy(operation: Operation, places: Places, kind?: string): Markup {
  return html`${button(operation, places, kind)} <span class="quiet">${clientText(operation.client)}</span>`;
}

/** Leads to the operation on the timeline. */
function button(operation: Operation, places: Places, kind = ""): Markup {
  const place = places.get(operation.invoked);
  if (place === undefined) return html`<code>${labelOf(operation)}</code>`;
  return html`<button type="button" class="operation ${kind}" data-operation="${place}">
    ${labelOf(operation)}
  </button>`;
}
