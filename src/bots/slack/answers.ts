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
  /** Whether a message was pressed, which an answer may replace. */
  readonly isPress: boolean;
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
    const { person } = asked.asker;
    const message = asked.line === null ? reply.message : signed(reply.message, asked.asker.name);
    try {
      const { channel } = asked.asker.where;
      const ts = await postIn(asked, channel, renderSlack(withSettings(message)), asked.thread);
      if (reply.thread !== undefined && asked.thread === null) await openThread(asked, channel, ts, reply);
    } catch (error) {
      const word = slackErrorOf(error);
      const obstacle = word === null ? undefined : OBSTACLES.get(word);
      if (obstacle === undefined) throw error;
      await cannotPost(asked, reply, obstacle, person);
    }
  }

  /** Nothing can be posted where it was asked: a change is taken back, since its digests could not come either. */
  async function cannotPost(asked: Asked, reply: Reply, obstacle: string, person: string): Promise<void> {
    const undo = reply.message.buttons.find((button) => "id" in button && button.id.startsWith("v1:undo:"));
    if (undo === undefined || !("id" in undo)) {
      await tell(asked, renderSlack(say("Paperboy may not post here.", obstacle).message));
      return;
    }
    await press(desk(), { ...asked.asker, person, maySet: true }, undo.id);
    const again = asked.line === null ? [] : ["Then:", asked.line];
    await tell(asked, renderSlack(say("Nothing was changed.", obstacle, ...again).message));
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

/** For the asker alone. It works also where Paperboy is no member: five times in thirty minutes. */
async function tell(
  { respond, isPress, thread }: Asked,
  body: SlackMessage | (Omit<SlackMessage, "blocks"> & { readonly blocks: readonly types.AnyBlock[] }),
  { replaces = false }: { readonly replaces?: boolean } = {},
): Promise<void> {
  const message: RespondArguments = {
    ...body,
    blocks: [...body.blocks],
    response_type: "ephemeral",
    replace_original: isPress && replaces,
    ...(thread === null ? {} : { thread_ts: thread }),
  };
  await respond(message);
}

/** Who changed something stands under it, since Slack does not show a command that was typed. */
function signed(message: Message, name: string): Message {
  return { ...message, footer: [message.footer, `by ${name}`].filter(Boolean).join(" · ") };
}

/** Beside Undo, the way to all settings. */
function withSettings(message: Message): Message {
  const isChange = message.buttons.some((button) => "id" in button && button.id.startsWith("v1:undo:"));
  return isChange
    ? { ...message, buttons: [...message.buttons, { label: "Settings", id: "v1:settings" }] }
    : message;
}

/**
 * An export as text to copy, since files would need a right that nothing else does.
 * @param number of the part, from 1
 */
function withPart(
  body: SlackMessage,
  file: NonNullable<Reply["file"]>,
  number: number,
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
                action_id: `v1:part:${format}:${number + 1}`,
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

/** Cut at lines that begin an entry, where there are any. */
function partsOf(text: string): readonly string[] {
  const parts: string[] = [];
  let part = "";
  for (const entry of text.split(/(?<=\n)(?=\n|@|- )|(?<=\n)/)) {
    if (part !== "" && part.length + entry.length > LONGEST_PART) {
      parts.push(part);
      part = "";
    }
    part += entry.slice(0, LONGEST_PART);
  }
  return [...parts, part].map((each) => each.trim()).filter((each) => each !== "");
}

/** Why nothing can be posted in a channel, and what mends it. */
const OBSTACLES: ReadonlyMap<string, string> = new Map([
  ["not_in_channel", "Paperboy is not in this channel yet: /invite @Paperboy"],
  ["channel_not_found", "Paperboy cannot see this conversation: in a private channel, /invite @Paperboy"],
  ["is_archived", "This channel is archived."],
  ["restricted_action", "An admin restricts who may post in this channel."],
  ["restricted_action_read_only_channel", "This channel is read-only."],
  ["restricted_action_thread_only_channel", "Only threads may be posted in here."],
]);
