const width = 30;

/**
 * Shows, until stopped, how much of a time is over: redrawn in place on a terminal, one plain line elsewhere.
 * Returns what stops it.
 */
export function startBar(label: string, forMs: number): () => void {
  if (!process.stdout.isTTY) {
    console.log(`${label} ... (${Math.round(forMs / 1000)} s)`);
    return () => undefined;
  }
  const begun = performance.now();
  const draw = () => {
    const done = Math.min(1, (performance.now() - begun) / forMs);
    const filled = Math.round(done * width);
    const bar = "█".repeat(filled) + "░".repeat(width - filled);
    process.stdout.write(`\r${label} ${bar} ${String(Math.round(done * 100)).padStart(3)} %`);
  };
  draw();
  const timer = setInterval(draw, 100);
  return () => {
    clearInterval(timer);
    process.stdout.write("\r\x1b[K");
  };
}
