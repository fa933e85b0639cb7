import { z } from "zod";

/**
 * What Paperboy says, in one value for every platform. All text is plain: a renderer (bots/discord, bots/slack,
 * bots/terminal) is a pure function that escapes it and fits it into its platform's limits: summaries are
 * shortened first, thumbnails dropped next, items last, and those wait behind a "Next page" button.
 */
export type Message = {
  readonly title: string;
  /** Short lines under the title: counts, topics, a notice. `LAST_SHOWN` in them becomes a number. */
  readonly intro: readonly string[];
  readonly items: readonly Item[];
  /** One menu under all items. */
  readonly select: Select | null;
  readonly buttons: readonly Button[];
  /** Where the items that did not fit, and those before `offset`, are found. Null: there is no other page. */
  readonly pages: Pages | null;
  readonly footer: string | null;
};

export type Item = {
  /** The number in front of the title; null for none. */
  readonly rank: number | null;
  readonly title: string;
  readonly url: string | null;
  /** One or two sentences, or a paper's whole abstract on its card. */
  readonly body: string | null;
  /** Short facts and the reason why it is here, shown on one line, in order. */
  readonly facts: readonly string[];
  readonly thumbnail: { readonly url: string; readonly alt: string } | null;
};

export type Select = {
  /** Begins with `v1:`. */
  readonly id: string;
  readonly placeholder: string;
  /** One an item, in the items' order: an item that moves to the next page takes its option along. */
  readonly options: readonly { readonly label: string; readonly value: string }[];
};

export type Button =
  | { readonly label: string; readonly id: string; readonly style?: "primary" | "danger" }
  | { readonly label: string; readonly url: string };

export type Pages = {
  /** Begins with `v1:`; a page's button carries `<id>:<offset of its first item>`. */
  readonly id: string;
  /** How many items come before this message's first. */
  readonly offset: number;
  /** How many items there are on all pages; those after this message's are on later pages. */
  readonly total: number;
};

/** Stands in a line of the intro for the number of the last item shown, which only the renderer knows. */
export const LAST_SHOWN = "\u{e000}";

/** The intro of a message of whose items a renderer shows the first `shown`. */
export function introLines({ intro, pages }: Message, shown: number): readonly string[] {
  return intro.map((line) => line.replaceAll(LAST_SHOWN, String((pages?.offset ?? 0) + shown)));
}

/** A page that is gone back to is as long as the page shown, and at least this long: that may be a short rest. */
const SHORTEST_PAGE = 5;

/** "Previous page" and "Next page" of a message of whose items a renderer shows the first `shown`. */
export function pageButtons({ pages, items }: Message, shown: number): readonly Button[] {
  if (pages === null) return [];
  const next = pages.offset + shown;
  const left = Math.max(pages.total, pages.offset + items.length) - next;
  const previous = Math.max(0, pages.offset - Math.max(shown, SHORTEST_PAGE));
  return [
    ...(pages.offset > 0 ? [{ label: "Previous page", id: `${pages.id}:${previous}` }] : []),
    ...(left > 0 ? [{ label: `Next page · ${left} more`, id: `${pages.id}:${next}` }] : []),
  ];
}

/** Tells ids that a platform would take: not empty, at most `max` long, well formed, and each only once. */
export function createIdCheck(max: number): (id: string) => boolean {
  const used = new Set<string>();
  return (id) => {
    if (id.trim() === "" || id.length > max || !id.isWellFormed() || used.has(id)) return false;
    used.add(id);
    return true;
  };
}

/** A message that was kept as JSON. */
export const messageSchema: z.ZodType<Message> = z.strictObject({
  title: z.string(),
  intro: z.array(z.string()),
  items: z.array(
    z.strictObject({
      rank: z.number().nullable(),
      title: z.string(),
      url: z.string().nullable(),
      body: z.string().nullable(),
      facts: z.array(z.string()),
      thumbnail: z.strictObject({ url: z.string(), alt: z.string() }).nullable(),
    }),
  ),
  select: z
    .strictObject({
      id: z.string(),
      placeholder: z.string(),
      options: z.array(z.strictObject({ label: z.string(), value: z.string() })),
    })
    .nullable(),
  buttons: z.array(
    z.union([
      z.strictObject({
        label: z.string(),
        id: z.string(),
        style: z.enum(["primary", "danger"]).exactOptional(),
      }),
      z.strictObject({ label: z.string(), url: z.string() }),
    ]),
  ),
  pages: z.strictObject({ id: z.string(), offset: z.number(), total: z.number() }).nullable(),
  footer: z.string().nullable(),
});
