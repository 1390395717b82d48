import { fileURLToPath } from "node:url";

/** Where these sources, or what was built from them, are. */
const ours = fileURLToPath(new URL("..", import.meta.url));

/** The first line of an error's stack that is in the program itself, such as "pay (wallet.ts:12:7)". */
export function ownFrame(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const lines = String(error.stack).split("\n");
  const isOwn = (line: string) =>
    !/[\\/]node_modules[\\/]|node:|<anonymous>\)?$/.test(line) && !line.includes(ours);
  const frame = lines.find((line) => /^\s*at .+:\d+:\d+\)?$/.test(line) && isOwn(line));
  return frame?.trim().slice("at ".length);
}
