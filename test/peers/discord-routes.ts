import type { APIMessage } from "discord.js";
import { MAX_COMMANDS, refuseCommands } from "./discord-command-rules.ts";
import { discordError, throwRefusals } from "./discord-errors.ts";
import { INTENT, messageIntent, type Gateway } from "./discord-gateway.ts";
import { namesOf, throwIfEmptied, type Files, type Interactions } from "./discord-interactions.ts";
import { checkForm, checkMessageForm } from "./discord-spec.ts";
import {
  CHANNEL,
  composeMessage,
  createChannel,
  fillMessage,
  FLAG,
  isAllowed,
  directMessagesWith,
  guildPermissions,
  setArchived,
  showChannel,
  showGuild,
  showMember,
  showRole,
  showUser,
  type Channel,
  type Guild,
  type MessageBody,
  type Permission,
  type RegisteredCommand,
  type State,
  type Thread,
} from "./discord-state.ts";

/** One route of the API. */
export type Route = {
  /** Such as `POST /channels/:channel/messages`, which also names its bucket. */
  readonly name: string;
  readonly method: string;
  readonly pattern: RegExp;
  /** The responses to interactions carry their own token, and are beside the global limit. */
  readonly isOpen: boolean;
  answer(request: RouteRequest): RouteAnswer;
};
export type RouteRequest = {
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly files: Files;
};
/** Without a body it is a 204. */
export type RouteAnswer = { readonly status: number; readonly body?: object };

export type RouteOptions = {
  readonly state: State;
  readonly gateway: Gateway;
  readonly interactions: Interactions;
  readonly url: string;
  readonly gatewayUrl: string;
  readonly shards: () => number;
  /** How long a nonce is remembered. */
  readonly nonceMs: number;
  readonly maxActiveThreads: number;
  /** A message has been stored, at this instant. */
  readonly onSend: (at: number) => void;
};

/** Flags that a message may be sent with: https://docs.discord.com/developers/resources/message#create-message */
const SEND_FLAGS = FLAG.suppressEmbeds | FLAG.suppressNotifications | FLAG.componentsV2;

/** The part of Discord's API that a bot of messages, threads and slash commands needs. All else is a 404. */
export function createRoutes(options: RouteOptions): readonly Route[] {
  const { state, gateway, interactions, url } = options;
  const me = state.bot.id;
  const nonces = new Map<string, { readonly message: APIMessage; readonly at: number }>();

  /** A guild that the bot is in. */
  function guildOf(id: string): Guild {
    const guild = state.guilds.get(id);
    if (guild === undefined) throw discordError(10004);
    if (!guild.members.has(me)) throw discordError(50001);
    return guild;
  }

  /** A channel that the bot sees. */
  function channelOf(id: string): Channel {
    const channel = state.channels.get(id);
    if (channel === undefined) throw discordError(10003);
    if (channel.type === CHANNEL.groupMessages) throw discordError(50001);
    need(channel, "VIEW_CHANNEL");
    return channel;
  }

  function need(channel: Channel, permission: Permission): void {
    if (isAllowed(channel, me, permission)) return;
    throw discordError(permission === "VIEW_CHANNEL" ? 50001 : 50013);
  }

  function messageOf(channel: Channel, id: string): APIMessage {
    const message = channel.messages.get(id);
    if (message === undefined) throw discordError(10008);
    return message;
  }

  function tell(event: string, channel: Channel, data: object): void {
    const { guild } = channel;
    gateway.dispatch(event, data, { guild, intents: guild === null ? 0 : INTENT.guilds });
  }

  function tellMessage(event: string, channel: Channel, data: object): void {
    const { guild } = channel;
    const whole = guild === null ? data : { ...data, guild_id: guild.id };
    gateway.dispatch(event, whole, { guild, intents: messageIntent(channel.type) });
  }

  /** Whether the bot may write there now; wakes an archived thread. */
  function enterForWriting(channel: Channel): void {
    if (channel.type === CHANNEL.forum || channel.type === CHANNEL.category) throw discordError(50008);
    if (channel.guild === null && channel.recipients.some(({ isOpen }) => !isOpen)) throw discordError(50007);
    const { thread } = channel;
    need(channel, thread === null ? "SEND_MESSAGES" : "SEND_MESSAGES_IN_THREADS");
    if (thread === null) return;
    if (thread.locked && !isAllowed(channel, me, "MANAGE_THREADS")) {
      throw discordError(thread.archived ? 50083 : 160005);
    }
  }

  function needForBody(channel: Channel, body: MessageBody, files: Files): void {
    if (files.size > 0) need(channel, "ATTACH_FILES");
    if ((body.embeds ?? []).length > 0) need(channel, "EMBED_LINKS");
  }

  function send(channel: Channel, body: unknown, files: Files): APIMessage {
    enterForWriting(channel);
    const occasion = { files: namesOf(files, body, null), flags: SEND_FLAGS };
    throwRefusals(checkMessageForm("message", body, occasion));
    const legal: MessageBody = isFields(body) ? body : {};
    needForBody(channel, legal, files);
    const reference = legal.message_reference?.message_id;
    if (reference !== undefined) {
      need(channel, "READ_MESSAGE_HISTORY");
      if (!channel.messages.has(reference)) {
        const refusal = { code: "REPLIES_UNKNOWN_MESSAGE", message: "Unknown message" };
        throwRefusals([{ path: "message_reference", ...refusal }]);
      }
    }
    const at = state.now();
    // "If another message was created by the same author with the same nonce, that message will be returned":
    // https://docs.discord.com/developers/resources/message#create-message; the channel is not part of it.
    const nonce = legal.enforce_nonce === true ? (legal.nonce ?? null) : null;
    if (nonce !== null) {
      forgetNonces(at);
      const known = nonces.get(String(nonce));
      if (known !== undefined) return known.message;
    }
    const { thread } = channel;
    if (thread?.archived === true) {
      setArchived(state, channel, false);
      tell("THREAD_UPDATE", channel, showChannel(channel));
    }
    const message = composeMessage(state, channel, state.bot, legal, files, url);
    if (nonce !== null) nonces.set(String(nonce), { message, at });
    store(channel, message);
    return message;
  }

  function store(channel: Channel, message: APIMessage): void {
    channel.messages.set(message.id, message);
    channel.lastMessageId = message.id;
    options.onSend(state.now());
    tellMessage("MESSAGE_CREATE", channel, message);
  }

  /** They are kept in the order of their age. */
  function forgetNonces(at: number): void {
    for (const [nonce, known] of nonces) {
      if (at - known.at <= options.nonceMs) return;
      nonces.delete(nonce);
    }
  }

  function list(channel: Channel, query: URLSearchParams): readonly APIMessage[] {
    const limit = Number(query.get("limit") ?? "50");
    if (!Number.isInteger(limit) || limit < 1 || limit > 100) {
      const message = "int value should be between 1 and 100.";
      throwRefusals([{ path: "limit", code: "NUMBER_TYPE_MAX", message }]);
    }
    if (!isAllowed(channel, me, "READ_MESSAGE_HISTORY")) return [];
    const all = [...channel.messages.values()];
    const [before, after, around] = ["before", "after", "around"].map((key) => query.get(key));
    const isBefore = (id: string, than: string) => BigInt(id) < BigInt(than);
    if (typeof after === "string") {
      return all
        .filter(({ id }) => isBefore(after, id))
        .slice(0, limit)
        .reverse();
    }
    if (typeof around === "string") {
      const at = all.findIndex(({ id }) => !isBefore(id, around));
      return all.slice(Math.max(0, at - Math.floor(limit / 2)), at + Math.ceil(limit / 2)).reverse();
    }
    const some = typeof before === "string" ? all.filter(({ id }) => isBefore(id, before)) : all;
    return some.slice(-limit).reverse();
  }

  function edit(channel: Channel, id: string, body: unknown, files: Files): APIMessage {
    const message = messageOf(channel, id);
    if (message.author.id !== me) throw discordError(50005);
    if (channel.thread?.archived === true) throw discordError(50083);
    const editing = message.flags ?? 0;
    throwRefusals(checkMessageForm("edit", body, { files: namesOf(files, body, message), editing }));
    const legal: MessageBody = isFields(body) ? body : {};
    needForBody(channel, legal, files);
    throwIfEmptied(message, legal, files);
    fillMessage(state, message, channel, legal, files, url);
    tellMessage("MESSAGE_UPDATE", channel, message);
    return message;
  }

  function crosspost(channel: Channel, id: string): APIMessage {
    if (channel.type !== CHANNEL.announcement) throw discordError(50024);
    const message = messageOf(channel, id);
    need(channel, message.author.id === me ? "SEND_MESSAGES" : "MANAGE_MESSAGES");
    if (((message.flags ?? 0) & FLAG.crossposted) !== 0) throw discordError(40033);
    message.flags = (message.flags ?? 0) | FLAG.crossposted;
    tellMessage("MESSAGE_UPDATE", channel, message);
    return message;
  }

  function startThread(channel: Channel, given: NewThread): Channel {
    const { guild } = channel;
    if (guild === null) throw discordError(50024);
    if (guild.activeThreads >= options.maxActiveThreads) throw discordError(160006);
    const at = state.now();
    const thread: Thread = {
      ownerId: me,
      createdAt: at,
      archived: false,
      locked: false,
      archiveChangedAt: at,
      autoArchiveMinutes: given.minutes ?? 4320,
      appliedTags: given.tags,
    };
    const created = createChannel(state, guild, {
      ...(given.id === undefined ? {} : { id: given.id }),
      type: given.type,
      name: given.name,
      parent: channel,
      thread,
    });
    tell("THREAD_CREATE", created, { ...showChannel(created), newly_created: true });
    return created;
  }

  /** A forum's thread comes with its first message, which has the thread's id. */
  function startPost(forum: Channel, body: unknown, files: Files): object {
    need(forum, "SEND_MESSAGES");
    const formal = checkForm("forumPost", body);
    const post: ForumPost = isFields(body) ? body : {};
    const { name, message, applied_tags, auto_archive_duration } = post;
    const occasion = { files: namesOf(files, message, null), flags: SEND_FLAGS };
    throwRefusals(
      formal.length > 0
        ? formal
        : checkMessageForm("message", message, occasion).map((each) =>
            each.code === "50006" ? each : { ...each, path: `message.${each.path}` },
          ),
    );
    const tags = applied_tags ?? [];
    if (tags.some((tag) => forum.tags.every(({ id }) => id !== tag))) throw discordError(10087);
    if (tags.length === 0 && (forum.flags & REQUIRE_TAG) !== 0) throw discordError(40067);
    const legal = message ?? {};
    needForBody(forum, legal, files);
    const thread = startThread(forum, {
      type: CHANNEL.publicThread,
      name: name ?? "",
      minutes: auto_archive_duration,
      tags,
    });
    const first = composeMessage(state, thread, state.bot, legal, files, url);
    first.id = thread.id;
    store(thread, first);
    forum.lastMessageId = thread.id;
    return { ...showChannel(thread), message: first };
  }

  function startPlainThread(channel: Channel, body: unknown): object {
    throwRefusals(checkForm("threadWithoutMessage", body));
    const { name, type, auto_archive_duration }: PlainThread = isFields(body) ? body : {};
    // "type currently defaults to PRIVATE_THREAD": https://docs.discord.com/developers/resources/channel#start-thread-without-message
    const kind = type ?? CHANNEL.privateThread;
    const isAnnouncement = channel.type === CHANNEL.announcement;
    if (!isAnnouncement && channel.type !== CHANNEL.text) throw discordError(50024);
    if (isAnnouncement !== (kind === CHANNEL.announcementThread)) throw discordError(50024);
    need(channel, kind === CHANNEL.privateThread ? "CREATE_PRIVATE_THREADS" : "CREATE_PUBLIC_THREADS");
    return showChannel(
      startThread(channel, { type: kind, name: name ?? "", minutes: auto_archive_duration, tags: [] }),
    );
  }

  function startThreadOf(channel: Channel, id: string, body: unknown): object {
    const isAnnouncement = channel.type === CHANNEL.announcement;
    if (!isAnnouncement && channel.type !== CHANNEL.text) throw discordError(50024);
    const message = messageOf(channel, id);
    need(channel, "CREATE_PUBLIC_THREADS");
    need(channel, "READ_MESSAGE_HISTORY");
    throwRefusals(checkForm("threadOfMessage", body));
    if (((message.flags ?? 0) & FLAG.hasThread) !== 0) throw discordError(160004);
    const { name, auto_archive_duration }: PlainThread = isFields(body) ? body : {};
    const thread = startThread(channel, {
      id: message.id,
      type: isAnnouncement ? CHANNEL.announcementThread : CHANNEL.publicThread,
      name: name ?? "",
      minutes: auto_archive_duration,
      tags: [],
    });
    message.flags = (message.flags ?? 0) | FLAG.hasThread;
    tellMessage("MESSAGE_UPDATE", channel, message);
    return showChannel(thread);
  }

  function change(channel: Channel, body: unknown): object {
    const { thread } = channel;
    if (channel.guild === null) throw discordError(50024);
    throwRefusals(checkForm(thread === null ? "channel" : "thread", body));
    const wanted: ChannelChange = isFields(body) ? body : {};
    if (thread === null) need(channel, "MANAGE_CHANNELS");
    else changeThread(channel, thread, wanted);
    if (typeof wanted.name === "string") channel.name = wanted.name;
    if (typeof wanted.topic === "string" && thread === null) channel.topic = wanted.topic;
    const shown = showChannel(channel);
    tell(thread === null ? "CHANNEL_UPDATE" : "THREAD_UPDATE", channel, shown);
    return shown;
  }

  /** https://docs.discord.com/developers/topics/threads#editing--deleting-threads */
  function changeThread(channel: Channel, thread: Thread, wanted: ChannelChange): void {
    const isManager = isAllowed(channel, me, "MANAGE_THREADS");
    const { archived, locked } = wanted;
    if (thread.archived && archived !== false) throw discordError(50083);
    if ((locked ?? thread.locked) !== thread.locked && !isManager) throw discordError(50013);
    // discord.js sends the name with every change.
    const isWaking =
      archived === false &&
      Object.keys(wanted).every(
        (key) => key === "archived" || (key === "name" && wanted.name === channel.name),
      );
    if (isWaking) {
      if (thread.locked && !isManager) throw discordError(50083);
      need(channel, "SEND_MESSAGES_IN_THREADS");
    } else if (!isManager && thread.ownerId !== me) throw discordError(50013);
    if (typeof archived === "boolean") setArchived(state, channel, archived);
    if (typeof locked === "boolean") thread.locked = locked;
    if (typeof wanted.auto_archive_duration === "number") {
      thread.autoArchiveMinutes = wanted.auto_archive_duration;
    }
    const tags = wanted.applied_tags ?? null;
    if (tags === null) return;
    if (tags.some((tag) => channel.parent?.tags.every(({ id }) => id !== tag))) throw discordError(10087);
    thread.appliedTags = tags;
  }

  function openDirectMessages(body: unknown): Channel {
    throwRefusals(checkForm("directMessages", body));
    const { recipient_id }: { readonly recipient_id?: string | null } = isFields(body) ? body : {};
    const user = state.users.get(recipient_id ?? "");
    if (user === undefined || user.id === me) throw discordError(50033);
    const isNew = !state.directMessages.has(user.id);
    const channel = directMessagesWith(state, user);
    if (isNew) tell("CHANNEL_CREATE", channel, showChannel(channel));
    return channel;
  }

  function overwriteCommands(application: string, scope: string, body: unknown): object {
    ownApplication(application);
    const counts = new Map<number, number>();
    for (const each of Array.isArray(body) ? body.filter(isFields) : []) {
      const type = typeof each["type"] === "number" ? each["type"] : 1;
      counts.set(type, (counts.get(type) ?? 0) + 1);
    }
    if ([...counts].some(([type, count]) => count > (MAX_COMMANDS[type] ?? 0))) throw discordError(30032);
    throwRefusals(refuseCommands(body));
    const before = state.commands.get(scope) ?? [];
    const legal: readonly Partial<RegisteredCommand>[] = Array.isArray(body) ? body : [];
    const commands = legal.map((command): RegisteredCommand => {
      const type = command.type ?? 1;
      const known = before.find((each) => each.name === command.name && each.type === type);
      return {
        description: "",
        default_member_permissions: null,
        integration_types: [0],
        contexts: null,
        nsfw: false,
        ...command,
        name: command.name ?? "",
        type,
        id: known?.id ?? state.nextId(),
        application_id: me,
        version: state.nextId(),
        ...(scope === "" ? {} : { guild_id: scope }),
      };
    });
    state.commands.set(scope, commands);
    return commands;
  }

  function ownApplication(id: string): void {
    if (id !== me) throw discordError(20012);
  }

  function showApplication(): object {
    return {
      id: me,
      name: state.bot.name,
      icon: null,
      description: "",
      bot: showUser(state.bot),
      bot_public: true,
      bot_require_code_grant: false,
      summary: "",
      verify_key: "0".repeat(64),
      flags: 0,
      interactions_endpoint_url: state.interactionsEndpointUrl,
      integration_types_config: { 0: {}, 1: {} },
      approximate_guild_count: state.guilds.size,
      approximate_user_install_count: 0,
      team: null,
    };
  }

  const gatewayUrl = { url: options.gatewayUrl };
  const found = (body: object): RouteAnswer => ({ status: 200, body });
  const done: RouteAnswer = { status: 204 };

  return [
    route("GET /gateway", () => found(gatewayUrl), "open"),
    route("GET /gateway/bot", () =>
      found({ ...gatewayUrl, shards: options.shards(), session_start_limit: gateway.sessionStartLimit() }),
    ),
    route("GET /applications/@me", () => found(showApplication())),
    route("GET /applications/:application/commands", ({ params: { application = "" } }) => {
      ownApplication(application);
      return found(state.commands.get("") ?? []);
    }),
    route("PUT /applications/:application/commands", ({ params: { application = "" }, body }) =>
      found(overwriteCommands(application, "", body)),
    ),
    route("GET /applications/:application/guilds/:guild/commands", ({ params }) => {
      ownApplication(params["application"] ?? "");
      return found(state.commands.get(guildOf(params["guild"] ?? "").id) ?? []);
    }),
    route("PUT /applications/:application/guilds/:guild/commands", ({ params, body }) => {
      const { application = "", guild = "" } = params;
      return found(overwriteCommands(application, guildOf(guild).id, body));
    }),
    route("GET /users/@me", () => found(showUser(state.bot))),
    route("GET /users/@me/guilds", ({ query }) => found(listGuilds(state, query))),
    route("POST /users/@me/channels", ({ body }) => found(showChannel(openDirectMessages(body)))),
    route("GET /guilds/:guild", ({ params: { guild = "" } }) => found(showGuild(guildOf(guild)))),
    route("GET /guilds/:guild/roles", ({ params: { guild = "" } }) =>
      found([...guildOf(guild).roles.values()].map(showRole)),
    ),
    route("GET /guilds/:guild/channels", ({ params: { guild = "" } }) =>
      found([...guildOf(guild).channels.values()].filter(({ thread }) => thread === null).map(showChannel)),
    ),
    route("GET /guilds/:guild/members/:user", ({ params: { guild = "", user = "" } }) => {
      const { members } = guildOf(guild);
      if (!state.users.has(user)) throw discordError(10013);
      const member = members.get(user);
      if (member === undefined) throw discordError(10007);
      return found(showMember(member));
    }),
    route("GET /guilds/:guild/threads/active", ({ params: { guild = "" } }) => {
      const threads = [...guildOf(guild).channels.values()].filter(
        (channel) => channel.thread?.archived === false && isAllowed(channel, me, "VIEW_CHANNEL"),
      );
      return found({ threads: threads.map(showChannel), members: [] });
    }),
    route("GET /channels/:channel", ({ params: { channel = "" } }) => found(showChannel(channelOf(channel)))),
    route("PATCH /channels/:channel", ({ params: { channel = "" }, body }) =>
      found(change(channelOf(channel), body)),
    ),
    route("GET /channels/:channel/messages", ({ params: { channel = "" }, query }) =>
      found(list(channelOf(channel), query)),
    ),
    route("POST /channels/:channel/messages", ({ params: { channel = "" }, body, files }) =>
      found(send(channelOf(channel), body, files)),
    ),
    route("GET /channels/:channel/messages/:message", ({ params: { channel = "", message = "" } }) => {
      const there = channelOf(channel);
      need(there, "READ_MESSAGE_HISTORY");
      return found(messageOf(there, message));
    }),
    route("PATCH /channels/:channel/messages/:message", ({ params, body, files }) => {
      const { channel = "", message = "" } = params;
      return found(edit(channelOf(channel), message, body, files));
    }),
    route("DELETE /channels/:channel/messages/:message", ({ params: { channel = "", message = "" } }) => {
      const there = channelOf(channel);
      const { id, author } = messageOf(there, message);
      if (author.id !== me) need(there, "MANAGE_MESSAGES");
      if (there.thread?.archived === true) throw discordError(50083);
      there.messages.delete(id);
      tellMessage("MESSAGE_DELETE", there, { id, channel_id: there.id });
      return done;
    }),
    route(
      "POST /channels/:channel/messages/:message/crosspost",
      ({ params: { channel = "", message = "" } }) => found(crosspost(channelOf(channel), message)),
    ),
    route("POST /channels/:channel/messages/:message/threads", ({ params, body }) => {
      const { channel = "", message = "" } = params;
      return { status: 201, body: startThreadOf(channelOf(channel), message, body) };
    }),
    route("POST /channels/:channel/threads", ({ params: { channel = "" }, body, files }) => {
      const there = channelOf(channel);
      const isForum = there.type === CHANNEL.forum;
      return {
        status: 201,
        body: isForum ? startPost(there, body, files) : startPlainThread(there, body),
      };
    }),
    route(
      "POST /interactions/:interaction/:token/callback",
      ({ params: { interaction = "", token = "" }, query, body, files }) => {
        const response = interactions.respond(interaction, token, body, files);
        return query.get("with_response") === "true" ? found(response) : done;
      },
      "open",
    ),
    route(
      "POST /webhooks/:webhook/:token",
      ({ params: { webhook = "", token = "" }, body, files }) =>
        found(interactions.followUp(webhook, token, body, files)),
      "open",
    ),
    route(
      "GET /webhooks/:webhook/:token/messages/:message",
      ({ params: { webhook = "", token = "", message = "" } }) =>
        found(interactions.read(webhook, token, message)),
      "open",
    ),
    route(
      "PATCH /webhooks/:webhook/:token/messages/:message",
      ({ params: { webhook = "", token = "", message = "" }, body, files }) =>
        found(interactions.edit(webhook, token, message, body, files)),
      "open",
    ),
    route(
      "DELETE /webhooks/:webhook/:token/messages/:message",
      ({ params: { webhook = "", token = "", message = "" } }) => {
        interactions.remove(webhook, token, message);
        return done;
      },
      "open",
    ),
  ];
}

/** A forum whose posts need a tag: https://docs.discord.com/developers/resources/channel#channel-object-channel-flags */
const REQUIRE_TAG = 1 << 4;

type NewThread = {
  /** The message's that it hangs from. */
  readonly id?: string;
  readonly type: number;
  readonly name: string;
  readonly minutes: number | null | undefined;
  readonly tags: readonly string[];
};
type PlainThread = {
  readonly name?: string;
  readonly type?: number | null;
  readonly auto_archive_duration?: number | null;
};
type ForumPost = PlainThread & {
  readonly message?: MessageBody;
  readonly applied_tags?: readonly string[] | null;
};
type ChannelChange = {
  readonly name?: string | null;
  readonly topic?: string | null;
  readonly archived?: boolean | null;
  readonly locked?: boolean | null;
  readonly auto_archive_duration?: number | null;
  readonly applied_tags?: readonly string[] | null;
};

function route(name: string, answer: Route["answer"], open?: "open"): Route {
  const [method = "", path = ""] = name.split(" ");
  const pattern = new RegExp(`^${path.replace(/:(\w+)/g, "(?<$1>[^/]+)")}$`);
  return { name, method, pattern, isOpen: open === "open", answer };
}

function listGuilds(state: State, query: URLSearchParams): object {
  const limit = Math.min(Number(query.get("limit") ?? "200"), 200);
  const after = BigInt(query.get("after") ?? "0");
  return [...state.guilds.values()]
    .filter((guild) => guild.members.has(state.bot.id) && BigInt(guild.id) > after)
    .slice(0, limit)
    .map((guild) => ({
      id: guild.id,
      name: guild.name,
      icon: null,
      banner: null,
      owner: guild.ownerId === state.bot.id,
      permissions: String(guildPermissions(guild, state.bot.id)),
      features: [],
    }));
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
