import { dim } from "./style.js";

/** Aligned columns under their headings. Cells beyond the last heading are left out. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const clean = rows.map((cells) => headings.map((_heading, index) => printable(cells[index] ?? "")));
  const widths = headings.map((heading, index) =>
    Math.max(heading.length, ...clean.map((cells) => cells[index]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, index) => cell.padEnd(widths[index] ?? 0)).join("  ")}`.trimEnd();
  return [dim(line(headings)), ...clean.map(line)].map((text) => `${text}\n`).join("");
}

/** What others wrote into their labels and values must not move the cursor. */
export function printable(cell: string): string {
  // eslint-disable-next-line no-control-regex -- to take them out
  return cell.replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, " ");
}
