import { shown } from "../base/shown.js";

/** A value as it would be written down, if that is short to say; never throws. */
export function valueInWords(value: unknown): string {
  if (typeof value !== "object" || value === null) return shown(value);
  const isPlain = Array.isArray(value) || value.constructor === Object;
  // That may write down nothing at all.
  if (!isPlain || "toJSON" in value) return shown(value);
  try {
    return JSON.stringify(value);
  } catch {
    return shown(value);
  }
}

/** What was thrown, which need not be an Error; never throws. */
export function thrownInWords(thrown: unknown): string {
  if (typeof thrown === "string") return thrown;
  if (!(thrown instanceof Error)) return valueInWords(thrown);
  const { message, name }: { message: unknown; name: unknown } = thrown;
  return String(message || name);
}
