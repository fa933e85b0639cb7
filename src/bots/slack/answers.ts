import type { RespondArguments, RespondFn, types, webApi } from "@slack/bolt";
import type { BotEvent } from "../../core/bot.ts";
import type { Asker, Desk, Reply } from "../../core/command.ts";
import { press } from "../../core/commands.ts";
import type { Message } from "../../core/message.ts";
import { say } from "../../core/reply.ts";
import { renderSlack, type SlackMessage } from "./render.ts";
import { slackErrorOf } from "./sending.ts";

/** What somebody typed or pressed, as far as answering it goes. */
export type Asked = {
  readonly client: webApi.WebClient;
  readonly respond: RespondFn;
  readonly asker: Asker;
  /** The thread that the pressed message stands in; null elsewhere. */
  readonly thread: string | null;
  /** Whether what was pressed is the asker's alone, so that an answer may take its place. */
  readonly isOwn: boolean;
  /** What was typed, as others may see it; null for a press. */
  readonly line: string | null;
};

export type Answers = {
  /**
   * Brings a reply to whom it is for.
   * @param part of a file that comes in parts, from 1
   * @throws what Slack refuses
   */
  deliver(asked: Asked, reply: Reply, part?: number): Promise<void>;
};

/** An export longer than this goes out in parts: Slack refuses messages of more than 11,000 characters. */
const LONGEST_PART = 8000;

/** Brings replies back: to the asker through the response URL, to the channel as a message of Paperboy's own. */
export function createAnswers({
  desk,
  report,
}: {
  readonly desk: () => Desk;
  readonly report: (event: BotEvent) => void;
}): Answers {
  async function deliver(asked: Asked, reply: Reply, part = 1): Promise<void> {
    if (reply.file !== undefined) return tell(asked, withPart(renderSlack(reply.message), reply.file, part));
    if (reply.to === "asker") {
      return tell(asked, renderSlack(reply.message), { replaces: reply.replaces === true });
    }
    const { channel } = asked.asker.where;
    const isNamed = reply.thread !== undefined || isShared(reply);
    const message = isNamed ? reply.message : signed(reply.message, asked);
    try {
      const ts = await postIn(asked, channel, renderSlack(withSettings(message)), asked.thread);
      if (reply.about !== undefined) await remember(asked, reply.about, ts);
      if (reply.thread !== undefined && asked.thread === null) await openThread(asked, channel, ts, reply);
    } catch (error) {
      const obstacle = obstacleOf(slackErrorOf(error), channel);
      if (obstacle !== null) return cannotPost(asked, reply, obstacle);
      // What was done is done: the asker at least hears of it.
      report({ kind: "unexpected", what: "answering in a channel", error });
      await tell(asked, renderSlack(message));
    }
  }

  /**
   * Nothing can be posted where it was asked. What would bring digests there is taken back, since they could not come
   * either; what ends them stays.
   */
  async function cannotPost(asked: Asked, reply: Reply, obstacle: string): Promise<void> {
    const undo = undoOf(reply);
    if (undo !== null && !ENDS_DIGESTS.test(asked.line ?? "")) {
      const taken = await press(desk(), { ...asked.asker, maySet: true }, undo);
      // Somebody else changed something since: both changes stand.
      if (taken.to === "asker") return tell(asked, renderSlack(andThat(taken.message, obstacle)));
      const again = asked.line === null ? [] : ["Then:", asked.line];
      return tell(asked, renderSlack(say("Nothing was changed.", obstacle, ...again).message));
    }
    if (isShared(reply)) return tell(asked, renderSlack(reply.message), { to: "channel" });
    if (reply.thread !== undefined) {
      return tell(asked, renderSlack(say("Paperboy may not post here.", obstacle).message));
    }
    await tell(asked, renderSlack(andThat(reply.message, obstacle)));
  }

  /** A card of the paper tells later where it was discussed. */
  async function remember({ asker }: Asked, paperId: string, ref: string): Promise<void> {
    const { channels, clock } = desk();
    await channels
      .mention(asker.where, { paperId, ref, at: clock().toISOString() }, null)
      .catch((error: unknown) => report({ kind: "unexpected", what: "noting a discussion", error }));
  }

  async function openThread(asked: Asked, channel: string, ts: string, { thread }: Reply): Promise<void> {
    const { message } = say(`What do you think of “${thread ?? "it"}”?`, "Answer here, in the thread.");
    await postIn(asked, channel, renderSlack(message), ts).catch((error: unknown) =>
      report({ kind: "unexpected", what: "opening a thread", error }),
    );
  }

  return { deliver };
}

/** A message in the channel, or in a thread of it, and never from the thread into the channel. @returns its `ts` */
async function postIn(
  { client }: Asked,
  channel: string,
  body: SlackMessage,
  thread: string | null,
): Promise<string> {
  const { ts } = await client.chat.postMessage({
    channel,
    ...body,
    ...(thread === null ? {} : { thread_ts: thread }),
  });
  return ts ?? "";
}

/**
 * By the response URL, which works also where Paperboy is no member: five times in thirty minutes. Where it no longer
 * does, by a message that only the asker sees.
 */
async function tell(
  { respond, client, asker, isOwn, thread }: Asked,
  body: SlackMessage | (Omit<SlackMessage, "blocks"> & { readonly blocks: readonly types.AnyBlock[] }),
  { replaces = false, to = "asker" }: { readonly replaces?: boolean; readonly to?: Reply["to"] } = {},
): Promise<void> {
  const message: RespondArguments = {
    ...body,
    blocks: [...body.blocks],
    response_type: to === "channel" ? "in_channel" : "ephemeral",
    replace_original: isOwn && replaces,
    ...(thread === null ? {} : { thread_ts: thread }),
  };
  try {
    await respond(message);
  } catch (error) {
    const { channel } = asker.where;
    const { text, blocks } = body;
    const place = { channel, user: asker.person, ...(thread === null ? {} : { thread_ts: thread }) };
    await client.chat.postEphemeral({ ...place, text, blocks: [...blocks] }).catch(() => {
      throw error;
    });
  }
}

/** A list that is shown to all: it changes nothing. */
function isShared({ message, thread }: Reply): boolean {
  return message.pages !== null && thread === undefined;
}

function andThat(message: Message, line: string): Message {
  return { ...message, intro: [...message.intro, line] };
}

function undoOf({ message }: Reply): string | null {
  const undo = message.buttons.find((button) => "id" in button && button.id.startsWith("v1:undo:"));
  return undo !== undefined && "id" in undo ? undo.id : null;
}

/** Who changed something stands under it, since Slack shows neither what was typed nor who pressed. */
function signed(message: Message, { asker }: Asked): Message {
  return { ...message, footer: [message.footer, `by ${asker.name}`].filter(Boolean).join(" · ") };
}

/** Beside Undo, the way to all settings. */
function withSettings(message: Message): Message {
  return message.buttons.some((button) => "id" in button && button.id.startsWith("v1:undo:"))
    ? { ...message, buttons: [...message.buttons, { label: "Settings", id: "v1:settings" }] }
    : message;
}

/**
 * An export as text to copy, since files would need a right that nothing else does.
 * @param number of the part, from 1
 * @param partId what the id of the next part's button begins with
 */
export function withPart(
  body: SlackMessage,
  file: NonNullable<Reply["file"]>,
  number: number,
  partId = "v1:part",
): Omit<SlackMessage, "blocks"> & { readonly blocks: readonly types.AnyBlock[] } {
  const parts = partsOf(file.text);
  const part = parts[Math.min(number, parts.length) - 1] ?? "";
  const format = file.name.split(".").at(-1) ?? "";
  const more: readonly types.AnyBlock[] =
    number >= parts.length
      ? []
      : [
          {
            type: "actions",
            elements: [
              {
                type: "button",
                action_id: `${partId}:${format}:${number + 1}`,
                text: { type: "plain_text", text: `Part ${number + 1} of ${parts.length}`, emoji: false },
              },
            ],
          },
        ];
  return {
    ...body,
    blocks: [
      ...(number === 1 ? body.blocks : []),
      {
        type: "rich_text",
        elements: [{ type: "rich_text_preformatted", elements: [{ type: "text", text: part }] }],
      },
      ...more,
    ],
  };
}

/** Cut where an entry begins (`@article…`, `- …`, a row), and within one only where it is too long for a part. */
function partsOf(text: string): readonly string[] {
  const start = /^@/m.test(text) ? /(?<=\n)(?=@)/ : /^- /m.test(text) ? /(?<=\n)(?=- )/ : /(?<=\n)/;
  const parts: string[] = [];
  let part = "";
  for (const entry of text.split(start).flatMap(pieces)) {
    if (part !== "" && part.length + entry.length > LONGEST_PART) {
      parts.push(part);
      part = "";
    }
    part += entry;
  }
  return [...parts, part].map((each) => each.trim()).filter((each) => each !== "");
}

const IN_PIECES = new RegExp(`[^]{1,${LONGEST_PART / 2}}`, "gu");

function pieces(entry: string): readonly string[] {
  return entry.length <= LONGEST_PART ? [entry] : (entry.match(IN_PIECES) ?? []);
}

/** Commands whose change stays although nothing can be posted: no digest has to come for it. */
const ENDS_DIGESTS = /^\/papers\s+(unsubscribe|pause)\b/i;

/** Whether it is a conversation of two, by its id. */
export function isDirect(channel: string): boolean {
  return channel.startsWith("D");
}

/** Why nothing can be posted in a channel, and what mends it; null where that is not what went wrong. */
function obstacleOf(word: string | null, channel: string): string | null {
  if (word === null) return null;
  const isHidden = word === "channel_not_found" || word === "not_in_channel";
  if (isHidden && isDirect(channel)) {
    return "Paperboy has no part in this conversation: open Paperboy under Apps and type it there.";
  }
  return OBSTACLES.get(word) ?? (word.startsWith("restricted_action") ? RESTRICTED : null);
}

const RESTRICTED = "An admin restricts who may post in this channel: have Paperboy allowed.";
const OBSTACLES: ReadonlyMap<string, string> = new Map([
  ["not_in_channel", "Paperboy is not in this channel yet: /invite @Paperboy"],
  ["channel_not_found", "Paperboy is not in this conversation yet: /invite @Paperboy"],
  ["is_archived", "This channel is archived: have it unarchived."],
  ["restricted_action_read_only_channel", "This channel is read-only: have Paperboy allowed to post."],
  ["restricted_action_thread_only_channel", "Only threads may be posted in here: use another channel."],
]);
