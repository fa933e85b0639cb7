import { randomBytes } from "node:crypto";
import type { APIAttachment, APIMessage, APIMessageTopLevelComponent, APIUser } from "discord.js";

/** All that the local Discord remembers. Everything is found by id; nothing is searched for a message. */
export type State = {
  /** The application and its bot user have one id, as those made since 2016 have. */
  readonly bot: User;
  token: string;
  interactionsEndpointUrl: string | null;
  readonly users: Map<string, User>;
  readonly guilds: Map<string, Guild>;
  /** Of all guilds, threads and direct messages included. */
  readonly channels: Map<string, Channel>;
  /** The bot's, by the other person. */
  readonly directMessages: Map<string, Channel>;
  /** The registered commands of the application (`""`) and of single guilds, with their ids. */
  readonly commands: Map<string, readonly RegisteredCommand[]>;
  /** Uploaded files by the path under which they can be fetched. */
  readonly files: Map<string, UploadedFile>;
  /** Epoch milliseconds; runs with the machine's clock, and `advance` moves it. */
  now(): number;
  advance(ms: number): void;
  /** A fresh snowflake of this instant: https://docs.discord.com/developers/reference#snowflakes */
  nextId(): string;
  /** Of servers made one a millisecond long ago, so that they spread over shards evenly. */
  nextGuildId(): string;
};

export type User = {
  readonly id: string;
  readonly name: string;
  readonly isBot: boolean;
  readonly locale: string;
  /** Whether the bot may write to them. */
  isOpen: boolean;
};

export type Guild = {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  readonly locale: string;
  readonly roles: Map<string, Role>;
  readonly members: Map<string, Member>;
  readonly channels: Map<string, Channel>;
  isAvailable: boolean;
  activeThreads: number;
  /** Where it welcomes people. */
  systemChannelId: string | null;
};

export type Role = {
  readonly id: string;
  readonly name: string;
  readonly position: number;
  permissions: bigint;
};

export type Member = { readonly user: User; readonly roles: Set<string>; readonly joinedAt: number };

export type Channel = {
  readonly id: string;
  /** https://docs.discord.com/developers/resources/channel#channel-object-channel-types */
  readonly type: number;
  readonly guild: Guild | null;
  /** The channel of a thread. */
  readonly parent: Channel | null;
  readonly position: number;
  name: string;
  topic: string | null;
  flags: number;
  /** By the id of a role or member. */
  readonly overwrites: Map<string, Overwrite>;
  /** Of a forum. */
  readonly tags: readonly Tag[];
  /** Of direct messages, without the bot. */
  readonly recipients: readonly User[];
  readonly thread: Thread | null;
  readonly messages: Map<string, APIMessage>;
  /** Messages that one person alone sees. */
  readonly ephemerals: Map<string, Ephemeral>;
  lastMessageId: string | null;
};

export type Overwrite = { readonly type: 0 | 1; readonly allow: bigint; readonly deny: bigint };
export type Tag = { readonly id: string; readonly name: string };
export type Ephemeral = { readonly message: APIMessage; readonly seenBy: string };
export type Thread = {
  readonly ownerId: string;
  readonly createdAt: number;
  archived: boolean;
  locked: boolean;
  archiveChangedAt: number;
  autoArchiveMinutes: number;
  appliedTags: readonly string[];
};
export type UploadedFile = { readonly name: string; readonly type: string; readonly bytes: Uint8Array };
export type RegisteredCommand = {
  readonly id: string;
  readonly name: string;
  readonly type: number;
} & Readonly<Record<string, unknown>>;

/** Channel types. */
export const CHANNEL = {
  text: 0,
  directMessages: 1,
  groupMessages: 3,
  category: 4,
  announcement: 5,
  announcementThread: 10,
  publicThread: 11,
  privateThread: 12,
  forum: 15,
} as const;

/** Message flags: https://docs.discord.com/developers/resources/message#message-object-message-flags */
export const FLAG = {
  crossposted: 1 << 0,
  suppressEmbeds: 1 << 2,
  hasThread: 1 << 5,
  ephemeral: 1 << 6,
  loading: 1 << 7,
  suppressNotifications: 1 << 12,
  componentsV2: 1 << 15,
} as const;

/** Bits of permissions: https://docs.discord.com/developers/topics/permissions#permissions-bitwise-permission-flags */
const PERMISSIONS = {
  ADMINISTRATOR: 1n << 3n,
  MANAGE_CHANNELS: 1n << 4n,
  MANAGE_GUILD: 1n << 5n,
  VIEW_CHANNEL: 1n << 10n,
  SEND_MESSAGES: 1n << 11n,
  MANAGE_MESSAGES: 1n << 13n,
  EMBED_LINKS: 1n << 14n,
  ATTACH_FILES: 1n << 15n,
  READ_MESSAGE_HISTORY: 1n << 16n,
  MENTION_EVERYONE: 1n << 17n,
  USE_APPLICATION_COMMANDS: 1n << 31n,
  MANAGE_THREADS: 1n << 34n,
  CREATE_PUBLIC_THREADS: 1n << 35n,
  CREATE_PRIVATE_THREADS: 1n << 36n,
  SEND_MESSAGES_IN_THREADS: 1n << 38n,
  USE_EXTERNAL_APPS: 1n << 50n,
} as const;
export type Permission = keyof typeof PERMISSIONS;

/** What `@everyone` has in a new guild, of the permissions above. */
export const USUAL_PERMISSIONS: readonly Permission[] = [
  "VIEW_CHANNEL",
  "SEND_MESSAGES",
  "EMBED_LINKS",
  "ATTACH_FILES",
  "READ_MESSAGE_HISTORY",
  "USE_APPLICATION_COMMANDS",
  "CREATE_PUBLIC_THREADS",
  "SEND_MESSAGES_IN_THREADS",
  "USE_EXTERNAL_APPS",
];
const ALL = (1n << 52n) - 1n;

export function permissionBits(names: readonly Permission[]): bigint {
  return names.reduce((bits, name) => bits | PERMISSIONS[name], 0n);
}

export function createState(): State {
  let offset = 0;
  let last = 0n;
  const now = () => Date.now() + offset;
  const nextId = () => {
    const least = BigInt(now() - EPOCH) << 22n;
    last = least > last ? least : last + 1n;
    return String(last);
  };
  let guilds = 0n;
  const id = nextId();
  const bot: User = { id, name: "paperboy", isBot: true, locale: "en-US", isOpen: false };
  return {
    bot,
    token: createToken(id),
    interactionsEndpointUrl: null,
    users: new Map([[id, bot]]),
    guilds: new Map(),
    channels: new Map(),
    directMessages: new Map(),
    commands: new Map(),
    files: new Map(),
    now,
    advance(ms) {
      offset += ms;
    },
    nextId,
    nextGuildId() {
      guilds += 1n;
      return String((FIRST_GUILD_MS + guilds) << 22n);
    },
  };
}

/** Discord's first second of 2015. */
const EPOCH = 1_420_070_400_000;

/** Some day of 2020, in milliseconds after that. */
const FIRST_GUILD_MS = 160_000_000_000n;

/** In the shape of Discord's: the bot's id, an instant, a secret. */
export function createToken(botId: string): string {
  return [
    Buffer.from(botId).toString("base64url"),
    randomBytes(4).toString("base64url"),
    randomBytes(28).toString("base64url"),
  ].join(".");
}

/**
 * What a person or the bot may do in a channel, by Discord's documented algorithm:
 * https://docs.discord.com/developers/topics/permissions#permission-overwrites. A thread has its channel's.
 */
export function permissionsIn(channel: Channel, userId: string): bigint {
  const { guild } = channel;
  if (guild === null) return DIRECT;
  const member = guild.members.get(userId);
  let bits = guildPermissions(guild, userId);
  if (member === undefined || (bits & PERMISSIONS.ADMINISTRATOR) !== 0n) return bits;
  const { overwrites } = channel.parent ?? channel;
  bits = applyOverwrite(bits, overwrites.get(guild.id));
  let [allow, deny] = [0n, 0n];
  for (const role of member.roles) {
    const overwrite = overwrites.get(role);
    allow |= overwrite?.allow ?? 0n;
    deny |= overwrite?.deny ?? 0n;
  }
  bits = (bits & ~deny) | allow;
  bits = applyOverwrite(bits, overwrites.get(userId));
  // Without sight of a channel nothing else counts.
  if ((bits & PERMISSIONS.VIEW_CHANNEL) === 0n) return 0n;
  return bits;
}

/** Without a channel's overwrites. */
export function guildPermissions(guild: Guild, userId: string): bigint {
  const member = guild.members.get(userId);
  if (member === undefined) return 0n;
  if (guild.ownerId === userId) return ALL;
  let bits = guild.roles.get(guild.id)?.permissions ?? 0n;
  for (const role of member.roles) bits |= guild.roles.get(role)?.permissions ?? 0n;
  return (bits & PERMISSIONS.ADMINISTRATOR) !== 0n ? ALL : bits;
}

function applyOverwrite(bits: bigint, overwrite: Overwrite | undefined): bigint {
  return overwrite === undefined ? bits : (bits & ~overwrite.deny) | overwrite.allow;
}

/** In direct messages, and where only the person has the app. */
export const DIRECT = permissionBits([
  "VIEW_CHANNEL",
  "SEND_MESSAGES",
  "EMBED_LINKS",
  "ATTACH_FILES",
  "READ_MESSAGE_HISTORY",
  "MENTION_EVERYONE",
  "USE_APPLICATION_COMMANDS",
]);

export function isAllowed(channel: Channel, userId: string, permission: Permission): boolean {
  return (permissionsIn(channel, userId) & PERMISSIONS[permission]) !== 0n;
}

function isThread(channel: Channel): boolean {
  return channel.thread !== null;
}

/** A new channel that is in the state, and in its guild's. */
export function createChannel(
  state: State,
  guild: Guild | null,
  given: Pick<Channel, "type" | "name"> & Partial<Channel>,
): Channel {
  const channel: Channel = {
    id: state.nextId(),
    guild,
    parent: null,
    position: guild?.channels.size ?? 0,
    topic: null,
    flags: 0,
    overwrites: new Map(),
    tags: [],
    recipients: [],
    thread: null,
    messages: new Map(),
    ephemerals: new Map(),
    lastMessageId: null,
    ...given,
  };
  state.channels.set(channel.id, channel);
  guild?.channels.set(channel.id, channel);
  if (channel.thread !== null && guild !== null) guild.activeThreads += 1;
  return channel;
}

/** The direct messages of the bot with a person, opened if need be. */
export function directMessagesWith(state: State, user: User): Channel {
  const known = state.directMessages.get(user.id);
  if (known !== undefined) return known;
  const channel = createChannel(state, null, { type: CHANNEL.directMessages, name: "", recipients: [user] });
  state.directMessages.set(user.id, channel);
  return channel;
}

export function removeChannel(state: State, channel: Channel): void {
  if (channel.thread?.archived === false && channel.guild !== null) channel.guild.activeThreads -= 1;
  state.channels.delete(channel.id);
  channel.guild?.channels.delete(channel.id);
}

/** Archives a thread or wakes it. */
export function setArchived(state: State, { thread, guild }: Channel, archived: boolean): void {
  if (thread === null || thread.archived === archived) return;
  thread.archived = archived;
  thread.archiveChangedAt = state.now();
  if (guild !== null) guild.activeThreads += archived ? -1 : 1;
}

/** What a message's body may say once it is found legal. Null and absent are the same but in an edit. */
export type MessageBody = {
  readonly content?: string | null;
  readonly embeds?: readonly object[] | null;
  readonly components?: readonly object[] | null;
  readonly flags?: number | null;
  readonly allowed_mentions?: AllowedMentions | null;
  readonly attachments?: readonly NamedAttachment[] | null;
  readonly nonce?: string | number | null;
  readonly enforce_nonce?: boolean | null;
  readonly message_reference?: { readonly message_id: string } | null;
};
type AllowedMentions = {
  readonly parse?: readonly string[] | null;
  readonly users?: readonly string[] | null;
  readonly roles?: readonly string[] | null;
};
type NamedAttachment = {
  readonly id: string | number;
  readonly filename?: string | null;
  readonly description?: string | null;
};

/** The message that a body makes, without a place yet. `files` are named by their number in `files[n]`. */
export function composeMessage(
  state: State,
  channel: Channel,
  author: User,
  body: MessageBody,
  files: ReadonlyMap<string, UploadedFile>,
  origin: string,
): APIMessage {
  const message: APIMessage = {
    id: state.nextId(),
    type: 0,
    channel_id: channel.id,
    author: showUser(author),
    content: "",
    timestamp: new Date(state.now()).toISOString(),
    edited_timestamp: null,
    tts: false,
    mention_everyone: false,
    mentions: [],
    mention_roles: [],
    attachments: [],
    embeds: [],
    components: [],
    pinned: false,
  };
  message.flags = (body.flags ?? 0) & (FLAG.ephemeral | FLAG.suppressNotifications);
  fillMessage(state, message, channel, body, files, origin);
  message.edited_timestamp = null;
  if (body.nonce !== undefined && body.nonce !== null) message.nonce = body.nonce;
  const reference = body.message_reference;
  if (reference !== undefined && reference !== null) {
    message.type = 19;
    message.message_reference = { type: 0, channel_id: channel.id, message_id: reference.message_id };
  }
  return message;
}

/** Writes an edit into a message: what is absent stays; Components V2 and who sees it stay too. */
export function fillMessage(
  state: State,
  message: APIMessage,
  channel: Channel,
  body: MessageBody,
  files: ReadonlyMap<string, UploadedFile>,
  origin: string,
): void {
  if (body.attachments !== undefined || files.size > 0) {
    const kept = body.attachments ?? (message.attachments.length > 0 ? message.attachments : []);
    const stays = message.attachments.filter(({ id }) => kept.some((each) => String(each.id) === id));
    const fresh = [...files].map(([number, file]) => {
      const named = (body.attachments ?? []).find((each) => String(each.id) === number);
      return storeFile(state, channel, { ...file, name: named?.filename ?? file.name }, named, origin);
    });
    message.attachments = [...stays, ...fresh];
  }
  if (body.content !== undefined) message.content = body.content ?? "";
  // Whatever has been checked against Discord's own description has the shape of what it sends back.
  if (body.embeds !== undefined)
    message.embeds = structuredClone([...(body.embeds ?? [])]) as APIMessage["embeds"];
  if (body.components !== undefined) {
    const components = structuredClone([...(body.components ?? [])]) as APIMessageTopLevelComponent[];
    numberComponents(components, message.attachments);
    message.components = components;
  }
  if (body.flags !== undefined && body.flags !== null) {
    const lasting = (message.flags ?? 0) & ~FLAG.suppressEmbeds;
    message.flags = lasting | (body.flags & (FLAG.suppressEmbeds | FLAG.componentsV2));
  }
  message.edited_timestamp = new Date(state.now()).toISOString();
  setMentions(state, message, channel, body.allowed_mentions ?? null);
}

function storeFile(
  state: State,
  channel: Channel,
  file: UploadedFile,
  named: NamedAttachment | undefined,
  origin: string,
): APIAttachment {
  const id = state.nextId();
  const path = `/attachments/${channel.id}/${id}/${encodeURIComponent(file.name)}`;
  state.files.set(path, file);
  const url = `${origin}${path}`;
  return {
    id,
    filename: file.name,
    size: file.bytes.byteLength,
    url,
    proxy_url: url,
    content_type: file.type,
    ...(typeof named?.description === "string" ? { description: named.description } : {}),
  };
}

/** Discord numbers the components that came without an id, and turns `attachment://` into an address. */
function numberComponents(components: readonly object[], attachments: readonly APIAttachment[]): void {
  let next = 1;
  const number = (component: object) => {
    const known: {
      id?: unknown;
      components?: unknown;
      accessory?: unknown;
      file?: unknown;
      name?: string;
      size?: number;
    } = component;
    if (known.id === undefined || known.id === 0) known.id = next;
    next += 1;
    if (Array.isArray(known.components)) for (const child of known.components) number(child);
    if (typeof known.accessory === "object" && known.accessory !== null) number(known.accessory);
    const media: { url?: unknown } = typeof known.file === "object" && known.file !== null ? known.file : {};
    const attachment = attachments.find(({ filename }) => media.url === `attachment://${filename}`);
    if (attachment !== undefined) {
      media.url = attachment.url;
      known.name = attachment.filename;
      known.size = attachment.size;
    }
  };
  for (const component of components) number(component);
}

/** Everything is parsed unless `allowed_mentions` says otherwise. */
function setMentions(
  state: State,
  message: APIMessage,
  channel: Channel,
  allowed: AllowedMentions | null,
): void {
  const text = messageText(message, ["embeds"]);
  const parse = allowed === null ? ["users", "roles", "everyone"] : (allowed.parse ?? []);
  const named = (sigil: string) =>
    [...text.matchAll(new RegExp(`<@${sigil}(\\d+)>`, "g"))].map(([, id]) => id ?? "");
  const author = message.author.id;
  message.mention_everyone =
    parse.includes("everyone") &&
    /@(?:everyone|here)\b/.test(text) &&
    isAllowed(channel, author, "MENTION_EVERYONE");
  message.mentions = [...new Set(named("!?"))]
    .filter((id) => parse.includes("users") || allowed?.users?.includes(id) === true)
    .flatMap((id) => state.users.get(id) ?? [])
    .map(showUser);
  message.mention_roles = [...new Set(named("&"))].filter(
    (id) => parse.includes("roles") || allowed?.roles?.includes(id) === true,
  );
}

/** All that a reader of a message reads, line by line: content, embeds, text displays; not labels. */
export function messageText(message: APIMessage, without: readonly "embeds"[] = []): string {
  const lines = [message.content];
  if (!without.includes("embeds")) {
    for (const { title, description, fields = [], footer } of message.embeds) {
      lines.push(
        title ?? "",
        description ?? "",
        ...fields.flatMap(({ name, value }) => [name, value]),
        footer?.text ?? "",
      );
    }
  }
  for (const component of allComponents(message)) {
    if ("content" in component && typeof component.content === "string") lines.push(component.content);
  }
  return lines.filter((line) => line !== "").join("\n");
}

/** The components of a message or modal in the order in which they are drawn, the nested ones too. */
export function allComponents(holder: { readonly components?: readonly object[] }): readonly object[] {
  return (holder.components ?? []).flatMap((component) => {
    const { components, accessory, component: inner }: Holder = component;
    return [
      component,
      ...allComponents({ components: components ?? [] }),
      ...allComponents({ components: [accessory, inner].filter((each) => each !== undefined) }),
    ];
  });
}
type Holder = {
  readonly components?: readonly object[];
  readonly accessory?: object;
  readonly component?: object;
};

export function showUser(user: User): APIUser {
  return {
    id: user.id,
    username: user.name,
    discriminator: "0",
    global_name: user.isBot ? null : user.name,
    avatar: null,
    bot: user.isBot,
  };
}

export function showMember(member: Member): object {
  return {
    user: showUser(member.user),
    nick: null,
    avatar: null,
    banner: null,
    roles: [...member.roles],
    joined_at: new Date(member.joinedAt).toISOString(),
    premium_since: null,
    communication_disabled_until: null,
    deaf: false,
    mute: false,
    pending: false,
    flags: 0,
  };
}

export function showRole(role: Role): object {
  return {
    id: role.id,
    name: role.name,
    color: 0,
    colors: { primary_color: 0, secondary_color: null, tertiary_color: null },
    hoist: false,
    icon: null,
    unicode_emoji: null,
    position: role.position,
    permissions: String(role.permissions),
    managed: false,
    mentionable: false,
    flags: 0,
  };
}

export function showChannel(channel: Channel): object {
  const { id, type, guild, name, thread } = channel;
  if (guild === null) {
    return {
      id,
      type,
      last_message_id: channel.lastMessageId,
      flags: 0,
      recipients: channel.recipients.map(showUser),
      ...(type === CHANNEL.groupMessages ? { name, icon: null, owner_id: channel.recipients[0]?.id } : {}),
    };
  }
  const common = {
    id,
    type,
    guild_id: guild.id,
    name,
    flags: channel.flags,
    last_message_id: channel.lastMessageId,
    rate_limit_per_user: 0,
    parent_id: channel.parent?.id ?? null,
  };
  if (thread !== null) {
    return {
      ...common,
      owner_id: thread.ownerId,
      message_count: channel.messages.size,
      total_message_sent: channel.messages.size,
      member_count: 1,
      applied_tags: thread.appliedTags,
      thread_metadata: {
        archived: thread.archived,
        locked: thread.locked,
        auto_archive_duration: thread.autoArchiveMinutes,
        archive_timestamp: new Date(thread.archiveChangedAt).toISOString(),
        create_timestamp: new Date(thread.createdAt).toISOString(),
      },
    };
  }
  return {
    ...common,
    position: channel.position,
    topic: channel.topic,
    nsfw: false,
    permission_overwrites: [...channel.overwrites].map(([overwritten, { type: kind, allow, deny }]) => ({
      id: overwritten,
      type: kind,
      allow: String(allow),
      deny: String(deny),
    })),
    ...(type === CHANNEL.forum
      ? {
          available_tags: channel.tags.map((tag) => ({
            ...tag,
            moderated: false,
            emoji_id: null,
            emoji_name: null,
          })),
          default_reaction_emoji: null,
          default_sort_order: null,
          default_forum_layout: 0,
          template: "",
        }
      : {}),
  };
}

export function showGuild(guild: Guild): object {
  return {
    id: guild.id,
    name: guild.name,
    icon: null,
    splash: null,
    discovery_splash: null,
    description: null,
    banner: null,
    owner_id: guild.ownerId,
    preferred_locale: guild.locale,
    roles: [...guild.roles.values()].map(showRole),
    emojis: [],
    stickers: [],
    features: ["COMMUNITY"],
    afk_channel_id: null,
    afk_timeout: 300,
    system_channel_id: guild.systemChannelId,
    system_channel_flags: 0,
    rules_channel_id: null,
    public_updates_channel_id: null,
    safety_alerts_channel_id: null,
    vanity_url_code: null,
    application_id: null,
    verification_level: 1,
    default_message_notifications: 1,
    explicit_content_filter: 2,
    mfa_level: 0,
    nsfw_level: 0,
    premium_tier: 0,
    premium_subscription_count: 0,
    premium_progress_bar_enabled: false,
    max_members: 500_000,
    max_presences: null,
    region: "deprecated",
  };
}

/** What the gateway says of a guild: https://docs.discord.com/developers/events/gateway-events#guild-create */
export function showJoinedGuild(state: State, guild: Guild): object {
  const me = guild.members.get(state.bot.id);
  const all = [...guild.channels.values()];
  return {
    ...showGuild(guild),
    joined_at: new Date(me?.joinedAt ?? 0).toISOString(),
    large: guild.members.size > 250,
    unavailable: false,
    member_count: guild.members.size,
    voice_states: [],
    members: me === undefined ? [] : [showMember(me)],
    channels: all.filter((channel) => !isThread(channel)).map(showChannel),
    threads: all
      .filter(({ thread }) => thread !== null && !thread.archived)
      .filter((thread) => isAllowed(thread, state.bot.id, "VIEW_CHANNEL"))
      .map(showChannel),
    presences: [],
    stage_instances: [],
    guild_scheduled_events: [],
    soundboard_sounds: [],
  };
}
