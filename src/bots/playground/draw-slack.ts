import { html } from "hono/html";
import { z } from "zod";
import {
  drawArticle,
  drawFile,
  drawLink,
  drawPicture,
  drawSelect,
  drawTime,
  drawUnsupported,
  EYE,
  httpsUrl,
  type Frame,
  type Html,
} from "./draw.ts";

/**
 * A Slack message as its client draws it. `payload` is the argument of chat.postMessage as JSON: Block Kit
 * (https://docs.slack.dev/reference/block-kit/blocks), or `text` alone.
 */
export function drawSlack(payload: unknown, frame: Frame): Html {
  const { text, blocks } = Payload.parse(payload);
  return drawArticle(
    "slack",
    frame,
    html`${drawUsed(frame)}<img class="avatar" src="/favicon.svg" alt="" width="36" height="36" />
      <header><b class="name">Paperboy</b><span class="tag">APP</span>${drawTime(frame)}</header>
      <div class="body">${blocks.length > 0 ? blocks.map(drawBlock) : drawMrkdwn(text)}${drawFile(frame.file)}</div>
      ${drawThread(frame)}`,
  );
}

/** The line above an answer: that only one person sees it, or who asked for it before everybody. */
function drawUsed({ used, onlyYou }: Frame): Html | string {
  if (!onlyYou && used === null) return "";
  const command = used === null ? "" : html`<code>${used.command}</code>`;
  return onlyYou
    ? html`<p class="only-you">${EYE} Only visible to you ${command}<button type="button" data-dismiss>Dismiss</button></p>`
    : html`<p class="only-you">${used?.name} used ${command}</p>`;
}

/** The line of a thread under the message that it belongs to. */
function drawThread({ thread, time, at }: Frame): Html | string {
  if (thread === null) return "";
  return html`<details class="thread"><summary><img src="/favicon.svg" alt="" width="24" height="24" /><b class="link">1 reply</b><small>Last reply at ${drawTime({ time, at })}</small></summary>
    <p><b class="name">Paperboy</b> Thread: ${thread}</p></details>`;
}

const Payload = z
  .object({ text: z.string().default(""), blocks: z.array(z.unknown()).default([]) })
  .catch({ text: "", blocks: [null] });

const Text = z.object({ type: z.enum(["mrkdwn", "plain_text"]), text: z.string() });

const Block = z.discriminatedUnion("type", [
  z.object({ type: z.literal("header"), text: Text }),
  z.object({
    type: z.literal("section"),
    text: Text.optional(),
    fields: z.array(Text).default([]),
    accessory: z.unknown().optional(),
  }),
  z.object({ type: z.literal("context"), elements: z.array(z.unknown()) }),
  z.object({ type: z.literal("actions"), elements: z.array(z.unknown()) }),
  z.object({ type: z.literal("divider") }),
  z.object({
    type: z.literal("image"),
    image_url: z.string(),
    alt_text: z.string(),
    title: Text.optional(),
  }),
]);

function drawBlock(value: unknown): Html {
  const parsed = Block.safeParse(value);
  if (!parsed.success) return drawUnsupported(`block ${Type.safeParse(value).data?.type ?? "without type"}`);
  const block = parsed.data;
  switch (block.type) {
    case "header":
      return html`<h3 class="header">${drawText(block.text)}</h3>`;
    case "section":
      return html`<div class="section"><div>${block.text === undefined ? "" : drawText(block.text)}${
        block.fields.length === 0
          ? ""
          : html`<div class="fields">${block.fields.map((field) => html`<div>${drawText(field)}</div>`)}</div>`
      }</div>${block.accessory === undefined ? "" : drawElement(block.accessory, 88)}</div>`;
    case "context":
      return html`<div class="context">${block.elements.map((element) => drawElement(element, 20))}</div>`;
    case "actions":
      return html`<div class="row">${block.elements.map((element) => drawElement(element, 88))}</div>`;
    case "divider":
      return html`<hr />`;
    case "image":
      return html`<figure>${block.title === undefined ? "" : html`<figcaption>${drawText(block.title)}</figcaption>`}${drawPicture(
        { url: block.image_url, alt: block.alt_text, width: 360, height: 194 },
      )}</figure>`;
  }
}

const Type = z.object({ type: z.unknown() });

const Element = z.discriminatedUnion("type", [
  z.object({ type: z.literal("mrkdwn"), text: z.string() }),
  z.object({ type: z.literal("plain_text"), text: z.string() }),
  z.object({ type: z.literal("image"), image_url: z.string(), alt_text: z.string() }),
  z.object({
    type: z.literal("button"),
    text: Text,
    action_id: z.string().default(""),
    url: z.string().optional(),
    style: z.enum(["primary", "danger"]).optional(),
  }),
  z.object({
    type: z.literal("static_select"),
    action_id: z.string(),
    placeholder: Text.optional(),
    options: z.array(z.object({ text: Text, value: z.string() })),
  }),
]);

/** `size` is a picture's width and height in pixels, which depends on the block that it stands in. */
function drawElement(value: unknown, size: number): Html {
  const parsed = Element.safeParse(value);
  if (!parsed.success)
    return drawUnsupported(`element ${Type.safeParse(value).data?.type ?? "without type"}`);
  const element = parsed.data;
  switch (element.type) {
    case "mrkdwn":
    case "plain_text":
      return html`<span>${drawText(element)}</span>`;
    case "image":
      return html`<div class="thumbnail">${drawPicture({ url: element.image_url, alt: element.alt_text, width: size, height: size })}</div>`;
    case "button":
      if (element.url !== undefined && httpsUrl(element.url) !== null) {
        return drawLink(element.url, drawText(element.text), `button ${element.style ?? ""}`);
      }
      return html`<button type="button" class="button ${element.style ?? ""}" data-action="${element.action_id}">${drawText(element.text)}</button>`;
    case "static_select":
      return drawSelect({
        action: element.action_id,
        placeholder: element.placeholder?.text ?? "Select an item",
        options: element.options.map((option) => ({ label: option.text.text, value: option.value })),
      });
  }
}

function drawText(text: z.infer<typeof Text>): Html | string | Html[] {
  return text.type === "plain_text" ? text.text : drawMrkdwn(text.text);
}

/** Slack's mrkdwn. Entities are decoded last, so that `&lt;` in a title never opens a link. */
function drawMrkdwn(text: string): Html[] {
  return text
    .split(/```\n?([\s\S]*?)```/)
    .flatMap((piece, index) =>
      index % 2 === 1
        ? [html`<pre><code>${decode(piece)}</code></pre>`]
        : piece === ""
          ? []
          : piece.split("\n").map(drawLine),
    );
}

function drawLine(line: string): Html {
  const quote = /^(?:>|&gt;) ?(.*)$/.exec(line)?.[1];
  return quote === undefined
    ? html`<p>${drawInline(line)}</p>`
    : html`<blockquote>${drawInline(quote)}</blockquote>`;
}

/** Code, `<…>`, bold, italic, strike; marks count at the edges of words only. */
const INLINE =
  /`([^`]+)`|<([^<>]+)>|(?<![\w*])\*(?=\S)([^*]+)(?<=\S)\*(?![\w*])|(?<![\w_])_(?=\S)([^_]+)(?<=\S)_(?![\w_])|(?<![\w~])~(?=\S)([^~]+)(?<=\S)~(?![\w~])/g;

function drawInline(text: string): (Html | string)[] {
  const out: (Html | string)[] = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    out.push(decode(text.slice(end, match.index)));
    end = match.index + match[0].length;
    const [, code, reference, bold, italic, struck] = match;
    if (code !== undefined) out.push(html`<code>${decode(code)}</code>`);
    else if (reference !== undefined) out.push(drawReference(reference));
    else if (bold !== undefined) out.push(html`<strong>${drawInline(bold)}</strong>`);
    else if (italic !== undefined) out.push(html`<em>${drawInline(italic)}</em>`);
    else if (struck !== undefined) out.push(html`<s>${drawInline(struck)}</s>`);
  }
  out.push(decode(text.slice(end)));
  return out;
}

/** What stands in `<…>`: a link, a date with its fallback, or a mention. */
function drawReference(reference: string): Html | string {
  const bar = reference.indexOf("|");
  const target = decode(bar === -1 ? reference : reference.slice(0, bar));
  const label = decode(bar === -1 ? reference : reference.slice(bar + 1));
  if (target.startsWith("!date^")) return label;
  if (/^[@#!]/.test(target)) return html`<span class="mention">${label}</span>`;
  return drawLink(target, label);
}

function decode(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}
