import { styleText } from "node:util";

type Style = "bold" | "dim" | "green" | "red";

/** Colour on a terminal, unless NO_COLOR says otherwise. */
const isColoured = process.stdout.isTTY && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";

export function paint(style: Style, text: string): string {
  return isColoured ? styleText(style, text) : text;
}

/** Lays out rows in columns: the first to the left, all others, being numbers, to the right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  styleOf: (row: number, column: number) => Style | undefined = () => undefined,
): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const fit = (cell: string, column: number) =>
    column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!);
  const lines = rows.map((row, index) =>
    row.map((cell, column) => {
      const style = styleOf(index, column);
      return style ? paint(style, fit(cell, column)) : fit(cell, column);
    }),
  );
  const rule = widths.map((width) => "─".repeat(width));
  return [
    head.map((title, column) => paint("bold", fit(title, column))),
    rule.map((dashes) => paint("dim", dashes)),
    ...lines,
  ]
    .map((cells) => `  ${cells.join("   ")}`.trimEnd())
    .join("\n");
}
