import type { types } from "@slack/bolt";
import {
  introLines,
  createIdCheck,
  pageButtons,
  type Button,
  type Item,
  type Message,
  type Select,
} from "../../core/message.ts";
import { cutAtSentence, largestLimit, plainText, readable } from "../../core/readable.ts";

/** One `chat.postMessage` body, without channel. `text` is what notifications and screen readers say. */
export type SlackMessage = {
  readonly text: string;
  readonly blocks: types.KnownBlock[];
  readonly unfurl_links: false;
  readonly unfurl_media: false;
};

/**
 * A message as Slack shows it: a header, two blocks an item (text with its picture, and the facts in small
 * print), one row with the menu and the buttons, and the footer. It fits whatever comes: bodies are shortened
 * first, then the pictures go, then the last items move behind "Next page" (without pages the footer says how
 * many). Nothing from outside pings, links or formats.
 */
export function renderSlack(message: Message): SlackMessage {
  const items = message.items.slice(0, LIMITS.blocks).map(prepareItem);
  let shown = items.length;
  let blocks = layOut(message, items);
  while (blocks === null && shown > 0) {
    shown -= 1;
    blocks = layOut(message, items.slice(0, shown));
  }
  const text = renderFallback(message, items.slice(0, shown));
  const filled = blocks ?? [];
  return {
    text,
    blocks: filled.length > 0 ? filled : [section(text)],
    unfurl_links: false,
    unfurl_media: false,
  };
}

/**
 * https://docs.slack.dev/reference/block-kit. The total is not documented: Slack answers `msg_blocks_too_long`
 * from 11,000 to 13,000 characters over all blocks on.
 */
const LIMITS = {
  blocks: 50,
  text: 10_000,
  section: 3000,
  header: 150,
  buttonText: 75,
  buttonUrl: 3000,
  actionId: 255,
  options: 100,
  option: 75,
  placeholder: 150,
  imageUrl: 3000,
};

/** Our own shares of the total, so that one item always fits. */
const SHARES = {
  intro: 1500,
  answer: 2900,
  itemTitle: 500,
  itemUrl: 1000,
  facts: 500,
  footer: 500,
  alt: 250,
};
/** A body is not shortened below this; an item goes to the next page instead. */
const SHORTEST_BODY = 90;
const MAX_BUTTONS = 10;
const FALLBACK = { titles: 5, max: 2900 };

type PreparedItem = {
  readonly rank: string;
  readonly title: string;
  readonly head: string;
  readonly body: string;
  readonly facts: string;
  readonly image: { readonly url: string; readonly alt: string } | null;
};

function prepareItem(item: Item): PreparedItem {
  const title = plainText(readable(item.title)) || "Untitled";
  const rank = item.rank === null ? "" : String(item.rank);
  const url = linkUrl(item.url);
  const label = escapeWithin(title, SHARES.itemTitle);
  const imageUrl = webUrl(item.thumbnail?.url ?? null, LIMITS.imageUrl);
  return {
    rank,
    title,
    head: `*${rank === "" ? "" : `${rank}  `}${url === null ? label : `<${url}|${label}>`}*`,
    body: plainText(readable(item.body ?? "")),
    facts: escapeWithin(item.facts.map(plainText).filter(Boolean).join(" · "), SHARES.facts),
    image:
      imageUrl === null
        ? null
        : { url: imageUrl, alt: cutAtSentence(plainText(item.thumbnail?.alt ?? "") || title, SHARES.alt) },
  };
}

/** The blocks with exactly these items, or null where they do not fit even at their shortest. */
function layOut(message: Message, items: readonly PreparedItem[]): types.KnownBlock[] | null {
  const left = message.items.length - items.length;
  const more = left > 0 && message.pages === null ? `and ${left} more · ` : "";
  const footer = `${more}${plainText(message.footer ?? "")}`.replace(/ · $/, "");
  const above = renderHeading(message, items.length);
  const below = [...renderControls(message, items.length), ...smallPrint(footer, SHARES.footer)];
  const bodyRoom = Math.max(0, ...items.map((item) => item.body.length));

  for (const withImages of [true, false]) {
    const blocks = (limit: number): types.KnownBlock[] => [
      ...above,
      ...items.flatMap((item) => itemBlocks(item, limit, withImages)),
      ...below,
    ];
    if (blocks(0).length > LIMITS.blocks) return null;
    const limit = largestLimit(Math.min(SHORTEST_BODY, bodyRoom), bodyRoom, (max) => fits(blocks(max)));
    if (limit !== null) return blocks(limit);
  }
  return null;
}

function fits(blocks: readonly types.KnownBlock[]): boolean {
  return textLength(blocks) <= LIMITS.text;
}

/** Every string under a key that holds text for people, at any depth. */
function textLength(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, entry) => sum + textLength(entry), 0);
  if (typeof value !== "object" || value === null) return 0;
  return Object.entries(value).reduce((sum, [key, entry]) => {
    if (typeof entry === "string") return sum + (key === "text" || key === "alt_text" ? entry.length : 0);
    return sum + textLength(entry);
  }, 0);
}

function itemBlocks(item: PreparedItem, bodyLimit: number, withImage: boolean): types.KnownBlock[] {
  const body = escapeWithin(cutAtSentence(item.body, bodyLimit), LIMITS.section - item.head.length - 1);
  const text = section(body === "" ? item.head : `${item.head}\n${body}`);
  const facts: types.KnownBlock[] =
    item.facts === "" ? [] : [{ type: "context", elements: [markdown(item.facts)] }];
  if (item.image === null || !withImage) return [text, ...facts];
  const { url, alt } = item.image;
  return [{ ...text, accessory: { type: "image", image_url: url, alt_text: alt } }, ...facts];
}

/** Above items a header and small print; an answer without items is ordinary text under a bold line. */
function renderHeading(message: Message, shown: number): types.KnownBlock[] {
  const title = plainText(message.title);
  const intro = introLines(message, shown).map(plainText).filter(Boolean);
  if (message.items.length > 0) {
    const header: types.KnownBlock[] =
      title === "" ? [] : [{ type: "header", text: label(cutAtSentence(title, LIMITS.header)) }];
    return [...header, ...smallPrint(intro, SHARES.intro)];
  }
  const lines = title === "" ? [] : [`*${escapeWithin(title, SHARES.itemTitle)}*`];
  const text = [...lines, ...escapedLines(intro, SHARES.answer - SHARES.itemTitle)].join("\n");
  return text === "" ? [] : [section(text)];
}

export function smallPrint(lines: string | readonly string[], max: number): types.KnownBlock[] {
  const text = escapedLines(typeof lines === "string" ? [lines] : lines, max).join("\n");
  return text === "" ? [] : [{ type: "context", elements: [markdown(text)] }];
}

function escapedLines(lines: readonly string[], max: number): string[] {
  let room = max;
  return lines.flatMap((line) => {
    const escaped = escapeWithin(line, room);
    room -= escaped.length + 1;
    return escaped === "" || room < 0 ? [] : [escaped];
  });
}

function renderControls(message: Message, shown: number): types.KnownBlock[] {
  const isNew = createIdCheck(LIMITS.actionId);
  const select = message.select === null ? null : renderSelect(message.select, message.items.length, shown);
  const buttons = [...pageButtons(message, shown), ...message.buttons].flatMap(renderButton);
  const elements = [...(select === null ? [] : [select]), ...buttons.slice(0, MAX_BUTTONS)].filter(
    ({ action_id }) => isNew(action_id),
  );
  return elements.length === 0 ? [] : [{ type: "actions", elements }];
}

function renderSelect(
  select: Select,
  itemCount: number,
  shown: number,
): (types.StaticSelect & { action_id: string }) | null {
  const isNew = createIdCheck(LIMITS.option);
  const options = (shown < itemCount ? select.options.slice(0, shown) : select.options)
    .filter(({ value }) => isNew(value))
    .slice(0, LIMITS.options)
    .map((option) => ({
      text: label(cutAtSentence(plainText(readable(option.label)), LIMITS.option) || "Untitled"),
      value: option.value,
    }));
  if (options.length === 0) return null;
  const placeholder = cutAtSentence(plainText(select.placeholder), LIMITS.placeholder);
  return {
    type: "static_select",
    action_id: select.id,
    ...(placeholder === "" ? {} : { placeholder: label(placeholder) }),
    options,
  };
}

/** A link's button reports clicks too, so it has an id of its own. */
function renderButton(button: Button, index: number): (types.Button & { action_id: string })[] {
  const text = cutAtSentence(plainText(button.label), LIMITS.buttonText);
  if (text === "") return [];
  if ("id" in button) {
    const style = button.style === undefined ? {} : { style: button.style };
    return [{ type: "button", text: label(text), action_id: button.id, ...style }];
  }
  const url = webUrl(button.url, LIMITS.buttonUrl);
  return url === null ? [] : [{ type: "button", text: label(text), action_id: `v1:link:${index}`, url }];
}

/** The title, the lines under it and the first titles, as notifications show them. */
function renderFallback(message: Message, items: readonly PreparedItem[]): string {
  const titles = items
    .slice(0, FALLBACK.titles)
    .map(({ rank, title }) => (rank === "" ? title : `${rank}. ${title}`));
  const lines = [message.title, ...introLines(message, items.length), ...titles].map((line) =>
    plainText(line).replaceAll("://", ":∕∕"),
  );
  return escapedLines(lines, FALLBACK.max).join("\n") || "Paperboy";
}

export function section(text: string): types.SectionBlock {
  return { type: "section", text: markdown(text) };
}

/** `verbatim`: Slack makes no links and mentions of its own out of plain words. */
function markdown(text: string): types.MrkdwnElement {
  return { type: "mrkdwn", text, verbatim: true };
}

export function label(text: string): types.PlainTextElement {
  return { type: "plain_text", text, emoji: false };
}

function webUrl(text: string | null, max: number): string | null {
  const url = URL.parse(text ?? "");
  return url?.protocol === "https:" && url.href.length <= max ? url.href : null;
}

/** As it may stand in `<url|label>`. */
function linkUrl(text: string | null): string | null {
  const url = webUrl(text, SHARES.itemUrl);
  const escaped = url?.replace(/[<>|]/g, encodeURIComponent).replaceAll("&", "&amp;") ?? null;
  return escaped !== null && escaped.length <= SHARES.itemUrl ? escaped : null;
}

/** The text cut so far that it is at most `max` long once it is escaped. */
export function escapeWithin(text: string, max: number): string {
  let limit = max;
  while (limit > 0) {
    const escaped = escapeText(cutAtSentence(text, limit));
    if (escaped.length <= max) return escaped;
    limit -= Math.max(1, Math.ceil((escaped.length - max) / 5));
  }
  return "";
}

/**
 * Plain text as Slack's mrkdwn, on a line of its own or within one. Slack has entities for `& < >` alone and
 * nothing that makes its other marks literal, so where one could begin or end formatting a look-alike stands in.
 * Between two letters or digits (`int_8`) none can, and the character stays.
 */
function escapeText(text: string): string {
  return text
    .replace(/(?<![A-Za-z0-9])[*_~]|[*_~](?![A-Za-z0-9])/g, (mark) => LOOK_ALIKES[mark] ?? mark)
    .replaceAll("`", "ˋ")
    .replace(/:(?=[^\s:]{1,100}:)/g, "∶")
    .replace(/^>+/, (quote) => "›".repeat(quote.length))
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}

const LOOK_ALIKES: Readonly<Record<string, string>> = { "*": "∗", _: "ˍ", "~": "∼" };
