/** Colour is for people at a terminal who did not ask to be spared it; see no-color.org. */
const isStyled = process.stdout.isTTY && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";

export function bold(text: string): string {
  return styled(1, text);
}

export function dim(text: string): string {
  return styled(2, text);
}

function styled(code: number, text: string): string {
  return isStyled ? `\u001b[${code}m${text}\u001b[0m` : text;
}
