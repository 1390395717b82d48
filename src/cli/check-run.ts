import { access, constants, stat, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { LockstepError } from "../base/errors.js";
import { verdictPage } from "../check/picture/page.js";
import { readHistoryFile } from "./check-file.js";
import { checkJson } from "./check-json.js";
import { Progress } from "./check-progress.js";
import { judge, type Finding } from "./check-question.js";
import { checkText } from "./check-text.js";
import { print, printJson } from "./output.js";

/** What the command line says beside the file. */
export interface CheckRequest {
  as?: string;
  level?: string;
  format?: string;
  initial?: string;
  html?: string;
  timeout?: number;
  json?: boolean;
}

const statusOf = { valid: 0, violation: 1, unknown: 3 } as const;

/** Judges the file and tells what was found; gives what to exit with. */
export async function runCheck(file: string, request: CheckRequest): Promise<number> {
  const { html, json } = request;
  // To judge may take long, and would be in vain.
  if (html !== undefined) await checkWritable(html);
  const finding = await findingOf(file, request);
  if (json) await printJson(checkJson(finding));
  else await print(checkText(finding));
  if (html !== undefined) {
    await writePage(html, finding);
    if (!json) await print(`\nThe picture is in ${html}\n`);
  }
  return statusOf[finding.verdict.is];
}

/** What is found in the file. */
export async function findingOf(file: string, request: CheckRequest): Promise<Finding> {
  const { format, as, level, initial, timeout: timeoutMs } = request;
  const read = await readHistoryFile(file, format);
  const progress = new Progress(`judging ${read.history.operations.length.toLocaleString("en")} operations`);
  progress.show();
  try {
    return judge(read, { as, level, initial, timeoutMs });
  } finally {
    progress.clear();
  }
}

async function writePage(path: string, { history, verdict, strongest, file }: Finding): Promise<void> {
  // Of the strongest level that is kept there is little to see: how the next one is broken is shown.
  const shown = strongest?.next ?? verdict;
  try {
    await writeFile(path, verdictPage(history, shown, file));
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** Makes nothing: a page without a verdict would be none. */
async function checkWritable(path: string): Promise<void> {
  try {
    const there = await stat(path).catch(() => undefined);
    if (there?.isDirectory()) throw new Error("it is a directory");
    await access(there ? path : dirname(resolve(path)), constants.W_OK);
  } catch (error) {
    throw unwritable(path, error);
  }
}

function unwritable(path: string, error: unknown): LockstepError {
  return new LockstepError("bad-input", `cannot write ${path}: ${(error as Error).message}`, {
    cause: error,
  });
}
