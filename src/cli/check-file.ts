import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { LockstepError } from "../base/errors.js";
import { HistoryReader, type FormatName } from "../check/formats/read-history.js";
import type { Finding } from "./check-question.js";
import { Progress } from "./check-progress.js";

/** Reads the history in a file, or in the standard input if it is called `-`. */
export async function readHistoryFile(
  path: string,
  format?: string,
): Promise<Pick<Finding, "file" | "format" | "history">> {
  const file = path === "-" ? "standard input" : path;
  const reader = new HistoryReader({ file, format: format as FormatName | undefined });
  const progress = new Progress(`reading ${file}`, path === "-" ? undefined : await sizeOf(path));
  // Two bytes that are no UTF-8 would be read as the same character, so that two values would be one.
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const textOf = (bytes?: Uint8Array) => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch {
      throw reader.malformed("here or soon after stand bytes that are no UTF-8; expected a text in UTF-8");
    }
  };
  try {
    for await (const bytes of pieces(path)) {
      reader.push(textOf(bytes));
      progress.add(bytes.length);
    }
    reader.push(textOf());
  } finally {
    progress.clear();
  }
  const history = reader.end();
  return { file, format: reader.format!, history };
}

async function* pieces(path: string): AsyncGenerator<Uint8Array> {
  const stream = path === "-" ? process.stdin : createReadStream(path);
  try {
    for await (const piece of stream) yield piece as Uint8Array;
  } catch (error) {
    throw isSystemError(error) ? unreadable(path, error) : error;
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    throw unreadable(path, error);
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}

function unreadable(path: string, error: unknown): LockstepError {
  return new LockstepError("bad-input", `cannot read ${path}: ${(error as Error).message}`, { cause: error });
}
