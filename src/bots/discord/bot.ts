import {
  Client,
  type ClientOptions,
  Events,
  GatewayCloseCodes,
  GatewayDispatchEvents,
  GatewayIntentBits,
  type Guild,
  Options,
  Partials,
  Status,
} from "discord.js";
import { z } from "zod";
import { type Bot, type BotEvent, PostError } from "../../core/bot.ts";
import type { ChannelStore } from "../../core/channel.ts";
import type { Desk } from "../../core/command.ts";
import type { FloodGuard } from "../../core/flood.ts";
import { count } from "../../core/numbers.ts";
import { DiscordError, refusedToken } from "./error.ts";
import { greet } from "./greeting.ts";
import { createInteractions } from "./interactions.ts";
import { createPosting } from "./posting.ts";
import { createSending, isUnauthorized, toPostError } from "./sending.ts";

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
  /** An answer that is ready by then is the first response itself, a later one follows an acknowledgement: 40 ms. */
  readonly acknowledgeAfterMs?: number;
  /** Of a request that posts: 15 s. */
  readonly timeoutMs?: number;
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

/**
 * Paperboy on Discord, over the gateway with the intent `Guilds` alone.
 * `start` throws DiscordError where it refuses the token; while Discord cannot be reached it goes on trying.
 */
export function createDiscordBot(options: DiscordBotOptions): DiscordBot {
  const { token, apiUrl, desk, channels, flood, clock, wait, acknowledgeAfterMs, timeoutMs } = options;
  const now = () => clock().getTime();
  const sending = createSending({ apiUrl, token, now: () => performance.now(), wait, report, timeoutMs });
  const post = createPosting({ sending, client: () => client, channels, now, report });
  const underWay = new Set<Promise<unknown>>();
  let client: Client<true> | null = null;
  /** The one that is connecting. */
  let coming: Client | null = null;
  let awaySince: number | null = null;
  let refusal: string | null = null;
  let stopping = false;
  let stopped: Promise<void> | null = null;

  /** What wants a person is said once until it is mended, however often and by whom it is found. */
  function report(event: BotEvent): void {
    if (event.kind === "refused" && event.detail === refusal) return;
    if (event.kind === "refused") refusal = event.detail;
    if (event.kind === "connected") refusal = null;
    options.report(event);
  }

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
      coming = fresh;
      try {
        const ready = readinessOf(fresh);
        listen(fresh);
        await fresh.login(token);
        const connected = await ready;
        await reconcile(connected).catch((error: unknown) =>
          report({ kind: "unexpected", what: "comparing servers", error }),
        );
        client = connected;
        awaySince = null;
        const servers = count(client.guilds.cache.size, "server");
        report({
          kind: "connected",
          detail: `${client.user.username} is connected to Discord, on ${servers}.`,
        });
        return;
      } catch (error) {
        await fresh.destroy().catch(() => {});
        if (isTokenRefused(error)) throw refusedToken(error);
        if (stopping) return;
        const reason = error instanceof Error ? error.message : String(error);
        report({
          kind: "trouble",
          detail: `Discord cannot be reached (${reason}); the next try is in ${ms / 1000} seconds.`,
        });
        await wait(ms);
      } finally {
        coming = null;
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
      const isToken = code === GatewayCloseCodes.AuthenticationFailed;
      const detail = isToken
        ? refusedToken(null).message
        : `Discord closed the gateway for good (code ${code}): run npx paperboy doctor.`;
      report({ kind: "refused", detail });
    });
    let interactions: ReturnType<typeof createInteractions> | null = null;
    fresh.on(Events.InteractionCreate, (interaction) => {
      if (!fresh.isReady() || stopping) return;
      interactions ??= createInteractions({
        client: fresh,
        sending,
        desk,
        flood,
        now,
        report,
        acknowledgeAfterMs,
      });
      void during(interactions.answer(interaction));
    });
    fresh.on(Events.GuildCreate, (guild) => guarded("joining a server", () => join(guild)));
    fresh.on(Events.GuildDelete, ({ id }) => guarded("leaving a server", () => leave(id)));
    // A session that begins anew knows nothing of what happened before it.
    fresh.ws.on(GatewayDispatchEvents.Ready, (data: unknown, shardId) =>
      forgetOthers(fresh, shardId, ReadyData.parse(data)),
    );
    fresh.on(Events.ShardReady, () => {
      if (fresh.isReady()) guarded("comparing servers", () => reconcile(fresh));
    });
  }

  async function join(guild: Guild): Promise<void> {
    report({ kind: "joined", workspace: guild.id });
    const isBack = await channels.join({ platform: "discord", workspace: guild.id });
    await greet(guild, sending, { isBack });
  }

  async function leave(workspace: string): Promise<void> {
    report({ kind: "left", workspace });
    await channels.leave({ platform: "discord", workspace }, clock().toISOString());
  }

  /** What happened while nobody listened: servers that it was removed from, or taken back to. */
  async function reconcile({ guilds }: Client<true>): Promise<void> {
    for (const workspace of await channels.workspaces("discord")) {
      if (!guilds.cache.has(workspace)) await leave(workspace);
    }
    for (const workspace of await channels.departed("discord")) {
      if (!guilds.cache.has(workspace)) continue;
      report({ kind: "joined", workspace });
      await channels.join({ platform: "discord", workspace });
    }
  }

  async function watch(): Promise<void> {
    while (!stopping) {
      await wait(WATCH_MS);
      try {
        await look();
      } catch (error) {
        report({ kind: "unexpected", what: "connecting again", error });
      }
    }
  }

  /** discord.js resumes and reconnects by itself; what it gives up on is begun anew. */
  async function look(): Promise<void> {
    if (client !== null) {
      const isThere = client.ws.shards.every((shard) => shard.status === Status.Ready);
      awaySince = isThere ? null : (awaySince ?? now());
    }
    if (stopping || awaySince === null || now() - awaySince < AWAY_MS) return;
    const gone = client;
    client = null;
    await gone?.destroy();
    try {
      await connect();
    } catch (error) {
      if (!(error instanceof DiscordError)) throw error;
      report({ kind: "refused", detail: error.message });
      // Later again: a token that was reset for a moment, or by mistake.
      awaySince = now();
    }
  }

  async function stop(): Promise<void> {
    stopping = true;
    await Promise.race([Promise.allSettled(underWay), wait(STOP_MS)]);
    sending.stop();
    await Promise.all([client?.destroy(), coming?.destroy()]);
    client = null;
  }

  return {
    platform: "discord",
    afterUncertain: "repeat",
    async start() {
      await connect();
      void watch();
    },
    async post(wanted) {
      if (stopping) throw new PostError("retry", "Paperboy is stopping.");
      try {
        return await during(post(wanted));
      } catch (error) {
        throw toPostError(error);
      }
    },
    stop() {
      stopped ??= stop();
      return stopped;
    },
    trouble: () =>
      sending.trouble() ?? (client === null || awaySince !== null ? "Discord is not connected." : null),
  };
}

/** Resolves once a client knows its servers; rejects where Discord ends its session before. */
function readinessOf(fresh: Client): Promise<Client<true>> {
  const ready = new Promise<Client<true>>((resolve, reject) => {
    fresh.once(Events.ClientReady, resolve);
    fresh.once(Events.ShardDisconnect, ({ code }) =>
      reject(new Error(`the gateway closed with code ${code}`)),
    );
  });
  // Nobody waits for it where the login fails.
  ready.catch(() => {});
  return ready;
}

/** discord.js keeps the servers of a session before, also those that it was removed from since. */
function forgetOthers({ guilds, channels }: Client, shardId: number, ready: z.infer<typeof ReadyData>): void {
  const listed = new Set(ready.guilds.map(({ id }) => id));
  for (const guild of guilds.cache.values()) {
    if (guild.shardId !== shardId || listed.has(guild.id)) continue;
    for (const id of guild.channels.cache.keys()) channels.cache.delete(id);
    guilds.cache.delete(guild.id);
  }
}

const ReadyData = z.object({ guilds: z.array(z.object({ id: z.string() })) });

/** Only what commands and posting need is kept in memory: servers, their channels and roles. */
function createClient(apiUrl: string): Client {
  const few = {
    maxSize: 200,
    keepOverLimit: ({ id, client }: { id: string; client: Client }) => id === client.user?.id,
  };
  const options: ClientOptions = {
    intents: [GatewayIntentBits.Guilds],
    // What comes from a thread or a direct message that was never told of names its channel itself.
    partials: [Partials.Channel],
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
