import { html } from "hono/html";

/** Escaped HTML, as hono's `html` makes it: a string in it is text unless it is `Html` itself. */
export type Html = ReturnType<typeof html>;

/** What surrounds a message's payload in a channel. */
export type Frame = {
  /** The parameters of `/message` that bring this message. */
  readonly source: string;
  /** As a clock shows it, such as `9:00 AM`. */
  readonly time: string;
  /** The command that it answers, seen by who asked only; null for a post to the channel. */
  readonly command: string | null;
  /** `Message.pages.id`, by which the page's script knows a button that turns the page. */
  readonly pages: string | null;
};

/** The element of one message in a channel; `content` is the client's own drawing of it. */
export function drawArticle(client: "discord" | "slack", frame: Frame, content: Html): Html {
  const name = client === "discord" ? "Discord" : "Slack";
  return html`<article
    class="message${frame.command === null ? "" : " ephemeral"}"
    aria-label="Paperboy, ${frame.time}"
    data-source="${frame.source}"
    data-pages="${frame.pages ?? ""}"
    >${content}<a
      class="payload-link"
      href="/payload/${client}?${frame.source}"
      data-payload="${name}"
      aria-label="Show the payload that ${name} gets"
      ><span aria-hidden="true">{ }</span> payload</a
    ></article
  >`;
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

export const EYE = html`<svg class="glyph" viewBox="0 0 24 24" aria-hidden="true">
  <path d="M2 12s3.5-6.5 10-6.5S22 12 22 12s-3.5 6.5-10 6.5S2 12 2 12Z" />
  <circle cx="12" cy="12" r="2.8" />
</svg>`;
