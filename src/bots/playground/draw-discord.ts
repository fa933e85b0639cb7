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
 * A Discord message as its client draws it. `payload` is the body of POST /channels/{id}/messages as JSON:
 * Components V2 (https://docs.discord.com/developers/components/reference), or `content` alone.
 */
export function drawDiscord(payload: unknown, frame: Frame): Html {
  const { content, components } = Payload.parse(payload);
  return drawArticle(
    "discord",
    frame,
    html`${
      frame.used === null
        ? ""
        : html`<p class="invoked"><span class="you" aria-hidden="true">${frame.used.name[0]?.toUpperCase()}</span><b>${frame.used.name}</b> used <code>${frame.used.command}</code></p>`
    }<img class="avatar" src="/favicon.svg" alt="" width="40" height="40" />
      <header><b class="name">Paperboy</b><span class="tag">APP</span>${drawTime(frame)}</header>
      <div class="body">${content === undefined ? "" : drawMarkdown(content)}${components.map(drawComponent)}${drawFile(frame.file)}</div>
      ${drawThread(frame)}${
        frame.onlyYou
          ? html`<p class="only-you">${EYE} Only you can see this • <button type="button" data-dismiss>Dismiss message</button></p>`
          : ""
      }`,
  );
}

/** The card of a thread under the message that began it. */
function drawThread({ thread }: Frame): Html | string {
  if (thread === null) return "";
  return html`<details class="thread"><summary><b>${thread}</b><span class="link">See Thread ›</span><small>There are no recent messages in this thread.</small></summary>
    <p>${CHAT}<b>${thread}</b></p><p class="subtext">Started by Paperboy. On Discord, who writes here joins the thread.</p></details>`;
}

const Payload = z
  .object({ content: z.string().optional(), components: z.array(z.unknown()).default([]) })
  .catch({ components: [null] });

const Media = z.object({ media: z.object({ url: z.string() }), description: z.string().nullish() });

const Component = z.discriminatedUnion("type", [
  z.object({ type: z.literal(1), components: z.array(z.unknown()) }),
  z.object({
    type: z.literal(2),
    style: z.number(),
    label: z.string().default(""),
    emoji: z.object({ name: z.string() }).nullish(),
    custom_id: z.string().optional(),
    url: z.string().optional(),
    disabled: z.boolean().default(false),
  }),
  z.object({
    type: z.literal(3),
    custom_id: z.string(),
    placeholder: z.string().default("Make a selection"),
    options: z.array(z.object({ label: z.string(), value: z.string() })),
  }),
  z.object({ type: z.literal(9), components: z.array(z.unknown()), accessory: z.unknown() }),
  z.object({ type: z.literal(10), content: z.string() }),
  z.object({ type: z.literal(11), ...Media.shape }),
  z.object({ type: z.literal(12), items: z.array(Media) }),
  z.object({ type: z.literal(14), divider: z.boolean().default(true), spacing: z.number().default(1) }),
  z.object({
    type: z.literal(17),
    components: z.array(z.unknown()),
    accent_color: z.number().int().min(0).max(0xffffff).nullish(),
  }),
]);

function drawComponent(value: unknown): Html {
  const parsed = Component.safeParse(value);
  if (!parsed.success)
    return drawUnsupported(`component ${Type.safeParse(value).data?.type ?? "without type"}`);
  const component = parsed.data;
  switch (component.type) {
    case 1:
      return html`<div class="row">${component.components.map(drawComponent)}</div>`;
    case 2:
      return drawButton(component);
    case 3:
      return drawSelect({ ...component, action: component.custom_id });
    case 9:
      return html`<div class="section"><div>${component.components.map(drawComponent)}</div>${drawComponent(component.accessory)}</div>`;
    case 10:
      return html`<div class="text">${drawMarkdown(component.content)}</div>`;
    case 11:
      return html`<div class="thumbnail">${drawMedia(component, 85, 85)}</div>`;
    case 12:
      return html`<div class="gallery">${component.items.map((item) => drawMedia(item, 550, 297))}</div>`;
    case 14:
      return html`<hr class="${component.divider ? "" : "bare"}${component.spacing === 2 ? " wide" : ""}" />`;
    case 17:
      return html`<div class="container">${drawAccent(component.accent_color)}${component.components.map(drawComponent)}</div>`;
  }
}

const Type = z.object({ type: z.unknown() });

function drawMedia(item: z.infer<typeof Media>, width: number, height: number): Html {
  return drawPicture({ url: item.media.url, alt: item.description ?? "", width, height });
}

/** A drawing, not a style attribute: the page's policy has no inline styles. */
function drawAccent(color: number | null | undefined): Html | string {
  if (color === null || color === undefined) return "";
  const fill = `#${color.toString(16).padStart(6, "0")}`;
  return html`<svg class="accent" aria-hidden="true"><rect width="100%" height="100%" fill="${fill}" /></svg>`;
}

const BUTTON_STYLES = ["", "primary", "secondary", "success", "danger"];

function drawButton(button: {
  readonly style: number;
  readonly label: string;
  readonly emoji?: { readonly name: string } | null | undefined;
  readonly custom_id?: string | undefined;
  readonly url?: string | undefined;
  readonly disabled: boolean;
}): Html {
  const label = button.emoji ? `${button.emoji.name} ${button.label}` : button.label;
  if (button.url !== undefined && httpsUrl(button.url) !== null) {
    return drawLink(button.url, html`${label} ${EXTERNAL}`, "button secondary");
  }
  const style = BUTTON_STYLES[button.style] ?? "secondary";
  return html`<button
    type="button"
    class="button ${style}"
    data-action="${button.custom_id ?? ""}"
    ${button.disabled ? "disabled" : ""}
    >${label}</button
  >`;
}

/** Discord's markdown, as far as a bot's message uses it. */
function drawMarkdown(text: string): Html[] {
  // Splitting by a group keeps the group: every odd piece is a code block's text.
  return text
    .split(/```(?:[\w+-]*\n)?([\s\S]*?)```/)
    .flatMap((piece, index) =>
      index % 2 === 1
        ? [html`<pre><code>${piece}</code></pre>`]
        : piece === ""
          ? []
          : piece.split("\n").map(drawLine),
    );
}

const LINE = /^(?:(#{1,3}) +(.+)|-# +(.+)|> (.*)|[-*] +(.+))$/;

function drawLine(line: string): Html {
  const [, marks, heading, subtext, quote, point] = LINE.exec(line) ?? [];
  if (heading !== undefined) {
    const inner = drawInline(heading);
    if (marks === "#") return html`<h3 class="big">${inner}</h3>`;
    return marks === "##" ? html`<h3 class="middle">${inner}</h3>` : html`<h4 class="small">${inner}</h4>`;
  }
  if (subtext !== undefined) return html`<p class="subtext">${drawInline(subtext)}</p>`;
  if (quote !== undefined) return html`<blockquote>${drawInline(quote)}</blockquote>`;
  if (point !== undefined) return html`<p class="point">${drawInline(point)}</p>`;
  return html`<p>${drawInline(line)}</p>`;
}

/** Escape, code, masked link, bold, underline, italic (two ways), strike, bare link, mention. */
const INLINE =
  /\\([!-/:-@[-`{-~])|(`{1,2})(.+?)\2|\[((?:\\.|\[[^[\]]*\]|[^[\]\\])+)\]\(<?(https:\/\/[^\s<>)]+)>?\)|\*\*((?:\\.|(?!\*\*)[^\\])+)\*\*|__((?:\\.|(?!__)[^\\])+)__|\*((?:\\.|[^*\\])+)\*|(?<!\w)_((?:\\.|[^_\\])+)_(?!\w)|~~((?:\\.|(?!~~)[^\\])+)~~|<?(https:\/\/[^\s<>]+)>?|(<(?:@[!&]?|#)\d+>|@everyone|@here)/g;

function drawInline(text: string): (Html | string)[] {
  const out: (Html | string)[] = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    out.push(text.slice(end, match.index));
    end = match.index + match[0].length;
    const [, escaped, , code, label, url, bold, under, star, italic, struck, bare, mention] = match;
    if (escaped !== undefined) out.push(escaped);
    else if (code !== undefined) out.push(html`<code>${code}</code>`);
    else if (label !== undefined && url !== undefined) out.push(drawLink(url, drawInline(label)));
    else if (bold !== undefined) out.push(html`<strong>${drawInline(bold)}</strong>`);
    else if (under !== undefined) out.push(html`<u>${drawInline(under)}</u>`);
    else if (star !== undefined) out.push(html`<em>${drawInline(star)}</em>`);
    else if (italic !== undefined) out.push(html`<em>${drawInline(italic)}</em>`);
    else if (struck !== undefined) out.push(html`<s>${drawInline(struck)}</s>`);
    else if (bare !== undefined) out.push(drawLink(bare, bare));
    else if (mention !== undefined) out.push(html`<span class="mention">${mention}</span>`);
  }
  out.push(text.slice(end));
  return out;
}

const EXTERNAL = html`<svg class="glyph" viewBox="0 0 24 24" aria-hidden="true">
  <path d="M14 4h6v6M20 4l-9 9M10 5H6a2 2 0 0 0-2 2v11a2 2 0 0 0 2 2h11a2 2 0 0 0 2-2v-4" />
</svg>`;

const CHAT = html`<svg class="glyph" viewBox="0 0 24 24" aria-hidden="true"><path d="M4 5h16v11h-8l-4 4v-4H4Z" /></svg>`;
