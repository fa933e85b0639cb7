import type {
  APIActionRowComponent,
  APIButtonComponent,
  APIComponentInContainer,
  APIMessageTopLevelComponent,
  APIStringSelectComponent,
} from "discord.js";
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

/** One POST body for a channel, without nonce. Of Discord's Components V2, so there is neither content nor embed. */
export type DiscordMessage = {
  readonly flags: number;
  readonly components: APIMessageTopLevelComponent[];
  readonly allowed_mentions: { readonly parse: [] };
};

/**
 * A message as Discord shows it: one container with a heading, a section an item, the menu, the buttons and the
 * footer. It fits whatever comes: bodies are shortened first, then the last thumbnails go, then the last items
 * move behind "Next page" (without pages the footer says how many). Nothing from outside pings, links or formats.
 * @param fileName of a file that is uploaded with it; Discord shows only files that a component names
 */
export function renderDiscord(message: Message, fileName?: string): DiscordMessage {
  const items = message.items.slice(0, LIMITS.components).map(prepareItem);
  let shown = items.length;
  let components = layOut(message, items);
  while (components === null && shown > 0) {
    shown -= 1;
    components = layOut(message, items.slice(0, shown));
  }
  return post(components ?? [], fileName);
}

/** https://docs.discord.com/developers/components/reference and the OpenAPI description (button URLs). */
const LIMITS = {
  components: 40,
  text: 4000,
  rowButtons: 5,
  label: 80,
  buttonUrl: 512,
  customId: 100,
  options: 25,
  option: 100,
  placeholder: 150,
  mediaUrl: 2048,
  alt: 1024,
};

/** Our own shares of the 4,000 characters, so that one item always fits. */
const SHARES = {
  title: 250,
  intro: 900,
  answer: 3200,
  itemTitle: 400,
  itemUrl: 500,
  facts: 400,
  footer: 300,
};
/** A body is not shortened below this; an item goes to the next page instead. */
const SHORTEST_BODY = 90;
/** Hugging Face's yellow. */
const ACCENT = 0xffd21e;

const FLAG_COMPONENTS_V2 = 1 << 15;
const TYPE = {
  row: 1,
  button: 2,
  select: 3,
  section: 9,
  text: 10,
  thumbnail: 11,
  file: 13,
  container: 17,
} as const;

type PreparedItem = {
  readonly head: string;
  readonly body: string;
  readonly facts: string;
  readonly thumbnail: { readonly url: string; readonly alt: string } | null;
};

function post(components: APIComponentInContainer[], fileName: string | undefined): DiscordMessage {
  const filled = components.length > 0 ? components : [{ type: TYPE.text, content: "Paperboy" }];
  return {
    flags: FLAG_COMPONENTS_V2,
    allowed_mentions: { parse: [] },
    components: [
      { type: TYPE.container, accent_color: ACCENT, components: filled },
      ...(fileName === undefined ? [] : [{ type: TYPE.file, file: { url: `attachment://${fileName}` } }]),
    ],
  };
}

function prepareItem(item: Item): PreparedItem {
  const title = plainText(readable(item.title)) || "Untitled";
  const url = webUrl(item.url, SHARES.itemUrl);
  const label = escapeWithin(title, SHARES.itemTitle, url === null ? escapeText : escapeLabel);
  const name = url === null ? label : `[${label}](${url})`;
  const thumbnailUrl = webUrl(item.thumbnail?.url ?? null, LIMITS.mediaUrl);
  return {
    head: item.rank === null ? `**${name}**` : `**${item.rank} · ${name}**`,
    body: plainText(readable(item.body ?? "")),
    facts: small(item.facts.map(plainText).filter(Boolean).join(" · "), SHARES.facts),
    thumbnail:
      thumbnailUrl === null
        ? null
        : {
            url: thumbnailUrl,
            alt: cutAtSentence(plainText(item.thumbnail?.alt ?? "") || title, LIMITS.alt),
          },
  };
}

/** The container's components with exactly these items, or null where they do not fit even at their shortest. */
function layOut(message: Message, items: readonly PreparedItem[]): APIComponentInContainer[] | null {
  const heading = renderHeading(message, items.length);
  const controls = renderControls(message, items.length);
  const left = message.items.length - items.length;
  const more = left > 0 && message.pages === null ? `and ${left} more · ` : "";
  const footer = small(`${more}${plainText(message.footer ?? "")}`.replace(/ · $/, ""), SHARES.footer);
  const around = [heading, footer].filter((content) => content !== "");
  const spare =
    LIMITS.components - 1 - around.length - controls.length - countChildren(controls) - items.length;
  if (spare < 0) return null;

  const fixed = [...around, ...items.map((item) => itemText(item, 0))].join("").length;
  const budget = LIMITS.text - fixed;
  const longest = Math.max(0, ...items.map((item) => item.body.length));
  const cost = (limit: number) =>
    items.reduce((sum, item) => sum + itemText(item, limit).length - itemText(item, 0).length, 0);
  const bodyLimit = largestLimit(Math.min(SHORTEST_BODY, longest), longest, (limit) => cost(limit) <= budget);
  if (bodyLimit === null) return null;

  // A section with a thumbnail is three components, a text alone is one.
  let thumbnails = Math.floor(spare / 2);
  const sections = items.map((item): APIComponentInContainer => {
    const text = { type: TYPE.text, content: itemText(item, bodyLimit) };
    if (item.thumbnail === null || thumbnails === 0) return text;
    thumbnails -= 1;
    const { url, alt } = item.thumbnail;
    const accessory = { type: TYPE.thumbnail, media: { url }, description: alt };
    return { type: TYPE.section, components: [text], accessory };
  });
  const texts = (content: string) => (content === "" ? [] : [{ type: TYPE.text, content }]);
  return [...texts(heading), ...sections, ...controls, ...texts(footer)];
}

function itemText(item: PreparedItem, bodyLimit: number): string {
  const body = escapeText(cutAtSentence(item.body, bodyLimit));
  return [item.head, body, item.facts].filter((line) => line !== "").join("\n");
}

/** Above items a heading and small print; an answer without items is ordinary text under a bold line. */
function renderHeading(message: Message, shown: number): string {
  const title = escapeWithin(plainText(message.title), SHARES.title, escapeText);
  const intro = introLines(message, shown).map(plainText).filter(Boolean);
  const isAnswer = message.items.length === 0;
  const lines: string[] = [];
  if (title !== "") lines.push(isAnswer ? `**${title}**` : `## ${title}`);
  let room = isAnswer ? SHARES.answer : SHARES.intro;
  for (const text of intro) {
    const line = isAnswer ? escapeWithin(text, room, escapeText) : small(text, room);
    room -= line.length + 1;
    if (line !== "" && room >= 0) lines.push(line);
  }
  return lines.join("\n");
}

function small(text: string, max: number): string {
  const escaped = escapeWithin(text, max - 3, escapeText);
  return escaped === "" ? "" : `-# ${escaped}`;
}

function renderControls(
  message: Message,
  shown: number,
): APIActionRowComponent<APIButtonComponent | APIStringSelectComponent>[] {
  const isNew = createIdCheck(LIMITS.customId);
  const select = message.select === null ? null : renderSelect(message.select, message.items.length, shown);
  const rows: APIActionRowComponent<APIButtonComponent | APIStringSelectComponent>[] = [];
  if (select !== null && isNew(select.custom_id)) rows.push({ type: TYPE.row, components: [select] });
  const buttons = [...pageButtons(message, shown), ...message.buttons]
    .flatMap(renderButton)
    .filter((button) => !("custom_id" in button) || isNew(button.custom_id))
    .slice(0, 2 * LIMITS.rowButtons);
  for (let first = 0; first < buttons.length; first += LIMITS.rowButtons) {
    rows.push({ type: TYPE.row, components: buttons.slice(first, first + LIMITS.rowButtons) });
  }
  return rows;
}

function countChildren(
  rows: readonly APIActionRowComponent<APIButtonComponent | APIStringSelectComponent>[],
): number {
  return rows.reduce((sum, row) => sum + row.components.length, 0);
}

function renderSelect(select: Select, itemCount: number, shown: number): APIStringSelectComponent | null {
  const isNew = createIdCheck(LIMITS.option);
  const options = (shown < itemCount ? select.options.slice(0, shown) : select.options)
    .map(({ label, value }) => ({
      label: cutAtSentence(plainText(readable(label)), LIMITS.option) || "Untitled",
      value,
    }))
    .filter(({ value }) => isNew(value))
    .slice(0, LIMITS.options);
  if (options.length === 0) return null;
  const placeholder = cutAtSentence(plainText(select.placeholder), LIMITS.placeholder);
  return { type: TYPE.select, custom_id: select.id, ...(placeholder === "" ? {} : { placeholder }), options };
}

function renderButton(button: Button): APIButtonComponent[] {
  const label = cutAtSentence(plainText(button.label), LIMITS.label);
  if (label === "") return [];
  if ("id" in button) {
    const style = button.style === "primary" ? 1 : button.style === "danger" ? 4 : 2;
    return [{ type: TYPE.button, style, label, custom_id: button.id }];
  }
  const url = webUrl(button.url, LIMITS.buttonUrl);
  return url === null ? [] : [{ type: TYPE.button, style: 5, label, url }];
}

/**
 * An https URL as it may stand in a masked link: characters that could end the link or the bold around it are
 * percent-encoded. Null where it is no such URL or is too long.
 */
function webUrl(text: string | null, max: number): string | null {
  const url = URL.parse(text ?? "");
  if (url?.protocol !== "https:" || url.hostname === "") return null;
  const href = url.href.replace(
    /[()*\\|`'[\]]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return href.length <= max && URL.canParse(href) ? href : null;
}

/** The text cut so far that it is at most `max` long once it is escaped. */
function escapeWithin(text: string, max: number, escapeMarks: (text: string) => string): string {
  let limit = max;
  while (limit > 0) {
    const escaped = escapeMarks(cutAtSentence(text, limit));
    if (escaped.length <= max) return escaped;
    limit -= Math.max(1, Math.ceil((escaped.length - max) / 2));
  }
  return "";
}

/**
 * Plain text, for anywhere but a link's label. A backslash makes each mark literal, at the start of a line list
 * and quote marks too. Addresses and invites stay readable, yet are no links. The parenthesis of `](` is escaped
 * as well: Discord's reader takes a label up to the last `](`, whatever was escaped before it.
 */
function escapeText(text: string): string {
  return text
    .replace(/[\\*_~`|<>#@[\]]/g, "\\$&")
    .replaceAll("](", "]\\(")
    .replace(
      /^(\d+)([.)])(?=\s)|^([-+])/,
      (_, number = "", dot = "", mark = "") => `${number}\\${dot}${mark}`,
    )
    .replaceAll("://", ":\\//")
    .replace(/:(?=[\w+-]+(?:::[\w-]+)?:)/g, "\\:")
    .replace(/(discord(?:app)?)\.(?=gg\/|com\/invite)/gi, "$1\\.");
}

/**
 * A link's label. Discord does not link a label that reads as an address, so its slashes become look-alikes, and
 * it finds the end of a label by counting brackets, escaped or not, so one without its pair becomes one too.
 */
function escapeLabel(text: string): string {
  const paired = /^[^[\]]*(?:\[[^[\]]*\][^[\]]*)*$/.test(text);
  const brackets = paired ? text : text.replaceAll("[", "［").replaceAll("]", "］");
  return escapeText(brackets.replaceAll("://", ":∕∕"));
}
