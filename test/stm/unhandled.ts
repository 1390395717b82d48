import { afterEach, beforeEach } from "vitest";
import { catchUnhandled } from "../../src/base/catch-unhandled.js";

/** What is rejected during each test of this file and handled by nobody; emptied before each. */
export function collectUnhandled(): unknown[] {
  const unhandled: unknown[] = [];
  let stop: () => void;
  beforeEach(() => {
    unhandled.length = 0;
    stop = catchUnhandled((error) => unhandled.push(error));
  });
  afterEach(() => {
    stop();
  });
  return unhandled;
}
