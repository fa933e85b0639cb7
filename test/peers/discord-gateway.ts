import { randomBytes } from "node:crypto";
import type { IncomingMessage, Server } from "node:http";
import { constants, createDeflate, deflateSync, type Deflate } from "node:zlib";
import { type RawData, type WebSocket, WebSocketServer } from "ws";
import { CHANNEL, createToken, showJoinedGuild, showUser, type Guild, type State } from "./discord-state.ts";

export type Gateway = {
  /** For whom a guild is served, by its shard; without a guild the first shard. `intents`: any of these is needed. */
  dispatch(event: string, data: object, to: { readonly guild: Guild | null; readonly intents: number }): void;
  /** Op 7 to every session. */
  requestReconnect(): void;
  /** Op 9 to every session. */
  invalidateSessions(resumable: boolean): void;
  /** The connections break without a close frame. */
  dropSockets(): void;
  /** At each RESUME from now on, so many events are told again that had come. */
  repeatOnResume(events: number): void;
  closeSockets(code: number): void;
  /** All IDENTIFYs that were taken, in order. */
  readonly identifies: readonly Identify[];
  readonly resumes: () => number;
  readonly sockets: () => number;
  /** What `/gateway/bot` says of IDENTIFYs. */
  sessionStartLimit(): object;
  close(): void;
};
export type Identify = {
  readonly intents: number;
  readonly shard: readonly [number, number];
  readonly at: number;
};

export type GatewayOptions = {
  readonly heartbeatMs: number;
  /** IDENTIFYs that are left of 1,000 a day. */
  readonly sessionStarts: number;
  readonly maxConcurrency: number;
  /** Privileged intents that the application may ask for. */
  readonly privilegedIntents: number;
  /** Above it a session is refused: https://docs.discord.com/developers/events/gateway#sharding */
  readonly guildsPerShard: number;
};

export const INTENT = {
  guilds: 1 << 0,
  members: 1 << 1,
  presences: 1 << 8,
  guildMessages: 1 << 9,
  directMessages: 1 << 12,
  content: 1 << 15,
} as const;
const PRIVILEGED = INTENT.members | INTENT.presences | INTENT.content;
/** https://docs.discord.com/developers/events/gateway#list-of-intents */
const KNOWN_INTENTS = ((1 << 17) - 1) | (1 << 20) | (1 << 21) | (1 << 24) | (1 << 25);

const OP = {
  dispatch: 0,
  heartbeat: 1,
  identify: 2,
  presence: 3,
  voice: 4,
  resume: 6,
  reconnect: 7,
  members: 8,
  invalidSession: 9,
  hello: 10,
  ack: 11,
} as const;
const CLOSE = {
  unknownOpcode: 4001,
  decodeError: 4002,
  notAuthenticated: 4003,
  authenticationFailed: 4004,
  alreadyAuthenticated: 4005,
  invalidSeq: 4007,
  rateLimited: 4008,
  invalidShard: 4010,
  shardingRequired: 4011,
  invalidVersion: 4012,
  invalidIntents: 4013,
  disallowedIntents: 4014,
} as const;
/** Events that a session keeps for its RESUME. */
const MAX_REPLAY = 2000;
/** Commands a minute and connection: https://docs.discord.com/developers/events/gateway#rate-limiting */
const MAX_COMMANDS = 120;
const MAX_BYTES = 4096;

/** Discord's gateway, version 10 as JSON, on the same socket as its API. */
export function createGateway(server: Server, state: State, url: string, options: GatewayOptions): Gateway {
  const sockets = new WebSocketServer({ server });
  const sessions = new Map<string, Session>();
  const identifies: Identify[] = [];
  let resumes = 0;
  let repeated = 0;
  let startsLeft = options.sessionStarts;
  sockets.on("connection", connect);

  function connect(socket: WebSocket, request: IncomingMessage): void {
    const query = new URL(request.url ?? "/", url).searchParams;
    const isZlib = query.get("compress") === "zlib-stream";
    const connection: Connection = {
      socket,
      stream: isZlib ? openStream(socket) : null,
      isCompressed: false,
      session: null,
      commands: [],
    };
    socket.on("error", () => socket.terminate());
    socket.on("close", () => {
      if (connection.session?.connection === connection) connection.session.connection = null;
    });
    if (!["9", "10"].includes(query.get("v") ?? "10") || (query.get("encoding") ?? "json") !== "json") {
      socket.close(CLOSE.invalidVersion);
      return;
    }
    socket.on("message", (data) => {
      const code = receive(connection, data);
      if (code !== null) socket.close(code);
    });
    answer(connection, OP.hello, { heartbeat_interval: options.heartbeatMs });
  }

  /** The code to close with, or null. */
  function receive(connection: Connection, data: RawData): number | null {
    const at = state.now();
    connection.commands = [...connection.commands.filter((each) => each > at - 60_000), at];
    const text = String(data);
    if (connection.commands.length > MAX_COMMANDS) return CLOSE.rateLimited;
    const payload = text.length > MAX_BYTES ? null : parse(text);
    if (payload === null) return CLOSE.decodeError;
    if (payload.op === OP.heartbeat) return answer(connection, OP.ack, null);
    if (payload.op === OP.identify) return identify(connection, payload.d);
    if (payload.op === OP.resume) return resume(connection, payload.d);
    if (connection.session === null) return CLOSE.notAuthenticated;
    const others: readonly unknown[] = [OP.presence, OP.voice, OP.members];
    return others.includes(payload.op) ? null : CLOSE.unknownOpcode;
  }

  function identify(connection: Connection, d: Fields): number | null {
    if (connection.session !== null) return CLOSE.alreadyAuthenticated;
    if (bareToken(d.token) !== state.token) return CLOSE.authenticationFailed;
    if (typeof d.properties !== "object" || d.properties === null) return CLOSE.decodeError;
    const { intents } = d;
    if (typeof intents !== "number" || (intents & ~KNOWN_INTENTS) !== 0) {
      return CLOSE.invalidIntents;
    }
    if ((intents & PRIVILEGED & ~options.privilegedIntents) !== 0) {
      return CLOSE.disallowedIntents;
    }
    const shard = readShard(d.shard);
    if (shard === null) return CLOSE.invalidShard;
    const guilds = joinedGuilds().filter((guild) => isOfShard(guild, shard));
    if (guilds.length > options.guildsPerShard) return CLOSE.shardingRequired;
    if (startsLeft === 0) {
      // "all active sessions for the app will be terminated, the bot token will be reset":
      // https://docs.discord.com/developers/events/gateway#session-start-limit-object
      state.token = createToken(state.bot.id);
      for (const session of sessions.values()) session.connection?.socket.close(CLOSE.authenticationFailed);
      sessions.clear();
      return CLOSE.authenticationFailed;
    }
    startsLeft -= 1;
    identifies.push({ intents, shard, at: state.now() });
    connection.isCompressed = d.compress === true && connection.stream === null;
    const id = randomBytes(16).toString("hex");
    const session: Session = { id, shard, intents, seq: 0, replay: [], connection };
    connection.session = session;
    sessions.set(id, session);
    push(session, "READY", {
      v: 10,
      user: { ...showUser(state.bot), verified: true, mfa_enabled: true, email: null, flags: 0 },
      guilds: guilds.map((guild) => ({ id: guild.id, unavailable: true })),
      session_id: id,
      session_type: "normal",
      resume_gateway_url: url,
      shard,
      application: { id: state.bot.id, flags: 0 },
      private_channels: [],
      relationships: [],
      presences: [],
      geo_ordered_rtc_regions: [],
      _trace: [],
    });
    for (const guild of guilds) {
      if (guild.isAvailable && (intents & INTENT.guilds) !== 0)
        push(session, "GUILD_CREATE", showJoinedGuild(state, guild));
    }
    return null;
  }

  function resume(connection: Connection, d: Fields): number | null {
    if (connection.session !== null) return CLOSE.alreadyAuthenticated;
    if (bareToken(d.token) !== state.token) return CLOSE.authenticationFailed;
    const session = typeof d.session_id === "string" ? sessions.get(d.session_id) : undefined;
    const oldest = session?.replay[0]?.seq ?? (session?.seq ?? 0) + 1;
    const { seq } = d;
    if (session === undefined || typeof seq !== "number" || seq < oldest - 1) {
      return answer(connection, OP.invalidSession, false);
    }
    if (seq > session.seq) return CLOSE.invalidSeq;
    session.connection?.socket.terminate();
    session.connection = connection;
    connection.session = session;
    resumes += 1;
    for (const { seq: at, text } of session.replay) if (at > seq - repeated) writeText(connection, text);
    push(session, "RESUMED", { _trace: [] });
    return null;
  }

  function push(session: Session, event: string, data: object): void {
    session.seq += 1;
    const text = JSON.stringify({ t: event, s: session.seq, op: OP.dispatch, d: data });
    session.replay.push({ seq: session.seq, text });
    // The list is cut by half at a time, so that an event costs the same however many came before.
    if (session.replay.length > 2 * MAX_REPLAY) session.replay.splice(0, MAX_REPLAY);
    if (session.connection !== null) writeText(session.connection, text);
  }

  function joinedGuilds(): Guild[] {
    return [...state.guilds.values()].filter((guild) => guild.members.has(state.bot.id));
  }

  function toAll(each: (connection: Connection, session: Session) => void): void {
    for (const session of sessions.values())
      if (session.connection !== null) each(session.connection, session);
  }

  return {
    dispatch(event, data, { guild, intents }) {
      for (const session of sessions.values()) {
        if (intents !== 0 && (session.intents & intents) === 0) continue;
        if (isOfShard(guild, session.shard)) push(session, event, data);
      }
    },
    requestReconnect() {
      toAll((connection) => answer(connection, OP.reconnect, null));
    },
    invalidateSessions(resumable) {
      toAll((connection, session) => {
        if (!resumable) sessions.delete(session.id);
        // It may RESUME on this very connection.
        session.connection = null;
        connection.session = null;
        answer(connection, OP.invalidSession, resumable);
      });
    },
    dropSockets() {
      for (const socket of sockets.clients) socket.terminate();
    },
    repeatOnResume(events) {
      repeated = events;
    },
    closeSockets(code) {
      if (code === CLOSE.authenticationFailed) sessions.clear();
      for (const socket of sockets.clients) socket.close(code);
    },
    identifies,
    resumes: () => resumes,
    sockets: () => [...sockets.clients].filter(({ readyState, OPEN }) => readyState === OPEN).length,
    sessionStartLimit() {
      return {
        total: 1000,
        remaining: startsLeft,
        reset_after: 86_400_000,
        max_concurrency: options.maxConcurrency,
      };
    },
    close() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    },
  };
}

type Session = {
  readonly id: string;
  readonly shard: readonly [number, number];
  readonly intents: number;
  seq: number;
  readonly replay: { readonly seq: number; readonly text: string }[];
  connection: Connection | null;
};
type Connection = {
  readonly socket: WebSocket;
  /** With `compress=zlib-stream` in the address. */
  readonly stream: Deflate | null;
  /** With `compress` in IDENTIFY. */
  isCompressed: boolean;
  session: Session | null;
  /** Instants of the last minute's. */
  commands: number[];
};
type Fields = {
  readonly [field in
    | "op"
    | "token"
    | "properties"
    | "intents"
    | "shard"
    | "compress"
    | "session_id"
    | "seq"]?: unknown;
};

/** The events of a channel, by intent: https://docs.discord.com/developers/events/gateway#list-of-intents */
export function messageIntent(channelType: number): number {
  return channelType === CHANNEL.directMessages ? INTENT.directMessages : INTENT.guildMessages;
}

function parse(text: string): { readonly op: unknown; readonly d: Fields } | null {
  try {
    const payload: unknown = JSON.parse(text);
    if (typeof payload !== "object" || payload === null || !("op" in payload)) return null;
    const d = "d" in payload ? payload.d : null;
    return { op: payload.op, d: typeof d === "object" && d !== null ? d : {} };
  } catch {
    return null;
  }
}

function answer(connection: Connection, op: number, d: unknown): null {
  writeText(connection, JSON.stringify({ op, d, s: null, t: null }));
  return null;
}

function writeText({ socket, stream, isCompressed }: Connection, text: string): void {
  if (stream !== null) {
    stream.write(text);
    stream.flush(constants.Z_SYNC_FLUSH);
  } else socket.send(isCompressed ? deflateSync(text) : text);
}

/** One zlib stream over the whole connection, flushed at each payload. */
function openStream(socket: WebSocket): Deflate {
  const stream = createDeflate();
  let parts: Buffer[] = [];
  stream.on("data", (part: Buffer) => {
    parts.push(part);
    if (!part.subarray(-4).equals(SYNC)) return;
    socket.send(Buffer.concat(parts));
    parts = [];
  });
  return stream;
}
const SYNC = Buffer.from([0, 0, 0xff, 0xff]);

function bareToken(token: unknown): string {
  return String(token).replace(/^Bot /, "");
}

function readShard(shard: unknown): readonly [number, number] | null {
  if (shard === undefined || shard === null) return [0, 1];
  if (!Array.isArray(shard)) return null;
  const [id, count]: readonly unknown[] = shard;
  if (!isWhole(id) || !isWhole(count)) return null;
  return id >= 0 && id < count ? [id, count] : null;
}

function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value);
}

function isOfShard(guild: Guild | null, [id, count]: readonly [number, number]): boolean {
  return guild === null ? id === 0 : Number((BigInt(guild.id) >> 22n) % BigInt(count)) === id;
}
