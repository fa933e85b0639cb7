import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { setTimeout as wait } from "node:timers/promises";
import type { APIMessage } from "discord.js";
import {
  discordError,
  DiscordError,
  isErrorCode,
  notFound,
  unauthorized,
  type ErrorBody,
} from "./discord-errors.ts";
import { createFaults, type ArmedFault, type Fault, type Struck } from "./discord-faults.ts";
import {
  createGateway,
  INTENT,
  messageIntent,
  type Gateway,
  type GatewayOptions,
} from "./discord-gateway.ts";
import { createInteractions, type Files } from "./discord-interactions.ts";
import {
  createLimits,
  createTrafficCount,
  type Limit,
  type RateLimited,
  type Traffic,
} from "./discord-limits.ts";
import { createPeople, type People } from "./discord-people.ts";
import { createRoutes, type Route, type RouteAnswer } from "./discord-routes.ts";
import {
  CHANNEL,
  composeMessage,
  createChannel,
  createState,
  createToken,
  directMessagesWith,
  messageText,
  permissionBits,
  removeChannel,
  setArchived,
  showChannel,
  showJoinedGuild,
  showRole,
  USUAL_PERMISSIONS,
  type Channel,
  type Guild,
  type Permission,
  type UploadedFile,
  type User,
} from "./discord-state.ts";

export type { ArmedFault, Fault } from "./discord-faults.ts";
export type { Traffic } from "./discord-limits.ts";
export type { Permission } from "./discord-state.ts";

export type DiscordOptions = {
  /** 0, any, unless told. */
  readonly port?: number;
  /** How long each answer takes on its way back. */
  readonly latencyMs?: number;
  /** Requests a second for the whole bot: 50. */
  readonly perSecond?: number;
  /** Other buckets than the usual, by route, such as `POST /channels/:channel/messages`. */
  readonly limits?: Readonly<Record<string, Limit>>;
  /** For the first response to an interaction: 3 s. */
  readonly deadlineMs?: number;
  /** Of an interaction: 15 min. */
  readonly tokenLifetimeMs?: number;
  /** How long a nonce is remembered, "the past few minutes": 5 min. */
  readonly nonceMs?: number;
  readonly maxActiveThreads?: number;
  /** What `/gateway/bot` recommends: 1. */
  readonly shards?: number;
  readonly gateway?: Partial<GatewayOptions>;
};

/** Someone's or the bot's doing is not simulated by these: they change the world, and the gateway tells of it. */
export type DiscordPeer = People & {
  /** Ends in `/api`. */
  readonly apiUrl: string;
  readonly applicationId: string;
  token(): string;
  /** All that came, in order. */
  readonly requests: readonly LoggedRequest[];
  traffic(): Traffic;
  readonly gateway: Pick<Gateway, "identifies" | "resumes" | "sockets">;

  /** A server with its owner, where the bot is unless told. */
  addGuild(guild?: NewGuild): { readonly id: string; readonly ownerId: string };
  addRole(
    guildId: string,
    role: { readonly name: string; readonly permissions: readonly Permission[] },
  ): string;
  setRolePermissions(guildId: string, roleId: string, permissions: readonly Permission[]): void;
  /** Somebody who shares no server with the bot. */
  addUser(user?: NewUser): string;
  /** A new person, or one who is elsewhere already; `permissions` come as a role of their own. */
  addMember(guildId: string, member?: NewMember): string;
  addChannel(guildId: string, channel?: NewChannel): string;
  addThread(channelId: string, thread?: NewThread): string;
  /** The bot's direct messages with somebody. */
  directMessages(userId: string): string;
  /** Direct messages of several people, where only their own apps work. */
  addGroup(userIds: readonly string[]): string;
  /** Of a role or a member; replaces what was. */
  setOverwrite(channelId: string, targetId: string, overwrite: NewOverwrite): void;
  /** Where a server welcomes people; told to a bot that joins later. */
  setSystemChannel(guildId: string, channelId: string): void;
  deleteChannel(channelId: string): void;
  archiveThread(threadId: string, archived?: boolean): void;
  lockThread(threadId: string, locked?: boolean): void;
  kickBot(guildId: string): void;
  inviteBot(guildId: string, permissions?: readonly Permission[]): void;
  /** A person's own message. */
  say(who: string, channelId: string, content: string): APIMessage;
  deleteMessage(channelId: string, messageId: string): void;

  /** A channel as the API shows it; null where it is gone. */
  channel(channelId: string): object | null;
  threads(channelId: string): readonly object[];
  /** The tags of a forum by name. */
  tags(channelId: string): Readonly<Record<string, string>>;
  /** What a reader reads: content, embeds and text displays, a line each. */
  textOf(message: APIMessage | null): string;
  commands(guildId?: string): readonly object[];

  fail(fault: Fault): ArmedFault;
  setLatency(ms: number): void;
  /** Moves this Discord's clock: buckets, nonces, deadlines, tokens. */
  advance(ms: number): void;
  /** A server becomes unavailable, or is back. */
  outage(guildId: string, isDown: boolean): void;
  dropSockets(): void;
  /** At each RESUME from now on, so many events are told again that had come. */
  repeatOnResume(events: number): void;
  closeSockets(code: number): void;
  requestReconnect(): void;
  invalidateSessions(resumable: boolean): void;
  /** Returns the new token; the old one is refused and the gateway closes. */
  revokeToken(): string;
  /** With an address nothing comes over the gateway. */
  setInteractionsEndpoint(url: string | null): void;
  close(): Promise<void>;
};

export type LoggedRequest = {
  readonly method: string;
  /** Without `/api/v10`, with the query. */
  readonly path: string;
  readonly body: unknown;
  /** Epoch milliseconds of this Discord's clock. */
  readonly at: number;
  /** Null while it is under way and where the connection was broken. */
  readonly status: number | null;
};
type NewGuild = {
  readonly name?: string;
  readonly locale?: string;
  readonly isBotThere?: boolean;
  /** Beside what everyone has. */
  readonly botPermissions?: readonly Permission[];
  /** What everyone has. */
  readonly permissions?: readonly Permission[];
};
type NewUser = { readonly name?: string; readonly locale?: string; readonly isOpen?: boolean };
type NewMember = NewUser & {
  readonly id?: string;
  readonly roles?: readonly string[];
  readonly permissions?: readonly Permission[];
};
type NewChannel = {
  readonly name?: string;
  readonly type?: "text" | "announcement" | "forum" | "category";
  readonly topic?: string;
  /** Names of a forum's tags. */
  readonly tags?: readonly string[];
  readonly needsTag?: boolean;
};
type NewThread = {
  readonly name?: string;
  readonly archived?: boolean;
  readonly locked?: boolean;
  readonly ownerId?: string;
};
type NewOverwrite = { readonly allow?: readonly Permission[]; readonly deny?: readonly Permission[] };

/**
 * A local Discord over sockets on 127.0.0.1: the gateway and the API that an unmodified discord.js speaks, with
 * Discord's rules, limits and refusals, and with its failures when they are armed.
 */
export async function startDiscord(options: DiscordOptions = {}): Promise<DiscordPeer> {
  const state = createState();
  const faults = createFaults();
  const traffic = createTrafficCount();
  const requests: MutableRequest[] = [];
  const limits = createLimits({
    perSecond: options.perSecond ?? 50,
    ...(options.limits === undefined ? {} : { routes: options.limits }),
  });
  let latencyMs = options.latencyMs ?? 0;

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (response.headersSent || response.destroyed) return;
      send(response, 500, { message: `The local Discord broke: ${String(error)}`, code: 0 }, {});
    });
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, "127.0.0.1", resolve));
  const address = server.address();
  const host = `127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  const url = `http://${host}`;
  const gatewayUrl = `ws://${host}`;
  const gateway = createGateway(server, state, gatewayUrl, {
    heartbeatMs: 41_250,
    sessionStarts: 1000,
    maxConcurrency: 1,
    privilegedIntents: 0,
    guildsPerShard: 2500,
    ...options.gateway,
  });
  const interactions = createInteractions({
    state,
    gateway,
    url,
    deadlineMs: options.deadlineMs ?? 3000,
    tokenLifetimeMs: options.tokenLifetimeMs ?? 900_000,
  });
  const routes = createRoutes({
    state,
    gateway,
    interactions,
    url,
    gatewayUrl,
    shards: () => options.shards ?? 1,
    nonceMs: options.nonceMs ?? 300_000,
    maxActiveThreads: options.maxActiveThreads ?? 1000,
    onSend: traffic.send,
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const bytes = await readAll(request);
    const at = state.now();
    const target = new URL(request.url ?? "/", url);
    const file = state.files.get(target.pathname);
    if (file !== undefined) {
      response.writeHead(200, { "content-type": file.type }).end(file.bytes);
      return;
    }
    const method = request.method ?? "GET";
    const path = `${target.pathname.replace(/^\/api\/v\d+/, "")}${target.search}`;
    const logged: MutableRequest = { method, path, body: undefined, at, status: null };
    requests.push(logged);
    traffic.request(at);
    const answered = (status: number, body: object | undefined, headers: Headers) => {
      logged.status = status;
      traffic.answer(status);
      send(response, status, body, headers);
    };
    const struck = faults.next(method, path);
    const isAfter = struck !== null && "after" in struck.how && struck.how.after === true;
    if (struck !== null && !isAfter && !(await suffer(struck, response, answered))) return;
    const outcome = await carryOut(request, target, bytes, logged);
    if (isAfter && !(await suffer(struck, response, answered))) return;
    if (latencyMs > 0) await wait(latencyMs);
    answered(outcome.status, outcome.body, outcome.headers);
  }

  async function carryOut(
    request: IncomingMessage,
    target: URL,
    bytes: Uint8Array,
    logged: MutableRequest,
  ): Promise<RouteAnswer & { readonly headers: Headers }> {
    let headers: Headers = {};
    try {
      const { route, params } = findRoute(routes, logged.method, target);
      const isOurs = request.headers.authorization === `Bot ${state.token}`;
      if (!route.isOpen && !isOurs) throw unauthorized();
      const { at } = logged;
      const major = majorOf(params);
      const counted = limits.count({ at, route: route.name, major, isGlobal: !route.isOpen });
      headers = counted.headers;
      if (counted.refusal !== null) return limited(counted.refusal, headers);
      const { body, files } = await parseBody(request.headers["content-type"] ?? "", bytes);
      logged.body = body;
      return { ...route.answer({ params, query: target.searchParams, body, files }), headers };
    } catch (error) {
      if (!(error instanceof DiscordError)) throw error;
      return { status: error.status, body: error.body, headers };
    }
  }

  const needGuild = (id: string): Guild => found(state.guilds.get(id), `guild ${id}`);
  const needChannel = (id: string): Channel => found(state.channels.get(id), `channel ${id}`);
  const needThread = (id: string) => {
    const channel = needChannel(id);
    return { channel, thread: found(channel.thread ?? undefined, `thread ${id}`) };
  };
  const tell = (event: string, guild: Guild | null, data: object) =>
    gateway.dispatch(event, data, { guild, intents: guild === null ? 0 : INTENT.guilds });

  function addUser({ name = `person-${state.users.size}`, locale = "en-US", isOpen = true }: NewUser = {}) {
    const user: User = { id: state.nextId(), name, isBot: false, locale, isOpen };
    state.users.set(user.id, user);
    return user;
  }

  function join(
    guild: Guild,
    user: User,
    roles: readonly string[],
    permissions: readonly Permission[],
  ): void {
    const own = permissions.length === 0 ? [] : [addRole(guild, user.name, permissions)];
    guild.members.set(user.id, { user, roles: new Set([...roles, ...own]), joinedAt: state.now() });
  }

  function addRole(guild: Guild, name: string, permissions: readonly Permission[]): string {
    const role = {
      id: state.nextId(),
      name,
      position: guild.roles.size,
      permissions: permissionBits(permissions),
    };
    guild.roles.set(role.id, role);
    if (isBotIn(guild)) tell("GUILD_ROLE_CREATE", guild, { guild_id: guild.id, role: showRole(role) });
    return role.id;
  }

  const isBotIn = (guild: Guild) => guild.members.has(state.bot.id);

  function addChannel(guild: Guild, given: Parameters<typeof createChannel>[2]): Channel {
    const channel = createChannel(state, guild, given);
    const event = channel.thread === null ? "CHANNEL_CREATE" : "THREAD_CREATE";
    if (isBotIn(guild)) tell(event, guild, showChannel(channel));
    return channel;
  }

  function changed(channel: Channel): void {
    const event = channel.thread === null ? "CHANNEL_UPDATE" : "THREAD_UPDATE";
    if (channel.guild !== null && isBotIn(channel.guild)) tell(event, channel.guild, showChannel(channel));
  }

  return {
    ...createPeople({ state, interactions }),
    apiUrl: `${url}/api`,
    applicationId: state.bot.id,
    token: () => state.token,
    requests,
    traffic: traffic.read,
    gateway,
    addGuild({ name = "A lab", locale = "en-US", isBotThere = true, botPermissions = [], permissions } = {}) {
      const owner = addUser({ name: `owner-of-${state.guilds.size}` });
      const id = state.nextGuildId();
      const everyone = permissionBits(permissions ?? USUAL_PERMISSIONS);
      const guild: Guild = {
        id,
        name,
        ownerId: owner.id,
        locale,
        roles: new Map([[id, { id, name: "@everyone", position: 0, permissions: everyone }]]),
        members: new Map(),
        channels: new Map(),
        isAvailable: true,
        activeThreads: 0,
        systemChannelId: null,
      };
      state.guilds.set(id, guild);
      join(guild, owner, [], []);
      if (isBotThere) {
        join(guild, state.bot, [], botPermissions);
        tell("GUILD_CREATE", guild, showJoinedGuild(state, guild));
      }
      return { id, ownerId: owner.id };
    },
    addRole: (guildId, { name, permissions }) => addRole(needGuild(guildId), name, permissions),
    setRolePermissions(guildId, roleId, permissions) {
      const guild = needGuild(guildId);
      const role = found(guild.roles.get(roleId), `role ${roleId}`);
      role.permissions = permissionBits(permissions);
      if (isBotIn(guild)) tell("GUILD_ROLE_UPDATE", guild, { guild_id: guildId, role: showRole(role) });
    },
    addUser: (user) => addUser(user).id,
    addMember(guildId, { id, roles = [], permissions = [], ...person } = {}) {
      const user = id === undefined ? addUser(person) : found(state.users.get(id), `user ${id}`);
      join(needGuild(guildId), user, roles, permissions);
      return user.id;
    },
    addChannel(guildId, { name = "papers", type = "text", topic, tags = [], needsTag = false } = {}) {
      const made = tags.map((tag) => ({ id: state.nextId(), name: tag }));
      const flags = needsTag ? 1 << 4 : 0;
      return addChannel(needGuild(guildId), {
        type: CHANNEL[type],
        name,
        topic: topic ?? null,
        tags: made,
        flags,
      }).id;
    },
    addThread(channelId, { name = "a thread", archived = false, locked = false, ownerId } = {}) {
      const parent = needChannel(channelId);
      const guild = found(parent.guild ?? undefined, `guild of ${channelId}`);
      const at = state.now();
      const isAnnouncement = parent.type === CHANNEL.announcement;
      const channel = addChannel(guild, {
        type: isAnnouncement ? CHANNEL.announcementThread : CHANNEL.publicThread,
        name,
        parent,
        thread: {
          ownerId: ownerId ?? guild.ownerId,
          createdAt: at,
          archived: false,
          locked,
          archiveChangedAt: at,
          autoArchiveMinutes: 4320,
          appliedTags: [],
        },
      });
      if (archived) {
        setArchived(state, channel, true);
        changed(channel);
      }
      return channel.id;
    },
    directMessages: (userId) =>
      directMessagesWith(state, found(state.users.get(userId), `user ${userId}`)).id,
    addGroup(userIds) {
      const recipients = userIds.map((id) => found(state.users.get(id), `user ${id}`));
      return createChannel(state, null, { type: CHANNEL.groupMessages, name: "a group", recipients }).id;
    },
    setOverwrite(channelId, targetId, { allow = [], deny = [] }) {
      const channel = needChannel(channelId);
      const type = channel.guild?.roles.has(targetId) === true ? 0 : 1;
      channel.overwrites.set(targetId, { type, allow: permissionBits(allow), deny: permissionBits(deny) });
      changed(channel);
    },
    setSystemChannel(guildId, channelId) {
      needGuild(guildId).systemChannelId = channelId;
    },
    deleteChannel(channelId) {
      const channel = needChannel(channelId);
      const { guild } = channel;
      for (const thread of guild?.channels.values() ?? []) {
        if (thread.parent === channel) removeChannel(state, thread);
      }
      removeChannel(state, channel);
      if (guild === null || !isBotIn(guild)) return;
      tell(channel.thread === null ? "CHANNEL_DELETE" : "THREAD_DELETE", guild, showChannel(channel));
    },
    archiveThread(threadId, archived = true) {
      const { channel } = needThread(threadId);
      setArchived(state, channel, archived);
      changed(channel);
    },
    lockThread(threadId, locked = true) {
      const { channel, thread } = needThread(threadId);
      thread.locked = locked;
      changed(channel);
    },
    kickBot(guildId) {
      const guild = needGuild(guildId);
      guild.members.delete(state.bot.id);
      tell("GUILD_DELETE", guild, { id: guildId });
    },
    inviteBot(guildId, permissions = []) {
      const guild = needGuild(guildId);
      join(guild, state.bot, [], permissions);
      tell("GUILD_CREATE", guild, showJoinedGuild(state, guild));
    },
    say(who, channelId, content) {
      const channel = needChannel(channelId);
      const user = found(state.users.get(who), `user ${who}`);
      const message = composeMessage(state, channel, user, { content }, new Map(), url);
      channel.messages.set(message.id, message);
      channel.lastMessageId = message.id;
      const data = channel.guild === null ? message : { ...message, guild_id: channel.guild.id };
      gateway.dispatch("MESSAGE_CREATE", data, {
        guild: channel.guild,
        intents: messageIntent(channel.type),
      });
      return structuredClone(message);
    },
    deleteMessage(channelId, messageId) {
      const channel = needChannel(channelId);
      channel.messages.delete(messageId);
      channel.ephemerals.delete(messageId);
    },
    channel(channelId) {
      const channel = state.channels.get(channelId);
      return channel === undefined ? null : showChannel(channel);
    },
    threads(channelId) {
      const parent = needChannel(channelId);
      const all = [...(parent.guild?.channels.values() ?? [])];
      return all.filter((channel) => channel.parent === parent).map(showChannel);
    },
    tags: (channelId) => Object.fromEntries(needChannel(channelId).tags.map(({ id, name }) => [name, id])),
    textOf: (message) => (message === null ? "" : messageText(message)),
    commands: (guildId = "") => state.commands.get(guildId) ?? [],
    fail: faults.arm,
    setLatency(ms) {
      latencyMs = ms;
    },
    advance: state.advance,
    outage(guildId, isDown) {
      const guild = needGuild(guildId);
      guild.isAvailable = !isDown;
      if (isDown) tell("GUILD_DELETE", guild, { id: guildId, unavailable: true });
      else tell("GUILD_CREATE", guild, showJoinedGuild(state, guild));
    },
    dropSockets: gateway.dropSockets,
    repeatOnResume: gateway.repeatOnResume,
    closeSockets: gateway.closeSockets,
    requestReconnect: gateway.requestReconnect,
    invalidateSessions: gateway.invalidateSessions,
    revokeToken() {
      state.token = createToken(state.bot.id);
      gateway.closeSockets(4004);
      return state.token;
    },
    setInteractionsEndpoint(endpoint) {
      state.interactionsEndpointUrl = endpoint;
    },
    async close() {
      faults.releaseAll();
      interactions.close();
      gateway.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

type MutableRequest = {
  readonly method: string;
  readonly path: string;
  readonly at: number;
  body: unknown;
  status: number | null;
};
type Headers = Readonly<Record<string, string>>;

function found<T>(thing: T | undefined, name: string): T {
  if (thing === undefined) throw new Error(`There is no ${name} in the local Discord.`);
  return thing;
}

/** Returns whether the request goes its usual way after all. */
async function suffer(
  { how, released }: Struck,
  response: ServerResponse,
  answer: (status: number, body: object | undefined, headers: Headers) => void,
): Promise<boolean> {
  switch (how.kind) {
    case "status":
      answer(how.status, { message: `${how.status}: Armed by the test`, code: 0 }, {});
      return false;
    case "reset":
      response.socket?.resetAndDestroy();
      return false;
    case "hang":
      await released;
      return !response.destroyed;
    case "slow":
      await wait(how.ms);
      return true;
    case "unauthorized": {
      const { status, body } = unauthorized();
      answer(status, body, {});
      return false;
    }
    case "forbidden": {
      const { code } = how;
      const body: ErrorBody = isErrorCode(code) ? discordError(code).body : { message: "Forbidden", code };
      answer(403, body, {});
      return false;
    }
    default: {
      const { status, body, headers } = limited(how, {});
      answer(status, body, headers);
      return false;
    }
  }
}

/** https://docs.discord.com/developers/topics/rate-limits#exceeding-a-rate-limit */
function limited(
  { scope, retryAfterMs }: RateLimited,
  headers: Headers,
): { readonly status: number; readonly body: object; readonly headers: Headers } {
  const isGlobal = scope === "global";
  const retryAfter = Math.max(0.001, Math.ceil(retryAfterMs) / 1000);
  return {
    status: 429,
    body: { message: "You are being rate limited.", retry_after: retryAfter, global: isGlobal },
    headers: {
      ...headers,
      "retry-after": String(Math.ceil(retryAfter)),
      "x-ratelimit-scope": scope,
      ...(isGlobal ? { "x-ratelimit-global": "true" } : {}),
    },
  };
}

function findRoute(
  routes: readonly Route[],
  method: string,
  target: URL,
): { readonly route: Route; readonly params: Readonly<Record<string, string>> } {
  const [, version, path = ""] = /^\/api(?:\/v(\d+))?(\/.*)$/.exec(target.pathname) ?? [];
  if (path === "") throw notFound();
  if (version !== "9" && version !== "10") throw discordError(50041);
  let isKnown = false;
  for (const route of routes) {
    const match = route.pattern.exec(path);
    if (match === null) continue;
    isKnown = true;
    if (route.method !== method) continue;
    const groups = Object.entries(match.groups ?? {});
    const params = Object.fromEntries(groups.map(([key, value]) => [key, decodeURIComponent(value)]));
    return { route, params };
  }
  if (isKnown) throw new DiscordError(405, { message: "405: Method Not Allowed", code: 0 });
  throw notFound();
}

/** https://docs.discord.com/developers/topics/rate-limits: channels, guilds and webhooks have buckets of their own. */
function majorOf(params: Readonly<Record<string, string>>): string {
  const { channel, guild, webhook, interaction, token } = params;
  return [channel ?? guild ?? webhook ?? interaction ?? "", token ?? ""].join(":");
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(Buffer.from(part));
  return Buffer.concat(parts);
}

/** JSON, or a form with `payload_json` and `files[n]`: https://docs.discord.com/developers/reference#uploading-files */
async function parseBody(
  type: string,
  bytes: Uint8Array,
): Promise<{ readonly body: unknown; readonly files: Files }> {
  const files = new Map<string, UploadedFile>();
  if (bytes.byteLength === 0) return { body: undefined, files };
  if (type.startsWith("application/json")) return { body: parseJson(new TextDecoder().decode(bytes)), files };
  if (!type.startsWith("multipart/form-data")) throw discordError(50109);
  const form = await new Response(bytes.slice(), { headers: { "content-type": type } })
    .formData()
    .catch(() => {
      throw discordError(50109);
    });
  for (const [key, value] of form) {
    const number = /^files\[(\d+)\]$/.exec(key)?.[1];
    if (number === undefined || typeof value === "string") continue;
    const content = new Uint8Array(await value.arrayBuffer());
    files.set(number, { name: value.name, type: value.type || "application/octet-stream", bytes: content });
  }
  const payload = form.get("payload_json");
  return { body: typeof payload === "string" ? parseJson(payload) : {}, files };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw discordError(50109);
  }
}

/** A 204 carries no content-type. */
function send(response: ServerResponse, status: number, body: object | undefined, headers: Headers): void {
  if (response.destroyed) return;
  if (body === undefined) response.writeHead(status, headers).end();
  else
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}
