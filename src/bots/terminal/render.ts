import { styleText } from "node:util";
import { introLines, type Item, type Message } from "../../core/message.ts";
import { plainText, readable } from "../../core/readable.ts";

export type TerminalOptions = {
  /** Columns; text is wrapped to at most this many, and to 100 for the eye's sake. */
  readonly width: number;
  /** Without it there is not a single escape sequence. */
  readonly color: boolean;
  /** Titles are hyperlinks (OSC 8) where there is colour too; otherwise each address has its own line. */
  readonly links: boolean;
};

/**
 * A message for a terminal: bold titles, dim facts, wrapped lines under a hanging indent. Menus and buttons are
 * left out, but a link's button becomes a line. Ends with a line break. Text from outside carries no control.
 */
export function renderTerminal(message: Message, options: TerminalOptions): string {
  const width = Math.max(MIN_WIDTH, Math.min(options.width, MAX_WIDTH));
  const paint = createPaint(options);
  const indent = Math.max(0, ...message.items.map(({ rank }) => (rank === null ? 0 : `${rank}  `.length)));

  const heading = [
    ...wrap(plainText(message.title), width).map(paint.bold),
    ...introLines(message, message.items.length)
      .flatMap((line) => wrap(plainText(line), width))
      .map(paint.dim),
  ];
  const items = message.items.map((item) => renderItem(item, { width, indent, paint }));
  const links = message.buttons.flatMap((button) =>
    "url" in button ? [`${plainText(button.label)}  ${paint.dim(plainText(button.url))}`] : [],
  );
  const left = message.pages === null ? 0 : message.pages.total - message.pages.offset - message.items.length;
  const footer = [left > 0 ? `${left} more` : "", plainText(message.footer ?? "")]
    .filter(Boolean)
    .join(" · ");
  const parts = [heading, ...items, links, wrap(footer, width).map(paint.dim)];
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

const MIN_WIDTH = 20;
const MAX_WIDTH = 100;

type Paint = {
  bold(text: string): string;
  dim(text: string): string;
  /** The text as a link, or as it is where links have a line of their own. */
  link(text: string, url: string | null): string;
  readonly showsUrls: boolean;
};

function createPaint({ color, links }: TerminalOptions): Paint {
  // The caller has decided about colour; styleText would look at stdout and the environment again.
  const style = (format: "bold" | "dim", text: string) =>
    color ? styleText(format, text, { validateStream: false }) : text;
  const hasLinks = color && links;
  return {
    bold: (text) => style("bold", text),
    dim: (text) => style("dim", text),
    link: (text, url) =>
      hasLinks && url !== null ? `\u001B]8;;${url}\u001B\\${text}\u001B]8;;\u001B\\` : text,
    showsUrls: !hasLinks,
  };
}

function renderItem(
  item: Item,
  { width, indent, paint }: { readonly width: number; readonly indent: number; readonly paint: Paint },
): string[] {
  const room = width - indent;
  const parsed = URL.parse(item.url ?? "");
  const url = parsed?.protocol === "https:" ? parsed.href : null;
  const rank = item.rank === null ? "" : String(item.rank);
  const title = wrap(plainText(readable(item.title)) || "Untitled", room);
  const facts = item.facts.map(plainText).filter(Boolean).join(" · ");
  const lines = [
    ...title.map((line) => paint.link(paint.bold(line), url)),
    ...wrap(plainText(readable(item.body ?? "")), room),
    ...wrap(facts, room).map(paint.dim),
    ...(paint.showsUrls && url !== null ? [paint.dim(url)] : []),
  ];
  return lines.map((line, i) => (i === 0 ? rank.padEnd(indent) : " ".repeat(indent)) + line);
}

/** Lines of at most `width` columns; a word that is longer is broken. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  let used = 0;
  for (const word of text.split(" ")) {
    let columns = columnsOf(word);
    if (used > 0 && used + 1 + columns <= width) {
      line += ` ${word}`;
      used += 1 + columns;
      continue;
    }
    if (used > 0) lines.push(line);
    line = word;
    while (columns > width) {
      const head = headOf(line, width);
      lines.push(head);
      line = line.slice(head.length);
      columns = columnsOf(line);
    }
    used = columns;
  }
  if (line !== "") lines.push(line);
  return lines;
}

function headOf(word: string, width: number): string {
  let head = "";
  let used = 0;
  for (const character of word) {
    used += columnsOf(character);
    if (used > width) break;
    head += character;
  }
  return head;
}

const WIDE =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6]|\p{Emoji_Presentation}/u;

/** East Asian characters and emoji take two columns, combining marks none. */
function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue;
    columns += WIDE.test(character) ? 2 : 1;
  }
  return columns;
}
