// A browser for tests: Chromium, that of the system or LOCKSTEP_CHROMIUM. Tests that need it are skipped
// where there is none.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { onTestFinished } from "vitest";

const names = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Where it is; undefined if there is none. */
export const chromium = [process.env["LOCKSTEP_CHROMIUM"] ?? "", ...names].find((path) => existsSync(path));

/** Starts it, without a window, for as long as the test runs. */
export async function startChromium(...args: string[]): Promise<ChildProcess> {
  const profile = await mkdtemp(join(tmpdir(), "lockstep-chromium-"));
  const flags = ["--headless=new", "--no-sandbox", "--disable-gpu", `--user-data-dir=${profile}`];
  const browser = spawn(chromium!, [...flags, ...args], {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
  });
  onTestFinished(async () => {
    const exited = once(browser, "exit");
    browser.kill("SIGKILL");
    await exited;
    await rm(profile, { recursive: true, force: true, maxRetries: 10 });
  });
  return browser;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: unknown;
}

/** A page that a test looks at, points at and asks. */
export class Page {
  /** What its script threw and nobody caught. */
  readonly errors: string[] = [];
  readonly #commands: Writable;
  readonly #answers = new Map<
    number,
    { resolve: (result: unknown) => void; reject: (error: Error) => void }
  >();
  #sessionId: string | undefined;
  #last = 0;

  private constructor(commands: Writable, answers: Readable) {
    this.#commands = commands;
    let text = "";
    answers.setEncoding("utf8").on("data", (part: string) => {
      const messages = (text + part).split("\0");
      text = messages.pop()!;
      for (const message of messages) this.#received(message);
    });
  }

  static async open(address: string): Promise<Page> {
    const browser = await startChromium("--remote-debugging-pipe");
    const [, , , commands, answers] = browser.stdio;
    const page = new Page(commands as Writable, answers as Readable);
    const { targetId } = await page.#send<{ targetId: string }>("Target.createTarget", {
      url: "about:blank",
    });
    const attached = { targetId, flatten: true };
    const { sessionId } = await page.#send<{ sessionId: string }>("Target.attachToTarget", attached);
    page.#sessionId = sessionId;
    await page.#send("Runtime.enable", {});
    const size = { width: 1200, height: 800, deviceScaleFactor: 1, mobile: false };
    await page.#send("Emulation.setDeviceMetricsOverride", size);
    await page.#send("Page.navigate", { url: address });
    await page.until("location.href !== 'about:blank' && document.readyState === 'complete'");
    return page;
  }

  /** The value of an expression in the page. */
  async evaluate<T>(expression: string): Promise<T> {
    const asked = { expression, returnByValue: true, awaitPromise: true };
    const answer = await this.#send<{ result: { value: T }; exceptionDetails?: unknown }>(
      "Runtime.evaluate",
      asked,
    );
    if (answer.exceptionDetails) throw new Error(JSON.stringify(answer.exceptionDetails));
    return answer.result.value;
  }

  /** Waits until the expression is true there. */
  async until(expression: string): Promise<void> {
    while (!(await this.evaluate<boolean>(expression))) await this.painted();
  }

  /** Waits until all that was asked for is painted. */
  async painted(): Promise<void> {
    const frame = "new Promise((resolve) => requestAnimationFrame(resolve))";
    await this.evaluate(`${frame}.then(() => ${frame}).then(() => true)`);
  }

  /** Moves the pointer there, or turns the wheel or drags while it is there. */
  async pointAt(x: number, y: number, rest: object = {}): Promise<void> {
    await this.#send("Input.dispatchMouseEvent", { type: "mouseMoved", x, y, ...rest });
    await this.painted();
  }

  /** Presses and releases a key. */
  async press(key: string): Promise<void> {
    await this.#send("Input.dispatchKeyEvent", { type: "keyDown", key });
    await this.#send("Input.dispatchKeyEvent", { type: "keyUp", key });
    await this.painted();
  }

  /** A picture of it, in the PNG format. */
  async screenshot(): Promise<Buffer> {
    await this.painted();
    const { data } = await this.#send<{ data: string }>("Page.captureScreenshot", { format: "png" });
    return Buffer.from(data, "base64");
  }

  #send<T>(method: string, params: object): Promise<T> {
    const id = ++this.#last;
    this.#commands.write(`${JSON.stringify({ id, method, params, sessionId: this.#sessionId })}\0`);
    return new Promise<T>((resolve, reject) => {
      this.#answers.set(id, { resolve: resolve as (result: unknown) => void, reject });
    });
  }

  #received(message: string): void {
    const { id, method, params, result, error } = JSON.parse(message) as Message;
    if (method === "Runtime.exceptionThrown") this.errors.push(JSON.stringify(params));
    const waiting = this.#answers.get(id ?? 0);
    if (error === undefined) waiting?.resolve(result);
    else waiting?.reject(new Error(JSON.stringify(error)));
  }
}
