/** Resolves when the text has left the process, so that a pipe's reader sees each line as it comes. */
export function print(text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

export async function printLine(text: string): Promise<void> {
  await print(`${text}\n`);
}

/** One line of JSON; revisions and tokens are strings in it, since they outgrow JSON's numbers. */
export async function printJson(value: unknown): Promise<void> {
  await printLine(toJson(value));
}

export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === "bigint" ? item.toString() : item));
}

/** A message for the person at the terminal, in one line. */
export function say(message: string): void {
  process.stderr.write(`lockstep: ${message.replaceAll(/\s*\n\s*/g, " ")}\n`);
}

/** A reader that closed its end has seen enough: that is no failure of ours. */
export function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EPIPE";
}

/** Must be called once: a stream whose error nobody hears of throws it at the whole process. */
export function tolerateClosedPipes(): void {
  const ignore = () => {
    // The write that failed says so to whoever made it.
  };
  process.stdout.on("error", ignore);
  process.stderr.on("error", ignore);
}
