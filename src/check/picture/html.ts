/** Text that is HTML already, and safe to stand in a page. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What may stand in a template: markup as it is, all else as the text it is; nothing for what is absent. */
export type Content = Markup | string | number | false | undefined | readonly Content[];

/** A piece of a page. Whatever is put in is escaped: a history holds the words of strangers. */
export function html(strings: TemplateStringsArray, ...contents: Content[]): Markup {
  const pieces = strings.map((string, i) => (i === 0 ? string : textOf(contents[i - 1]) + string));
  return new Markup(pieces.join(""));
}

/** JSON that can stand inside a script element: nothing in it ends the element. */
export function jsonIn(value: unknown): Markup {
  return new Markup(JSON.stringify(value).replaceAll("<", "\\u003c"));
}

function textOf(content: Content): string {
  if (content === undefined || content === false) return "";
  if (content instanceof Markup) return content.text;
  if (typeof content === "object") return content.map(textOf).join("");
  return String(content).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
