import { z } from "zod";
import { type Args, type Desk, type Reply, sentence } from "./command.ts";
import type { Message } from "./message.ts";

/** Papers on a page of an answer. */
export const PAGE = 5;

/** Results that a list can be paged through. */
export const MOST_RESULTS = 50;

/** The text as one option; absent where there is none. */
export function whole(name: string, text: string): Args {
  return text.trim() === "" ? {} : { [name]: text.trim() };
}

/** One or two plain sentences to the asker alone. */
export function say(title: string, ...intro: readonly string[]): Reply {
  return { message: sentence(title, ...intro), to: "asker" };
}

const VIEW = z.union([
  z.strictObject({ delivery: z.string() }),
  z.strictObject({
    command: z.string(),
    args: z.record(z.string(), z.string()),
    shared: z.literal(true).optional(),
  }),
]);
/** What a page's buttons stand for: a command to run again, or a delivered digest. `shared`: others see it too. */
export type View = z.infer<typeof VIEW>;

/** Keeps a view for thirty days. @returns its id, the same for the same view */
export function keepView(desk: Pick<Desk, "channels" | "clock">, view: View): Promise<string> {
  return desk.channels.keepView(JSON.stringify(view), desk.clock().toISOString());
}

/** Null where none of that id is kept, or an older version kept it in another form. */
export async function readView(desk: Desk, id: string): Promise<View | null> {
  const text = id === "" ? null : await desk.channels.view(id, desk.clock().toISOString());
  if (text === null) return null;
  try {
    return VIEW.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** The view and the offset that a page button names; the offset stands last, 0 where it is none. */
export function pagePlace(parts: readonly string[]): { readonly id: string; readonly offset: number } {
  const offset = parts.at(-1) ?? "";
  if (parts.length < 2 || !/^\d{1,6}$/.test(offset)) return { id: parts.join(":"), offset: 0 };
  return { id: parts.slice(0, -1).join(":"), offset: Number(offset) };
}

/** What a button answers whose view or digest is not kept. */
export function gone(): Reply {
  return say("This list is no longer kept.", "Ask again, such as with /papers today.");
}

/** A list with its page buttons, and one that shows the same to the channel. */
export async function listReply(
  desk: Desk,
  view: { readonly command: string; readonly args: Args },
  offset: number,
  build: (pagesId: string) => Message,
): Promise<Reply> {
  const id = await keepView(desk, view);
  const message = build(`v1:page:${id}`);
  const share = { label: "Share to channel", id: `v1:share:${id}:${offset}` };
  return { to: "asker", message: { ...message, buttons: [...message.buttons, share] } };
}

/**
 * A page of a list. An offset behind the end is the last page, since a list may have become shorter; one that is none
 * is the first.
 */
export function pageOf<T>(
  all: readonly T[],
  asked: number,
): { readonly offset: number; readonly shown: readonly T[] } {
  const last = Math.floor(Math.max(0, all.length - 1) / PAGE) * PAGE;
  const offset = Number.isSafeInteger(asked) && asked > 0 ? (asked < all.length ? asked : last) : 0;
  return { offset, shown: all.slice(offset, offset + PAGE) };
}

/** As at the beginning of a sentence. */
export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** What is answered where something went wrong that nobody expected. */
export const FAILED: Reply = say(
  "Something went wrong here, and nothing may have changed.",
  "Try it once more; if it goes on, tell whoever runs this Paperboy.",
);

/** What is answered to whom the flood guard holds up for so many milliseconds. */
export function tooMany(waitMs: number): Reply {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000));
  return say(`That was a lot at once: try again in ${seconds === 1 ? "a second" : `${seconds} seconds`}.`);
}
