import { type Client, Routes, SnowflakeUtil } from "discord.js";
import { z } from "zod";
import { type BotEvent, type Post, PostError } from "../../core/bot.ts";
import type { ChannelKey, ChannelStore } from "../../core/channel.ts";
import type { Message } from "../../core/message.ts";
import { cutAtSentence, plainText } from "../../core/readable.ts";
import { forumTagging, kindOf, type PlaceKind, type Tagging, tagsFor } from "./place.ts";
import { type DiscordMessage, renderDiscord } from "./render.ts";
import { codeOf, type Sending, toPostError } from "./sending.ts";

export type PostingOptions = {
  readonly sending: Pick<Sending, "request">;
  /** Null while there is no connection. */
  readonly client: () => Client<true> | null;
  readonly channels: Pick<ChannelStore, "channel">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly report: (event: BotEvent) => void;
};

/** A server that Paperboy is not on may be back soon: an outage, or it was invited again. */
const NOT_THERE_MS = 60 * 60_000;
/** A delivery is given up long before. */
const LOOK_BACK_MS = 24 * 60 * 60_000;

/**
 * Turns posts into requests, one message each, whatever became of the answer to an attempt before.
 * @returns posts one. It throws PostError and whatever `sending` throws.
 */
export function createPosting(options: PostingOptions): (post: Post) => Promise<{ readonly ref: string }> {
  const { sending, client, channels, now, report } = options;

  async function post(wanted: Post): Promise<{ readonly ref: string }> {
    const { to, person, kind } = wanted;
    if (person !== null) return { ref: await tell(person, wanted) };
    try {
      const target = await targetOf(to);
      if (target.kind === null)
        throw new PostError("rejected", "Messages cannot be sent to this kind of channel.");
      if (target.kind === "forum") return { ref: await postInForum(to, target.forum, wanted) };
      const ref = await postMessage(target.id, wanted);
      if (target.kind === "announcement" && kind === "digest") await publish(to, ref);
      return { ref };
    } catch (error) {
      // Of a server that removed it the gateway may not have told yet. What stands there is kept, and goes on later.
      if (!HIDDEN.has(codeOf(error) ?? 0) || to.workspace === "" || (await isOn(to.workspace))) throw error;
      throw notThere(error);
    }
  }

  /** From what the gateway told, else asked for: archived threads and direct messages are not told of. */
  async function targetOf({ workspace, channel: id }: ChannelKey): Promise<Target> {
    const at = client();
    if (at === null) throw new PostError("retry", "Paperboy is not connected to Discord.");
    if (workspace !== "" && !at.guilds.cache.has(workspace)) throw notThere();
    const known = at.channels.cache.get(id);
    if (known !== undefined) return { id, kind: kindOf(known.type), forum: forumTagging(known) };
    const told = Place.parse(await sending.request("get", Routes.channel(id)));
    return { id, kind: kindOf(told.type), forum: told };
  }

  async function isOn(workspace: string): Promise<boolean> {
    if (client()?.guilds.cache.has(workspace) === false) return false;
    try {
      await sending.request("get", Routes.guild(workspace));
      return true;
    } catch (error) {
      if (HIDDEN.has(codeOf(error) ?? 0)) return false;
      throw error;
    }
  }

  async function postMessage(
    channelId: string,
    { message, nonce, attempt }: Pick<Post, "message" | "nonce" | "attempt">,
  ): Promise<string> {
    const send = (body: DiscordMessage) =>
      sending.request("post", Routes.channelMessages(channelId), { ...body, nonce, enforce_nonce: true });
    const body = renderDiscord(message);
    const bare = message.items.some(({ thumbnail }) => thumbnail !== null)
      ? renderDiscord(withoutThumbnails(message))
      : null;
    if (attempt > 1) {
      const standing = await findMessage(channelId, body);
      if (standing !== null) return standing;
    }
    try {
      return idIn(await send(body));
    } catch (error) {
      const code = codeOf(error);
      if (code === THREAD_ARCHIVED) {
        await sending.request("patch", Routes.channel(channelId), { archived: false });
        return idIn(await send(body));
      }
      // A thumbnail that Discord cannot take must not cost the digest.
      if (code === INVALID_FORM && bare !== null) {
        report({ kind: "unexpected", what: "a message that Discord refused the form of", error });
        return idIn(await send(bare));
      }
      throw error;
    }
  }

  /**
   * What an attempt before may have made, by its texts: Discord forgets a nonce after some minutes
   * (https://docs.discord.com/developers/resources/message#create-message). Where the history may not be read, the
   * nonce has to do.
   */
  async function findMessage(channelId: string, body: DiscordMessage): Promise<string | null> {
    const texts = textsIn(body);
    const query = new URLSearchParams({ limit: "100" });
    try {
      const latest = await sending.request("get", Routes.channelMessages(channelId), undefined, query);
      const own = Messages.parse(latest).filter(
        ({ id, author }) => author.id === client()?.user.id && now() - timeOf(id) < LOOK_BACK_MS,
      );
      return own.find((each) => textsIn(each) === texts)?.id ?? null;
    } catch (error) {
      // Why it may not be read is found out by posting.
      if (codeOf(error) !== null) return null;
      throw error;
    }
  }

  /**
   * A post of the forum's own. Discord knows no nonce for these: before a second try it is looked for by its name and
   * its text.
   */
  async function postInForum(
    { workspace, channel }: ChannelKey,
    tagging: Tagging | null,
    { message, attempt }: Post,
  ): Promise<string> {
    const name = cutAtSentence(plainText(message.title), 100) || "Daily Papers";
    const body = renderDiscord(message);
    if (attempt > 1) {
      const standing = await findForumPost({ guildId: workspace, forumId: channel, name, body });
      if (standing !== null) return standing;
    }
    const tags = tagging === null ? [] : tagsFor(tagging);
    const applied = tags.length === 0 ? {} : { applied_tags: tags };
    return idIn(await sending.request("post", Routes.threads(channel), { name, ...applied, message: body }));
  }

  async function findForumPost({ guildId, forumId, name, body }: WantedForumPost): Promise<string | null> {
    const answer = await sending.request("get", Routes.guildActiveThreads(guildId));
    const own = ActiveThreads.parse(answer).threads.filter(
      (thread) =>
        thread.parent_id === forumId && thread.name === name && thread.owner_id === client()?.user.id,
    );
    for (const { id } of own) {
      try {
        // A post's first message has the post's own id.
        const first = await sending.request("get", Routes.channelMessage(id, id));
        if (textsIn(first) === textsIn(body)) return id;
      } catch (error) {
        const code = codeOf(error);
        if (code === UNKNOWN_MESSAGE) continue;
        // Its name tells the day; what may not be read is taken for it rather than posted twice.
        if (code !== null) return id;
        throw error;
      }
    }
    return null;
  }

  /** To the channels that follow this one, where its settings say so. The digest stands whatever comes of it. */
  async function publish(to: ChannelKey, ref: string): Promise<void> {
    try {
      if ((await channels.channel(to))?.publish !== true) return;
      await sending.request("post", Routes.channelMessageCrosspost(to.channel, ref));
    } catch (error) {
      if (codeOf(error) === ALREADY_CROSSPOSTED) return;
      const { message } = toPostError(error);
      report({ kind: "trouble", detail: `A digest was not passed on to followers: ${message}` });
    }
  }

  /** To a person alone, on the affairs of a channel. */
  async function tell(person: string, wanted: Post): Promise<string> {
    const { to, message } = wanted;
    const opened = await sending.request("post", Routes.userChannels(), { recipient_id: person });
    const channel = client()?.channels.cache.get(to.channel);
    const name =
      channel === undefined || channel.isDMBased() ? null : `#${channel.name} on ${channel.guild.name}`;
    const url = `https://discord.com/channels/${to.workspace || "@me"}/${to.channel}`;
    return postMessage(idIn(opened), {
      ...wanted,
      message: {
        ...message,
        intro: [...(name === null ? [] : [name]), ...message.intro],
        buttons: [...message.buttons, { label: "Open the channel", url }],
      },
    });
  }

  return post;
}

/** What posting needs to know of where a message goes. */
type Target = { readonly id: string; readonly kind: PlaceKind | null; readonly forum: Tagging | null };
type WantedForumPost = {
  readonly guildId: string;
  readonly forumId: string;
  readonly name: string;
  readonly body: DiscordMessage;
};

/** https://docs.discord.com/developers/topics/opcodes-and-status-codes */
const UNKNOWN_MESSAGE = 10_008;
const THREAD_ARCHIVED = 50_083;
const INVALID_FORM = 50_035;
const ALREADY_CROSSPOSTED = 40_033;
/** Unknown channel, unknown guild, missing access: what all of a server answers once it has removed the app. */
const HIDDEN: ReadonlySet<number> = new Set([10_003, 10_004, 50_001]);

const WithId = z.object({ id: z.string() });
const Place = z
  .object({
    type: z.int(),
    flags: z.int().default(0),
    available_tags: z
      .array(z.object({ id: z.string(), name: z.string(), moderated: z.boolean().default(false) }))
      .default([]),
  })
  .transform(({ type, flags, available_tags: tags }) => ({ type, flags, tags }));
const Messages = z.array(
  z.object({ id: z.string(), author: z.object({ id: z.string() }), components: z.unknown() }),
);
const ActiveThreads = z.object({
  threads: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      parent_id: z.string().nullish(),
      owner_id: z.string().nullish(),
    }),
  ),
});

function notThere(cause?: unknown): PostError {
  return new PostError("retry", "Paperboy is not on this server.", { retryAfterMs: NOT_THERE_MS, cause });
}

function timeOf(id: string): number {
  return SnowflakeUtil.timestampFrom(id);
}

function withoutThumbnails(message: Message): Message {
  return { ...message, items: message.items.map((item) => ({ ...item, thumbnail: null })) };
}

function idIn(answer: unknown): string {
  return WithId.parse(answer).id;
}

/** All texts of a message, in their order: what stays the same when Discord gives a message back. */
function textsIn(message: unknown): string {
  const texts: string[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) for (const each of value) walk(each);
    else if (typeof value === "object" && value !== null) {
      if ("content" in value && typeof value.content === "string" && "type" in value)
        texts.push(value.content);
      if ("components" in value) walk(value.components);
    }
  };
  if (typeof message === "object" && message !== null && "components" in message) walk(message.components);
  return JSON.stringify(texts);
}
