import { writeFile } from "node:fs/promises";
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
  const finding = await findingOf(file, request);
  const { html } = request;
  if (html !== undefined) await writePage(html, finding);
  if (request.json) await printJson(checkJson(finding));
  else await print(checkText(finding, html));
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
    throw new LockstepError("bad-input", `cannot write ${path}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
