import {
  type Channel,
  Client,
  type ClientOptions,
  Events,
  GatewayIntentBits,
  type Guild,
  Options,
  Routes,
  Status,
} from "discord.js";
import { z } from "zod";
import { type Bot, type BotEvent, type Post, PostError } from "../../core/bot.ts";
import type { ChannelKey, ChannelStore } from "../../core/channel.ts";
import type { Desk } from "../../core/command.ts";
import type { FloodGuard } from "../../core/flood.ts";
import type { Message } from "../../core/message.ts";
import { count } from "../../core/numbers.ts";
import { cutAtSentence, plainText } from "../../core/readable.ts";
import { DiscordError, refusedToken } from "./error.ts";
import { greet } from "./greeting.ts";
import { createInteractions } from "./interactions.ts";
import { kindOf, tagsFor } from "./place.ts";
import { type DiscordMessage, renderDiscord } from "./render.ts";
import { codeOf, createSending, isUnauthorized, toPostError } from "./sending.ts";

export type DiscordBotOptions = {
  readonly token: string;
  /** Such as `https://discord.com/api`. */
  readonly apiUrl: string;
  /** What commands work on, asked for at each. */
  readonly desk: () => Desk;
  readonly channels: Pick<ChannelStore, "channel" | "join" | "leave" | "departed" | "workspaces">;
  readonly flood: FloodGuard;
  readonly clock: () => Date;
  /** Resolves after so many milliseconds. */
  readonly wait: (ms: number) => Promise<void>;
  readonly report: (event: BotEvent) => void;
};

export type DiscordBot = Bot & {
  /** Why it cannot work now, in a sentence; null while all is well. */
  trouble(): string | null;
};

/** How long between tries to connect: each spends one of a thousand a day. */
const RECONNECT_MS = { first: 5_000, most: 15 * 60_000 };
/** A gateway that has been away this long is given up for a new connection: discord.js did not mend it. */
const AWAY_MS = 3 * 60_000;
const WATCH_MS = 30_000;
const STOP_MS = 10_000;
/** A server that Paperboy is not on may be back soon: an outage, or it was invited again. */
const NOT_THERE_MS = 60 * 60_000;

/**
 * Paperboy on Discord, over the gateway with the intent `Guilds` alone.
 * `start` throws DiscordError where it refuses the token; while Discord cannot be reached it goes on trying.
 */
export function createDiscordBot(options: DiscordBotOptions): DiscordBot {
  const { token, apiUrl, desk, channels, flood, clock, wait, report } = options;
  const now = () => clock().getTime();
  const sending = createSending({ apiUrl, token, now: () => performance.now(), wait, report });
  const underWay = new Set<Promise<unknown>>();
  let client: Client<true> | null = null;
  let awaySince: number | null = null;
  let watch: NodeJS.Timeout | null = null;
  let stopping = false;

  /** What `stop` waits for. */
  function during<T>(work: Promise<T>): Promise<T> {
    underWay.add(work);
    const done = () => underWay.delete(work);
    work.then(done, done);
    return work;
  }

  async function connect(): Promise<void> {
    for (let ms = RECONNECT_MS.first; !stopping; ms = Math.min(2 * ms, RECONNECT_MS.most)) {
      const fresh = createClient(apiUrl);
      try {
        const ready = new Promise<Client<true>>((resolve) => fresh.once(Events.ClientReady, resolve));
        listen(fresh);
        await fresh.login(token);
        client = await ready;
        awaySince = null;
        const servers = count(client.guilds.cache.size, "server");
        report({
          kind: "connected",
          detail: `${client.user.username} is connected to Discord, on ${servers}.`,
        });
        await reconcile(client);
        return;
      } catch (error) {
        await fresh.destroy().catch(() => {});
        if (isTokenRefused(error)) throw refusedToken(error);
        const reason = error instanceof Error ? error.message : String(error);
        report({
          kind: "trouble",
          detail: `Discord cannot be reached (${reason}); the next try is in ${ms / 1000} seconds.`,
        });
        await wait(ms);
      }
    }
  }

  function listen(fresh: Client): void {
    const guarded = (what: string, run: () => Promise<void>) => {
      const work = run().catch((error: unknown) => report({ kind: "unexpected", what, error }));
      void during(work);
    };
    // Without a listener an error in any handler ends the process.
    fresh.on(Events.Error, (error) => report({ kind: "unexpected", what: "in the Discord client", error }));
    fresh.on(Events.ShardError, (error) =>
      report({ kind: "trouble", detail: `The gateway's connection broke: ${error.message}` }),
    );
    fresh.on(Events.ShardDisconnect, ({ code }) => {
      report({ kind: "refused", detail: `Discord closed the gateway for good (code ${code}).` });
    });
    let interactions: ReturnType<typeof createInteractions> | null = null;
    fresh.on(Events.InteractionCreate, (interaction) => {
      if (!fresh.isReady() || stopping) return;
      interactions ??= createInteractions({ client: fresh, sending, desk, flood, now, report });
      void during(interactions.answer(interaction));
    });
    fresh.on(Events.GuildCreate, (guild) => guarded("joining a server", () => join(guild)));
    fresh.on(Events.GuildDelete, (guild) =>
      guarded("leaving a server", async () => {
        report({ kind: "left", workspace: guild.id });
        await channels.leave({ platform: "discord", workspace: guild.id }, clock().toISOString());
      }),
    );
  }

  async function join(guild: Guild): Promise<void> {
    report({ kind: "joined", workspace: guild.id });
    const isBack = await channels.join({ platform: "discord", workspace: guild.id });
    await greet(guild, sending, { isBack });
  }

  /** What happened while nobody listened: servers that it was removed from, or taken back to. */
  async function reconcile({ guilds }: Client<true>): Promise<void> {
    const at = clock().toISOString();
    for (const workspace of await channels.workspaces("discord")) {
      if (!guilds.cache.has(workspace)) await channels.leave({ platform: "discord", workspace }, at);
    }
    for (const workspace of await channels.departed("discord")) {
      if (guilds.cache.has(workspace)) await channels.join({ platform: "discord", workspace });
    }
  }

  /** discord.js resumes and reconnects by itself; what it gives up on is begun anew. */
  async function look(): Promise<void> {
    if (client === null || stopping) return;
    const isThere = client.ws.shards.every((shard) => shard.status === Status.Ready);
    awaySince = isThere ? null : (awaySince ?? now());
    if (awaySince === null || now() - awaySince < AWAY_MS) return;
    const gone = client;
    client = null;
    await gone.destroy();
    try {
      await connect();
    } catch (error) {
      if (!(error instanceof DiscordError)) throw error;
      report({ kind: "refused", detail: error.message });
      // Later again: a token that was reset for a moment, or by mistake.
      client = gone;
      awaySince = now();
    }
  }

  async function post(wanted: Post): Promise<{ readonly ref: string }> {
    const { to, person, message, nonce, kind, attempt } = wanted;
    if (stopping) throw new PostError("retry", "Paperboy is stopping.");
    if (person !== null) return { ref: await tell(person, to, message, nonce) };
    const channel = await channelOf(to);
    const place = kindOf(channel.type);
    if (place === null) throw new PostError("rejected", "Messages cannot be sent to this kind of channel.");
    if (place === "forum") return { ref: await postInForum(channel, message, attempt) };
    const ref = await postMessage(channel.id, message, nonce);
    if (place === "announcement" && kind === "digest") await publish(to, ref);
    return { ref };
  }

  /** From what the gateway told, else asked for: archived threads and direct messages are not told of. */
  async function channelOf({ workspace, channel: id }: ChannelKey): Promise<Channel> {
    if (client === null) throw new PostError("retry", "Paperboy is not connected to Discord.");
    if (workspace !== "" && !client.guilds.cache.has(workspace)) {
      throw new PostError("retry", "Paperboy is not on this server.", { retryAfterMs: NOT_THERE_MS });
    }
    const known = client.channels.cache.get(id);
    const channel = known ?? (await client.channels.fetch(id));
    if (channel === null) throw new PostError("rejected", "This channel is gone.");
    return channel;
  }

  async function postMessage(channelId: string, message: Message, nonce: string): Promise<string> {
    const send = (form: Message) =>
      sending.request("post", Routes.channelMessages(channelId), {
        ...renderDiscord(form),
        nonce,
        enforce_nonce: true,
      });
    try {
      return idIn(await send(message));
    } catch (error) {
      const code = codeOf(error);
      if (code === THREAD_ARCHIVED) {
        await sending.request("patch", Routes.channel(channelId), { archived: false });
        return idIn(await send(message));
      }
      // A thumbnail that Discord cannot take must not cost the digest.
      if (code === INVALID_FORM && message.items.some(({ thumbnail }) => thumbnail !== null)) {
        report({ kind: "unexpected", what: "a message that Discord refused the form of", error });
        return idIn(await send(withoutThumbnails(message)));
      }
      throw error;
    }
  }

  /**
   * A post of the forum's own. Discord knows no nonce for these: before a second try it is looked for by its name and
   * its text.
   */
  async function postInForum(forum: Channel, message: Message, attempt: number): Promise<string> {
    const name = cutAtSentence(plainText(message.title), 100) || "Daily Papers";
    const body = renderDiscord(message);
    if (attempt > 1) {
      const standing = await findForumPost(forum, name, body);
      if (standing !== null) return standing;
    }
    const tags = tagsFor(forum);
    const applied = tags.length === 0 ? {} : { applied_tags: tags };
    return idIn(await sending.request("post", Routes.threads(forum.id), { name, ...applied, message: body }));
  }

  async function findForumPost(forum: Channel, name: string, body: DiscordMessage): Promise<string | null> {
    if (forum.isDMBased()) return null;
    const answer = await sending.request("get", Routes.guildActiveThreads(forum.guildId));
    const own = ActiveThreads.parse(answer).threads.filter(
      (thread) =>
        thread.parent_id === forum.id && thread.name === name && thread.owner_id === client?.user.id,
    );
    for (const { id } of own) {
      // A post's first message has the post's own id.
      const first = await sending.request("get", Routes.channelMessage(id, id)).catch(() => null);
      if (textsIn(first) === textsIn(body)) return id;
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
  async function tell(person: string, about: ChannelKey, message: Message, nonce: string): Promise<string> {
    const opened = await sending.request("post", Routes.userChannels(), { recipient_id: person });
    const channel = client?.channels.cache.get(about.channel);
    const name =
      channel === undefined || channel.isDMBased() ? null : `#${channel.name} on ${channel.guild.name}`;
    const url = `https://discord.com/channels/${about.workspace || "@me"}/${about.channel}`;
    return postMessage(
      idIn(opened),
      {
        ...message,
        intro: [...(name === null ? [] : [name]), ...message.intro],
        buttons: [...message.buttons, { label: "Open the channel", url }],
      },
      nonce,
    );
  }

  return {
    platform: "discord",
    afterUncertain: "repeat",
    async start() {
      await connect();
      watch = setInterval(() => {
        look().catch((error: unknown) => report({ kind: "unexpected", what: "connecting again", error }));
      }, WATCH_MS);
    },
    async post(wanted) {
      try {
        return await during(post(wanted));
      } catch (error) {
        throw toPostError(error);
      }
    },
    async stop() {
      stopping = true;
      if (watch !== null) clearInterval(watch);
      await Promise.race([Promise.allSettled(underWay), wait(STOP_MS)]);
      sending.stop();
      await client?.destroy();
      client = null;
    },
    trouble: () => (client === null || awaySince !== null ? "Discord is not connected." : sending.trouble()),
  };
}

/** https://docs.discord.com/developers/topics/opcodes-and-status-codes */
const THREAD_ARCHIVED = 50_083;
const INVALID_FORM = 50_035;
const ALREADY_CROSSPOSTED = 40_033;

/** Only what commands and posting need is kept in memory: servers, their channels and roles. */
function createClient(apiUrl: string): Client {
  const few = {
    maxSize: 200,
    keepOverLimit: ({ id, client }: { id: string; client: Client }) => id === client.user?.id,
  };
  const options: ClientOptions = {
    intents: [GatewayIntentBits.Guilds],
    shards: "auto",
    rest: { api: apiUrl, globalRequestsPerSecond: Number.POSITIVE_INFINITY, timeout: 10_000 },
    allowedMentions: { parse: [] },
    makeCache: Options.cacheWithLimits({
      ...Options.DefaultMakeCacheSettings,
      AutoModerationRuleManager: 0,
      GuildBanManager: 0,
      GuildEmojiManager: 0,
      GuildInviteManager: 0,
      GuildMemberManager: few,
      GuildScheduledEventManager: 0,
      GuildStickerManager: 0,
      MessageManager: 0,
      PresenceManager: 0,
      ReactionManager: 0,
      StageInstanceManager: 0,
      ThreadMemberManager: 0,
      UserManager: few,
      VoiceStateManager: 0,
    }),
  };
  return new Client(options);
}

function isTokenRefused(error: unknown): boolean {
  return (
    isUnauthorized(error) || (error instanceof Error && "code" in error && error.code === "TokenInvalid")
  );
}

function withoutThumbnails(message: Message): Message {
  return { ...message, items: message.items.map((item) => ({ ...item, thumbnail: null })) };
}

const WithId = z.object({ id: z.string() });
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
