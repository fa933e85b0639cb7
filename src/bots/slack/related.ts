import type { Asker, Reply } from "../../core/command.ts";
import { relatedTo } from "../../core/related.ts";
import type { Asked } from "./answers.ts";
import type { ListenersOptions, Place } from "./listeners.ts";
import type { webApi } from "@slack/bolt";

export type RelatedOptions = Pick<ListenersOptions, "app" | "desk" | "now" | "report" | "during"> & {
  /** Tells ids of triggers that were not seen before. */
  readonly isNew: (id: string) => boolean;
  readonly askerOf: (client: webApi.WebClient, place: Place) => Promise<Asker>;
  /** Answers in any case. */
  readonly answer: (asked: Asked, run: () => Promise<Reply>, what: string) => Promise<void>;
};

/** "Find related papers" in the menu of a message: for who chose it alone, with a way to share it. */
export function listenForRelated(options: RelatedOptions): void {
  const { app, desk, now, report, during, isNew, askerOf, answer } = options;
  const callback = "v1:related";
  app.shortcut(
    { callback_id: callback, type: "message_action" },
    async ({ shortcut, ack, respond, client }) => {
      const began = now();
      await ack();
      report({ kind: "acknowledged", what: callback, ms: now() - began });
      if (!isNew(shortcut.trigger_id)) return;
      const { message, channel, user, team } = shortcut;
      const workspace = team?.id ?? user.team_id;
      if (workspace === undefined) return;
      await during(
        (async () => {
          const place = { workspace, channel: channel.id, person: user.id, name: user.name };
          const asker = await askerOf(client, place);
          const asked = { client, respond, asker, thread: threadOf(message), isOwn: false, line: null };
          await answer(asked, () => relatedTo(desk(), asker, textOf(message)), callback);
        })(),
      );
    },
  );
}

/** The thread that a message answers in; the first message of one stands in the channel. */
function threadOf({
  ts,
  thread_ts: thread,
}: {
  readonly ts: string;
  readonly thread_ts?: unknown;
}): string | null {
  return typeof thread === "string" && thread !== ts ? thread : null;
}

/** Slack keeps 40,000 characters of a message's text: https://docs.slack.dev/reference/methods/chat.postMessage */
const LONGEST_TEXT = 40_000;
/** Attachments and blocks are nested less deeply and less numerous than that. */
const MOST_PARTS = 5000;
const DEEPEST = 12;
/** Where a message, its blocks and its attachments hold what people read, and where their links lead. */
const READABLE = new Set(
  "text pretext title title_link fallback from_url original_url url value description author_name".split(" "),
);

/** All that a message says, as plain text: its own text first, then attachments and blocks, as far as there is room. */
function textOf({
  text,
  attachments,
  blocks,
}: {
  readonly text?: unknown;
  readonly [key: string]: unknown;
}): string {
  const found: string[] = [];
  let room = LONGEST_TEXT;
  let parts = 0;
  const look = (value: unknown, depth: number): void => {
    parts += 1;
    if (typeof value !== "object" || value === null || depth > DEEPEST || parts > MOST_PARTS || room <= 0)
      return;
    for (const [key, entry] of Object.entries(value)) {
      if (typeof entry !== "string") look(entry, depth + 1);
      else if (READABLE.has(key) && room > 0) {
        found.push(entry.slice(0, room));
        room -= entry.length + 1;
      }
    }
  };
  look({ text }, 0);
  look({ attachments }, 0);
  look({ blocks }, 0);
  return plainMarkup(found.join("\n"));
}

/**
 * Slack's markup as plain text: of a link its label and its address, nothing of mentions, dates and emoji.
 * https://docs.slack.dev/messaging/formatting-message-text
 */
function plainMarkup(text: string): string {
  return text
    .replace(/<([^<>|]*)(?:\|([^<>]*))?>/g, (_, target: string, label = "") =>
      /^[@#!]/.test(target) ? " " : ` ${target} ${label} `,
    )
    .replace(/:[a-z0-9_+'-]{1,100}:/g, " ")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}
