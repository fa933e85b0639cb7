import { PermissionFlagsBits, type REST, Routes } from "discord.js";
import { z } from "zod";
import type { Check } from "../../core/bot.ts";
import type { ChannelKey, ChannelStore } from "../../core/channel.ts";
import type { Command } from "../../core/command.ts";
import { count } from "../../core/numbers.ts";
import { cutAtSentence, plainText } from "../../core/readable.ts";
import { DiscordError } from "./error.ts";
import { inviteLink, missingPermissions, permissionsIn } from "./permissions.ts";
import { readRegistration } from "./registration.ts";
import { DEVELOPER_PORTAL } from "./error.ts";
import { type Application, ask, readApplication } from "./rest.ts";

/** Each costs one to four requests. */
const MOST_CHANNELS = 30;
/** Session starts left; each start of the bot takes one a shard. */
const FEW_STARTS = 50;

export type DiscordExamination = {
  readonly checks: readonly Check[];
  /** The link by which an admin invites the bot; null while Discord does not say who it is. */
  readonly invite: string | null;
};

/**
 * Looks at all that must be right for Paperboy to work on Discord: the token, the application's settings, the gateway,
 * the registered commands, and what the bot may do in the channels that have a subscription (those whose digest comes
 * next, the rest is counted). It asks over HTTP alone: it opens no session, so it takes none of the day's starts.
 * What fails becomes a check.
 */
export async function examineDiscord(options: {
  readonly rest: REST;
  readonly commands: readonly Command[];
  readonly channels: Pick<ChannelStore, "subscribed">;
  readonly now: Date;
}): Promise<DiscordExamination> {
  const { rest, commands, channels, now } = options;
  let self: { readonly application: Application; readonly bot: Bot };
  try {
    // One after the other: when the first is refused, the second is not asked.
    const application = await readApplication(rest);
    self = { application, bot: await ask(rest, Routes.user(), USER) };
  } catch (cause) {
    const isRefused = cause instanceof DiscordError && cause.status === 401;
    return { checks: [failed(isRefused ? "token" : "connection", cause)], invite: null };
  }
  const { application, bot } = self;
  const checks = await Promise.all([
    [ok("token", `accepted for the bot ${named(bot.username)}`)],
    checkApplication(application),
    looked("gateway", () => checkGateway(rest)),
    [ok("intents", "Guilds alone, which is not privileged: there is nothing to switch on")],
    looked("commands", () => checkCommands({ rest, applicationId: application.id, commands })),
    looked("servers", () => checkServers(rest, application)),
    looked("channels", async () =>
      checkChannels(await channels.subscribed("discord", MOST_CHANNELS), { rest, bot, now }),
    ),
  ]);
  return { checks: checks.flat(), invite: inviteLink(application.id) };
}

const USER = z.object({ id: z.string(), username: z.string() });
type Bot = z.infer<typeof USER>;

function checkApplication(application: Application): readonly Check[] {
  const { id, name, bot_public: isPublic, interactions_endpoint_url: endpoint } = application;
  const page = (part: string) => `${DEVELOPER_PORTAL}/${id}/${part}`;
  const kinds = application.integration_types_config;
  const problems = [
    !endpoint
      ? null
      : error(
          "application",
          `Discord sends its commands to ${plainText(endpoint)}, so they never arrive here`,
          `empty “Interactions Endpoint URL” at ${page("information")}`,
        ),
    application.bot_require_code_grant
      ? error(
          "application",
          "nobody can invite it by a link while it requires a code grant",
          `switch “Requires OAuth2 Code Grant” off at ${page("bot")}`,
        )
      : null,
    kinds === undefined || "0" in kinds
      ? null
      : error("application", "no server can install it", `tick “Guild Install” at ${page("installation")}`),
    kinds === undefined || "1" in kinds
      ? null
      : warning(
          "application",
          "nobody can install it for themselves alone",
          `tick “User Install” at ${page("installation")}`,
        ),
  ].filter((check) => check !== null);
  const who = isPublic ? "public: whoever has the link can invite it" : "private: only you can invite it";
  return problems.length > 0 ? problems : [ok("application", `${named(name)}, ${who}`)];
}

const GATEWAY = z.object({
  shards: z.int(),
  session_start_limit: z.object({ total: z.int(), remaining: z.int(), reset_after: z.number() }),
});

async function checkGateway(rest: REST): Promise<readonly Check[]> {
  const { shards, session_start_limit: starts } = await ask(rest, Routes.gatewayBot(), GATEWAY);
  const left = `${starts.remaining.toLocaleString("en-US")} of ${starts.total.toLocaleString("en-US")} session starts left`;
  const detail = `${count(shards, "shard")}, ${left}`;
  if (starts.remaining >= FEW_STARTS) return [ok("gateway", detail)];
  const when = `${Math.max(1, Math.ceil(starts.reset_after / 3_600_000))} h`;
  return starts.remaining < shards
    ? [error("gateway", detail, `nothing can start for ${when}; find out what restarts so often`)]
    : [
        warning(
          "gateway",
          detail,
          `restart no more than you must for ${when}: without any, Discord resets the token`,
        ),
      ];
}

async function checkCommands(options: Parameters<typeof readRegistration>[0]): Promise<readonly Check[]> {
  const { state, others } = await readRegistration(options);
  const fix = "npx paperboy register";
  if (state === "missing")
    return [error("commands", "/papers is not registered, so nobody can type it", fix)];
  if (state === "different") return [warning("commands", "/papers is another version's", fix)];
  const beside =
    others.length === 0 ? "" : `, beside ${count(others.length, "command")} that are not Paperboy's`;
  return [ok("commands", `/papers is registered as it should be${beside}`)];
}

/** The most that one request tells: https://docs.discord.com/developers/resources/user#get-current-user-guilds */
const MOST_GUILDS = 200;

async function checkServers(rest: REST, application: Application): Promise<readonly Check[]> {
  const guilds = await ask(rest, Routes.userGuilds(), z.array(z.unknown()));
  if (guilds.length === 0) return [warning("servers", "in none yet", "invite it with the link below")];
  const about = Math.max(guilds.length, application.approximate_guild_count ?? 0);
  return [
    ok(
      "servers",
      guilds.length < MOST_GUILDS
        ? `in ${count(guilds.length, "server")}`
        : `in about ${count(about, "server")}`,
    ),
  ];
}

const BITS = z
  .string()
  .regex(/^\d{1,40}$/)
  .transform(BigInt);
const OVERWRITES = z.array(z.object({ id: z.string(), allow: BITS, deny: BITS })).default([]);
const CHANNEL = z.object({
  type: z.int(),
  name: z.string().nullish(),
  parent_id: z.string().nullish(),
  permission_overwrites: OVERWRITES,
  thread_metadata: z.object({ archived: z.boolean(), locked: z.boolean() }).optional(),
});
const GUILD = z.object({
  id: z.string(),
  name: z.string(),
  owner_id: z.string(),
  roles: z.array(z.object({ id: z.string(), permissions: BITS })),
});
const MEMBER = z.object({ roles: z.array(z.string()), communication_disabled_until: z.string().nullish() });

type Visit = {
  readonly rest: REST;
  readonly bot: Bot;
  readonly now: Date;
  /** The server of this id, asked about once; `left` where the bot is no member of it. */
  readonly home: (guildId: string) => Promise<Home | "left">;
};
/** A server, and the bot as its member. */
type Home = { readonly guild: z.infer<typeof GUILD>; readonly member: z.infer<typeof MEMBER> };

async function checkChannels(
  { channels, total }: Awaited<ReturnType<ChannelStore["subscribed"]>>,
  options: Omit<Visit, "home">,
): Promise<readonly Check[]> {
  if (total === 0) return [ok("channels", "none has a subscription yet: type /papers subscribe in one")];
  const visit = { ...options, home: rememberHomes(options) };
  const found = await Promise.all(channels.map((key) => checkChannel(key, visit)));
  const problems = found.filter((check) => check !== null);
  const bad = problems.filter(({ state }) => state === "error").length;
  const several = "channels with a subscription";
  const which = count(total, "channel with a subscription", several);
  const whose =
    channels.length < total ? `${which}, of which the next ${channels.length} were looked at` : which;
  const summary =
    bad === 0 ? ok("channels", whose) : error("channels", `${whose}: ${bad} cannot be posted to`, null);
  return [summary, ...problems];
}

function rememberHomes({ rest, bot }: Pick<Visit, "rest" | "bot">): Visit["home"] {
  const homes = new Map<string, Promise<Home | "left">>();
  const look = async (id: string): Promise<Home | "left"> => {
    try {
      return {
        guild: await ask(rest, Routes.guild(id), GUILD),
        member: await ask(rest, Routes.guildMember(id, bot.id), MEMBER),
      };
    } catch (cause) {
      const code = cause instanceof DiscordError ? cause.code : null;
      if (code !== null && [UNKNOWN_GUILD, UNKNOWN_MEMBER, MISSING_ACCESS].includes(code)) return "left";
      throw cause;
    }
  };
  return (id) => {
    const home = homes.get(id) ?? look(id);
    homes.set(id, home);
    return home;
  };
}

/** @returns what is wrong with a channel; null for nothing */
async function checkChannel(key: ChannelKey, visit: Visit): Promise<Check | null> {
  const { rest, home } = visit;
  let name = key.channel;
  try {
    // A direct message has neither a server nor permissions.
    const place = key.workspace === "" ? null : await home(key.workspace);
    if (place === "left") {
      return warning(
        "channel",
        `${name} is on a server that the bot has left`,
        "invite it again, or let it be",
      );
    }
    const where = place === null ? "" : ` on ${named(place.guild.name)}`;
    name += where;
    const channel = await ask(rest, Routes.channel(key.channel), CHANNEL);
    if (place === null) return null;
    if (channel.name) name = `#${named(channel.name)}${where}`;
    const above = channel.thread_metadata === undefined ? null : channel.parent_id;
    // A thread has no overwrites of its own.
    const { permission_overwrites: overwrites } = above
      ? await ask(rest, Routes.channel(above), CHANNEL)
      : channel;
    return checkPlace(name, { channel, overwrites, place, visit });
  } catch (cause) {
    const code = cause instanceof DiscordError ? cause.code : null;
    if (code === UNKNOWN_CHANNEL)
      return warning("channel", `${name} no longer exists`, "there is nothing to do");
    if (code === MISSING_ACCESS && key.workspace !== "") return lacking(name, ["View Channel"], visit.bot);
    const { detail, fix } = failed("channel", cause);
    return warning("channel", `${name} was not looked at: ${detail}`, fix);
  }
}

function checkPlace(
  name: string,
  {
    channel,
    overwrites,
    place: { guild, member },
    visit: { bot, now },
  }: {
    readonly channel: z.infer<typeof CHANNEL>;
    readonly overwrites: z.infer<typeof OVERWRITES>;
    readonly place: Home;
    readonly visit: Visit;
  },
): Check | null {
  const held = permissionsIn({
    guild: { id: guild.id, ownerId: guild.owner_id, roles: guild.roles },
    member: { id: bot.id, roles: member.roles },
    overwrites,
  });
  const missing = missingPermissions(channel.type, held);
  if (missing.length > 0) return lacking(name, missing, bot);
  const mayAll = (held & PermissionFlagsBits.Administrator) !== 0n;
  // https://docs.discord.com/developers/topics/permissions#permissions-for-timed-out-members
  const isTimedOut = Date.parse(member.communication_disabled_until ?? "") > now.getTime();
  if (isTimedOut && !mayAll) {
    return error("channel", `${name}: the bot is timed out there`, "let a moderator remove the time-out");
  }
  const { archived = false, locked = false } = channel.thread_metadata ?? {};
  if (archived && locked && (held & PermissionFlagsBits.ManageThreads) === 0n) {
    return error("channel", `${name} is closed and locked`, "reopen it, or subscribe another channel");
  }
  const wanting = missingPermissions(channel.type, held, "everything");
  return wanting.length === 0
    ? null
    : { ...lacking(name, wanting, bot, ", though digests arrive"), state: "warning" };
}

/** https://docs.discord.com/developers/topics/opcodes-and-status-codes#json */
const UNKNOWN_CHANNEL = 10_003;
const UNKNOWN_GUILD = 10_004;
const UNKNOWN_MEMBER = 10_007;
const MISSING_ACCESS = 50_001;

function lacking(name: string, missing: readonly string[], bot: Bot, rest = ""): Check {
  const list = new Intl.ListFormat("en-GB").format(missing);
  return error(
    "channel",
    `${name} lacks ${list}${rest}`,
    `Edit Channel > Permissions there: allow ${missing.length === 1 ? "it" : "them"} to ${named(bot.username)}`,
  );
}

/** Text from outside as part of a line. */
function named(text: string): string {
  return cutAtSentence(plainText(text), 40) || "(no name)";
}

/** What a look came to; where Discord did not answer, that is the check. */
async function looked(name: string, look: () => Promise<readonly Check[]>): Promise<readonly Check[]> {
  try {
    return await look();
  } catch (cause) {
    return [failed(name, cause)];
  }
}

function failed(name: string, cause: unknown): Check {
  if (!(cause instanceof DiscordError)) throw cause;
  return error(name, cause.detail, cause.fix);
}

function ok(name: string, detail: string): Check {
  return { platform: "discord", name, state: "ok", detail, fix: null };
}

function warning(name: string, detail: string, fix: string | null): Check {
  return { platform: "discord", name, state: "warning", detail, fix };
}

function error(name: string, detail: string, fix: string | null): Check {
  return { platform: "discord", name, state: "error", detail, fix };
}
