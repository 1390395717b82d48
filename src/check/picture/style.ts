/** The look of the page. The timeline takes its colors from here, too. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #f5f6f8; --surface: #ffffff; --band: #f8f9fb; --ink: #1b2129; --quiet: #59636f; --line: #e2e6eb;
  --bar: #dde2e9; --bar-ink: #414b57; --order: #2563c9; --order-soft: #dfe9fb;
  --violation: #c8242c; --violation-soft: #fadddd; --valid: #17794a; --unknown: #8f5f00; --on-strong: #ffffff;
  --shadow: 0 1px 2px #1b212914, 0 2px 8px #1b21290d;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1216; --surface: #171b21; --band: #1b2027; --ink: #e7eaef; --quiet: #9ba6b3; --line: #2b323b;
    --bar: #323a45; --bar-ink: #bcc6d1; --order: #7aa9ff; --order-soft: #20324f;
    --violation: #ff6a6e; --violation-soft: #4b2125; --valid: #52c48b; --unknown: #e0b04f;
    --on-strong: #12151a;
    --shadow: 0 1px 2px #00000066;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body {
  margin: 0 auto; max-width: 1800px; padding: 20px 24px 32px; background: var(--page); color: var(--ink);
  font: 14px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif;
}
h1, h2, h3, p { margin: 0; }
h1 { font-size: 15px; font-weight: 600; color: var(--quiet); }
h2 { font-size: 17px; }
h2::first-letter, h3::first-letter { text-transform: uppercase; }
h3 { font-size: 13px; margin-bottom: 10px; }
code, .operation, .graph text { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code, .operation { font-size: 12.5px; unicode-bidi: isolate; overflow-wrap: anywhere; }
.quiet { color: var(--quiet); }
header { display: grid; gap: 2px; margin-bottom: 16px; }
.verdict {
  display: flex; flex-wrap: wrap; align-items: baseline; gap: 4px 14px; font-size: 24px;
  font-weight: 650;
}
.verdict .quiet { font-size: 14px; font-weight: 400; }
.verdict b {
  align-self: center; padding: 3px 12px 4px; border-radius: 99px; font-size: 14px; color: var(--on-strong);
  background: var(--violation);
}
.verdict b::first-letter { text-transform: uppercase; }
.valid .verdict b { background: var(--valid); }
.unknown .verdict b { background: var(--unknown); }
.card, .stage {
  background: var(--surface); border: 1px solid var(--line); border-radius: 10px;
  box-shadow: var(--shadow);
}
.toolbar {
  display: flex; flex-wrap: wrap; gap: 8px 14px; align-items: center; padding: 10px 12px;
  border-bottom: 1px solid var(--line);
}
.toolbar label { display: flex; gap: 6px; align-items: center; color: var(--quiet); }
.toolbar .gap { flex: 1; }
button, select {
  font: inherit; color: var(--ink); background: var(--surface); border: 1px solid var(--line);
  border-radius: 7px; padding: 4px 10px; max-width: 100%;
}
.toolbar select { max-width: 320px; }
button { cursor: pointer; }
button:hover, select:hover { border-color: var(--quiet); }
button:focus-visible, select:focus-visible, canvas:focus-visible {
  outline: 2px solid var(--order); outline-offset: 1px;
}
#show-violation {
  color: var(--on-strong); background: var(--violation); border-color: var(--violation);
  font-weight: 600;
}
.view { position: relative; }
#overview { display: block; width: calc(100% - 24px); height: 34px; margin: 8px 12px 4px; cursor: pointer; }
#timeline {
  display: block; width: 100%; min-height: 130px; max-height: 54vh; cursor: grab;
  touch-action: pan-y;
}
#timeline:active { cursor: grabbing; }
#detail {
  position: absolute; z-index: 1; max-width: min(460px, 80%); padding: 8px 12px; white-space: pre-line;
  overflow-wrap: anywhere; pointer-events: none; background: var(--ink); color: var(--surface);
  border-radius: 8px; font-size: 12.5px; unicode-bidi: isolate; box-shadow: 0 4px 16px #0005;
}
#detail::first-line {
  font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-weight: 600;
}
.legend {
  display: flex; flex-wrap: wrap; gap: 4px 18px; padding: 8px 12px;
  border-top: 1px solid var(--line); color: var(--quiet); font-size: 12.5px;
}
.legend i {
  display: inline-block; width: 22px; height: 11px; margin-right: 6px; border-radius: 3px;
  background: var(--bar);
}
.legend .ordered { background: var(--order-soft); border-left: 3px solid var(--order); }
.legend .partaker { background: var(--violation-soft); border-left: 3px solid var(--violation); }
.legend .culprit { background: var(--violation); }
.legend .open { background: linear-gradient(to right, var(--bar) 40%, transparent); }
.legend kbd {
  font: inherit; padding: 0 5px; border: 1px solid var(--line); border-radius: 4px;
  color: var(--ink);
}
.legend .keys { width: 100%; }
.finding, main > .card { margin-top: 16px; }
.finding {
  display: grid; gap: 16px; grid-template-columns: repeat(auto-fit, minmax(min(360px, 100%), 1fr));
  align-items: start;
}
.card { padding: 16px 18px; min-width: 0; }
.lead { grid-column: 1 / -1; border-left: 4px solid var(--violation); }
.lead p { margin-top: 6px; max-width: 90ch; white-space: pre-line; }
.wide { grid-column: span 2; }
.card ol, .card ul {
  margin: 0; padding: 0; list-style: none; display: grid; gap: 6px; max-height: 46vh;
  overflow: auto;
}
.card ol.order { padding-left: 4ch; list-style: decimal; gap: 3px; }
.card ol.order li::marker { color: var(--order); font-variant-numeric: tabular-nums; }
.card li p { margin: 2px 0 6px 2px; color: var(--quiet); }
.card .state { margin-top: 10px; }
.operation { padding: 1px 7px; text-align: left; border-radius: 5px; background: var(--band); }
.operation.culprit { border-color: var(--violation); color: var(--violation); }
.relation { color: var(--violation); font-weight: 600; margin: 0 4px; }
.relation::after { content: " →"; }
.graph { display: block; width: 100%; height: auto; margin: 0 auto; }
.graph text { font-size: 12.5px; text-anchor: middle; dominant-baseline: central; fill: var(--ink); }
.graph .client { font: 11px system-ui, sans-serif; fill: var(--quiet); }
.graph .node { cursor: pointer; }
.graph .node rect { fill: var(--band); stroke: var(--violation); stroke-width: 1.5; }
.graph .node:hover rect { stroke-width: 2.5; }
.graph .edge path { fill: none; stroke: var(--violation); stroke-width: 1.75; }
.graph .edge rect { fill: var(--surface); stroke: var(--violation); }
.graph .edge text { fill: var(--violation); font-weight: 600; }
.graph .edge:hover path { stroke-width: 3; }
.graph marker path { fill: var(--violation); }
@media (max-width: 900px) {
  body { padding: 12px; }
  .wide { grid-column: 1 / -1; }
}
`;
