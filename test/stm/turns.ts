/** So many turns of the event loop, or until it is so. */
export async function turns(most: number, isEnough?: () => boolean): Promise<void> {
  for (let left = most; left > 0 && isEnough?.() !== true; left--) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
