import { html } from "hono/html";
import type { Reply } from "../../core/command.ts";
import type { Client } from "./bot.ts";

/** Escaped HTML, as hono's `html` makes it: a string in it is text unless it is `Html` itself. */
export type Html = ReturnType<typeof html>;

/** What surrounds a message's payload in a channel. */
export type Frame = {
  /** The message's place in the log, which lasts; null where only this window has it. */
  readonly ref: string | null;
  /** The parameters of `/payload/<client>` that bring its payload; null where the window has that already. */
  readonly source: string | null;
  /** As a clock shows it, such as `9:00 AM`. */
  readonly time: string;
  /** ISO instant, which the window shows in the channel's zone; null where `time` is to stay. */
  readonly at: string | null;
  /** Who used which command to get it; null for a post of its own accord. */
  readonly used: { readonly name: string; readonly command: string } | null;
  /** Seen by who asked only. */
  readonly onlyYou: boolean;
  /** `Message.pages.id`, by which the preview's script knows a button that turns the page. */
  readonly pages: string | null;
  /** The name of the thread that it opens. */
  readonly thread: string | null;
  readonly file: Reply["file"] | null;
};

/** The element of a post of Paperboy's; `content` is the client's own drawing of it. */
export function drawArticle(client: Client, frame: Frame, content: Html): Html {
  const name = client === "discord" ? "Discord" : "Slack";
  const label = `Show the payload that ${name} gets`;
  const face = html`<span aria-hidden="true">{ }</span> payload`;
  return html`<article
    class="message${frame.onlyYou ? " ephemeral" : ""}"
    aria-label="Paperboy, ${frame.time}"
    data-ref="${frame.ref ?? ""}"
    data-source="${frame.source ?? ""}"
    data-pages="${frame.pages ?? ""}"
    >${content}${
      frame.source === null
        ? html`<button type="button" class="payload-link" data-payload="${name}" aria-label="${label}">${face}</button>`
        : html`<a class="payload-link" href="/payload/${client}?${frame.source}" data-payload="${name}" aria-label="${label}">${face}</a>`
    }</article
  >`;
}

/** The element of what a person said. */
export function drawSaid(
  frame: Pick<Frame, "ref" | "time" | "at">,
  said: { readonly person: string; readonly name: string; readonly text: string },
): Html {
  return html`<article class="message said" aria-label="${said.name}, ${frame.time}" data-ref="${frame.ref ?? ""}"
    ><span class="avatar face ${said.person}" aria-hidden="true">${said.name[0]}</span>
    <header><b class="name">${said.name}</b>${drawTime(frame)}</header>
    <div class="body">${said.text.split("\n").map((line) => html`<p>${line}</p>`)}</div></article
  >`;
}

export function drawTime({ time, at }: Pick<Frame, "time" | "at">): Html {
  return at === null ? html`<time>${time}</time>` : html`<time datetime="${at}">${time}</time>`;
}

/** A file that comes with a message, opened as far as it is text. */
export function drawFile(file: Frame["file"] | undefined): Html | string {
  if (file === null || file === undefined) return "";
  const size = new TextEncoder().encode(file.text).length;
  return html`<figure class="file" aria-label="File ${file.name}">
    <figcaption>
      ${SHEET}<span><b class="link">${file.name}</b><small>${size < 1000 ? `${size} bytes` : `${(size / 1000).toFixed(1)} kB`}</small></span>
      <button type="button" class="tool-button" data-copy-file>Copy</button>
      <button type="button" class="tool-button" data-download="${file.name}" data-type="${file.type}">Download</button>
    </figcaption>
    <pre tabindex="0" aria-label="${file.name}"><code>${file.text}</code></pre>
  </figure>`;
}

/** The text as an https URL, or null where it is none. */
export function httpsUrl(text: string): string | null {
  const url = URL.parse(text);
  return url?.protocol === "https:" ? url.href : null;
}

/** A link that leaves the page; only the label where the URL is not https. */
export function drawLink(url: string, label: unknown, className = "link"): Html {
  const href = httpsUrl(url);
  if (href === null) return html`<span>${label}</span>`;
  return html`<a class="${className}" href="${href}" target="_blank" rel="noreferrer noopener">${label}</a>`;
}

/** A picture on a tile that shows where the picture cannot be loaded. Width and height in CSS pixels. */
export function drawPicture(picture: {
  readonly url: string;
  readonly alt: string;
  readonly width: number;
  readonly height: number;
}): Html {
  const { alt, width, height } = picture;
  const src = httpsUrl(picture.url);
  if (src === null) return html`<span class="picture" role="img" aria-label="${alt}"></span>`;
  return html`<span class="picture"
    ><img
      src="${src}"
      alt="${alt}"
      width="${width}"
      height="${height}"
      loading="lazy"
      decoding="async"
      referrerpolicy="no-referrer"
  /></span>`;
}

/** A menu that looks like the client's; choosing posts `action` with the option's value. */
export function drawSelect(select: {
  readonly action: string;
  readonly placeholder: string;
  readonly options: readonly { readonly label: string; readonly value: string }[];
}): Html {
  return html`<span class="select"
    ><select data-action="${select.action}" aria-label="${select.placeholder}">
      <option value="" selected disabled hidden>${select.placeholder}</option>
      ${select.options.map((option) => html`<option value="${option.value}">${option.label}</option>`)}
    </select></span
  >`;
}

/** What a drawer does not know: visible, so that nothing of a payload goes missing unnoticed. */
export function drawUnsupported(what: unknown): Html {
  return html`<p class="unsupported">Unsupported here: ${String(what)}</p>`;
}

/** A line drawing on a field of 24 by 24. */
export function icon(path: string, className = ""): Html {
  return html`<svg class="icon ${className}" viewBox="0 0 24 24" aria-hidden="true"><path d="${path}" /></svg>`;
}

export const EYE = html`<svg class="glyph" viewBox="0 0 24 24" aria-hidden="true">
  <path d="M2 12s3.5-6.5 10-6.5S22 12 22 12s-3.5 6.5-10 6.5S2 12 2 12Z" />
  <circle cx="12" cy="12" r="2.8" />
</svg>`;

const SHEET = html`<svg class="sheet" viewBox="0 0 24 30" aria-hidden="true">
  <path d="M2 2h13l7 7v19H2Z" />
  <path d="M15 2v7h7M6.5 14.500h11M6.5 18.500h11M6.5 22.500h7" />
</svg>`;
