import { createHmac } from "node:crypto";
import { z } from "zod";
import type { Check } from "../../core/bot.ts";
import type { ChannelKey } from "../../core/channel.ts";
import {
  InstallationError,
  type InstallationKey,
  type Installations,
  type InstallationState,
} from "../../core/installation.ts";
import { count } from "../../core/numbers.ts";
import { cutAtSentence, plainText } from "../../core/readable.ts";
import { findInstallation, INSTALL_PATH } from "./installations.ts";
import { EVENTS_PATH, SCOPES } from "./manifest.ts";
import { SLACK_APPS, SlackError } from "./error.ts";
import { callSlack } from "./web-api.ts";

/** Each costs a request. */
const MOST_CHANNELS = 30;
const MOST_INSTALLATIONS = 20;
/** Of a request to this server's public address. */
const TIMEOUT_MS = 10_000;
/** What an answer from there may hold. */
const LONGEST_ANSWER = 10_000;

export type SlackExamination = {
  readonly checks: readonly Check[];
  /** Where workspaces install the app; null where one workspace's token is all, and without a public address. */
  readonly install: string | null;
};

type Options = {
  readonly slack: {
    readonly botToken: string | null;
    readonly appToken: string | null;
    readonly signingSecret: string | null;
    readonly clientId: string | null;
    readonly clientSecret: string | null;
    readonly apiUrl: string;
  };
  readonly installations: Pick<Installations, "find" | "list" | "organizationOf">;
  /** Up to `limit` channels that have a subscription, the next due first, and how many there are. */
  readonly subscribed: (
    limit: number,
  ) => Promise<{ readonly channels: readonly ChannelKey[]; readonly total: number }>;
  /** The public address of the running server, without a slash at the end; null where it is not to be looked at. */
  readonly url: string | null;
  readonly now: Date;
};

/**
 * Looks at all that must be right for Paperboy to work on Slack: the token or the installations with theirs, the scopes,
 * the way in which Slack reaches this server, and the channels that have a subscription, as far as Slack tells. It opens
 * no socket, refreshes no token and posts nothing. What fails becomes a check.
 * @param options.slack set up as `readConfig` lets it be; with a bot's token, or a client id and its secret
 */
export async function examineSlack(options: Options): Promise<SlackExamination> {
  const { slack, url, now } = options;
  const { checks, tokenOf } =
    slack.botToken === null ? await examineMany(options) : await examineOne(options, slack.botToken);
  const ways = await Promise.all([
    slack.appToken === null ? [] : looked("socket", () => checkSocket(slack.apiUrl, slack.appToken)),
    slack.signingSecret === null || slack.appToken !== null
      ? []
      : checkAddress(url, slack.signingSecret, now),
    slack.clientId === null ? [] : checkInstallPage(url),
    tokenOf === null ? [] : looked("channels", () => checkChannels(options, tokenOf)),
  ]);
  const install = slack.clientId === null || url === null ? null : `${url}${INSTALL_PATH}`;
  return { checks: [...checks, ...ways.flat()], install };
}

type Token = { readonly token: string; readonly scopes: readonly string[] };
/** The token by which to ask about a workspace's channels; otherwise why there is none. */
type TokenOf = (workspace: string) => Promise<Token | "none" | "unusable">;
/** `tokenOf` is null where there is none for any. */
type Access = { readonly checks: readonly Check[]; readonly tokenOf: TokenOf | null };

const IDENTITY = z.object({
  team_id: z.string(),
  team: z.string().default(""),
  user: z.string().default(""),
  bot_id: z.string(),
});

async function examineOne({ slack }: Options, botToken: string): Promise<Access> {
  const owner = { variable: "SLACK_BOT_TOKEN" };
  try {
    const caller = { apiUrl: slack.apiUrl, token: botToken, owner };
    const { answer, scopes } = await callSlack(caller, "auth.test", {}, IDENTITY);
    const token = { token: botToken, scopes: scopes ?? [] };
    return {
      checks: [
        ok("token", `accepted for the bot ${named(answer.user)} in ${named(answer.team)}`),
        ...checkScopes(scopes),
      ],
      tokenOf: async (workspace) => (workspace === answer.team_id ? token : "none"),
    };
  } catch (cause) {
    return { checks: [failed("token", cause)], tokenOf: null };
  }
}

function checkScopes(granted: readonly string[] | null): readonly Check[] {
  if (granted === null) return [warning("scopes", "Slack did not name them", "check SLACK_API_URL")];
  const missing = SCOPES.filter(({ name }) => !granted.includes(name));
  const needed = missing.filter(({ without }) => without === null);
  if (needed.length > 0) {
    return [
      error(
        "scopes",
        `${listed(needed)} missing, without which nothing works`,
        "paste `npx paperboy manifest` as the app's manifest and install it again",
      ),
    ];
  }
  if (missing.length === 0) return [ok("scopes", `all ${SCOPES.length} granted`)];
  const losses = [...new Set(missing.map(({ without }) => without))].join("; ");
  return [
    warning(
      "scopes",
      `${listed(missing)} not granted: ${losses}`,
      "let it be, or install the app again and grant more",
    ),
  ];
}

async function examineMany(options: Options): Promise<Access> {
  const { slack, installations, now } = options;
  const [credentials, states] = await Promise.all([
    looked("credentials", () => checkCredentials(slack)),
    installations.list(),
  ]);
  const look = rememberTokens(options);
  const seen = await Promise.all(
    states
      .filter(({ problem }) => problem === null)
      .slice(0, MOST_INSTALLATIONS)
      .map(async (state) => [state, await look(state)] as const),
  );
  const checks = [
    ...credentials,
    summarize(states, seen.length),
    ...states
      .filter(({ problem }) => problem !== null)
      .slice(0, MOST_INSTALLATIONS)
      .map(({ problem }) => failed("installation", new InstallationError(problem ?? ""))),
    ...seen.flatMap(([state, found]) => checkInstallation(state, found, now)),
  ];
  return {
    checks,
    async tokenOf(workspace) {
      const own = await look({ id: workspace, isOrg: false });
      const organization = own.kind === "none" ? await installations.organizationOf(workspace) : null;
      const found = organization === null ? own : await look({ id: organization, isOrg: true });
      if (found.kind === "none") return "none";
      return found.kind === "accepted" ? found : "unusable";
    },
  };
}

/** What came of an installation's token. */
type Found =
  | { readonly kind: "none" }
  | { readonly kind: "expired"; readonly at: Date }
  | { readonly kind: "failed"; readonly cause: unknown }
  | ({ readonly kind: "accepted" } & Token);

/** The token of an installation, asked about once. */
function rememberTokens({ slack, installations, now }: Options): (key: InstallationKey) => Promise<Found> {
  const known = new Map<string, Promise<Found>>();
  const look = async (key: InstallationKey): Promise<Found> => {
    try {
      const installation = await findInstallation(installations, key);
      if (installation === null) return { kind: "none" };
      const { token, expiresAt } = installation.bot;
      const at = new Date((expiresAt ?? 0) * 1000);
      // A refresh is the running server's alone: a refresh token can be used once.
      if (expiresAt !== undefined && at <= now) return { kind: "expired", at };
      const caller = { apiUrl: slack.apiUrl, token, owner: { workspace: key.id } };
      const { scopes } = await callSlack(caller, "auth.test", {}, z.object({}));
      return { kind: "accepted", token, scopes: scopes ?? installation.bot.scopes };
    } catch (cause) {
      return { kind: "failed", cause };
    }
  };
  return (key) => {
    const name = `${key.isOrg} ${key.id}`;
    const found = known.get(name) ?? look(key);
    known.set(name, found);
    return found;
  };
}

function summarize(states: readonly InstallationState[], seen: number): Check {
  if (states.length === 0) return warning("installations", "none yet", `open ${INSTALL_PATH} on your server`);
  const bad = states.filter(({ problem }) => problem !== null).length;
  const old = states.filter(({ problem, hasOldKey }) => problem === null && hasOldKey).length;
  const all = count(states.length, "installation");
  if (bad > 0) return error("installations", `${all}, of which ${bad} cannot be decrypted`, null);
  const rest = [
    old === 0 ? "" : `, ${old} still under an older key, which must stay in ENCRYPTION_KEY`,
    seen < states.length ? `; the tokens of ${seen} were tried` : "",
  ].join("");
  return ok("installations", `${all}, all can be decrypted${rest}`);
}

function checkInstallation(key: InstallationKey, found: Found, now: Date): readonly Check[] {
  if (found.kind === "none") return [];
  if (found.kind === "failed") return [failed("installation", found.cause)];
  if (found.kind === "expired") {
    const hours = Math.max(1, Math.round((now.getTime() - found.at.getTime()) / 3_600_000));
    return [
      warning(
        "installation",
        `the token of ${key.id} ran out ${hours} h ago`,
        "start Paperboy, which refreshes it when it is next used",
      ),
    ];
  }
  const wanting = checkScopes(found.scopes).filter(({ state }) => state !== "ok");
  return wanting.map((check) => ({ ...check, name: "installation", detail: `${key.id}: ${check.detail}` }));
}

/** Slack says of a made-up code that it is invalid only to whom it knows. */
async function checkCredentials({
  apiUrl,
  clientId,
  clientSecret,
}: Options["slack"]): Promise<readonly Check[]> {
  const caller = { apiUrl, token: null, owner: { variable: "SLACK_CLIENT_ID" } };
  const args = { client_id: clientId ?? "", client_secret: clientSecret ?? "", code: "paperboy-doctor" };
  const cause: unknown = await callSlack(caller, "oauth.v2.access", args, z.object({})).then(
    () => null,
    (error: unknown) => error,
  );
  const code = cause instanceof SlackError ? cause.code : null;
  if (cause === null || code === "invalid_code")
    return [ok("credentials", "the client id and secret are accepted")];
  const wrong = { invalid_client_id: "SLACK_CLIENT_ID", bad_client_secret: "SLACK_CLIENT_SECRET" }[
    code ?? ""
  ];
  if (wrong === undefined) throw cause;
  return [
    error(
      "credentials",
      `Slack knows no such ${wrong}`,
      `copy it from Basic Information of your app at ${SLACK_APPS}`,
    ),
  ];
}

/** Asks for the address of a socket, which is a ticket that nobody uses. */
async function checkSocket(apiUrl: string, token: string | null): Promise<readonly Check[]> {
  const caller = { apiUrl, token, owner: { variable: "SLACK_APP_TOKEN" } };
  await callSlack(caller, "apps.connections.open", {}, z.object({ url: z.string() }));
  return [ok("socket", "Slack lets one be opened, so it needs no public address")];
}

const NO_ADDRESS = "npx paperboy doctor --url https://<your address>";

/** Sends what Slack sends when the address is entered there, signed as Slack signs it. */
async function checkAddress(url: string | null, signingSecret: string, now: Date): Promise<readonly Check[]> {
  if (url === null) return [warning("address", "not looked at, since it is not known", NO_ADDRESS)];
  const challenge = "paperboy-doctor";
  const body = JSON.stringify({ type: "url_verification", challenge });
  const timestamp = String(Math.floor(now.getTime() / 1000));
  const signature = createHmac("sha256", signingSecret).update(`v0:${timestamp}:${body}`).digest("hex");
  const headers = {
    "content-type": "application/json",
    "x-slack-request-timestamp": timestamp,
    "x-slack-signature": `v0=${signature}`,
  };
  const { status, text } = await visit(`${url}${EVENTS_PATH}`, { method: "POST", headers, body });
  if (status === 200 && text.includes(challenge))
    return [ok("address", `${url}${EVENTS_PATH} answers, and knows Slack's signature`)];
  return [
    status === 401
      ? error(
          "address",
          `what answers at ${url} has another signing secret`,
          `copy SLACK_SIGNING_SECRET from Basic Information of your app at ${SLACK_APPS} for both`,
        )
      : unanswered("address", `${url}${EVENTS_PATH}`, status, text),
  ];
}

async function checkInstallPage(url: string | null): Promise<readonly Check[]> {
  if (url === null) return [warning("install", "not looked at, since its address is not known", NO_ADDRESS)];
  const { status, text } = await visit(`${url}${INSTALL_PATH}`, {});
  return [
    status === 200 && text.includes("/oauth/v2/authorize")
      ? ok("install", `${url}${INSTALL_PATH} leads to Slack`)
      : unanswered("install", `${url}${INSTALL_PATH}`, status, text),
  ];
}

function unanswered(name: string, url: string, status: number | null, text: string): Check {
  const what =
    status === null ? `cannot be reached (${text})` : `answers ${status}, and not as Paperboy does`;
  return error(name, `${url} ${what}`, "start Paperboy, and let the proxy before it pass /slack/ on");
}

/** @returns the status, null where nothing answered, and the text's beginning or why there is none */
async function visit(
  url: string,
  init: RequestInit,
): Promise<{ readonly status: number | null; readonly text: string }> {
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(url, { ...init, redirect: "manual", signal });
    let text = "";
    for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      if (text.length > LONGEST_ANSWER) break;
    }
    return { status: response.status, text };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const isLate = cause instanceof Error && cause.name === "TimeoutError";
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "the connection failed";
    return { status: null, text: isLate ? `no answer within ${TIMEOUT_MS / 1000} s` : code };
  }
}

const CHANNEL = z.object({
  channel: z.object({
    name: z.string().default(""),
    is_archived: z.boolean().default(false),
    is_private: z.boolean().default(false),
    is_member: z.boolean().default(false),
    is_im: z.boolean().default(false),
  }),
});
/** Any of them lets conversations.info tell of some channels. Paperboy asks for none of them. */
const READING = ["channels:read", "groups:read"];

async function checkChannels({ slack, subscribed }: Options, tokenOf: TokenOf): Promise<readonly Check[]> {
  const { channels, total } = await subscribed(MOST_CHANNELS);
  if (total === 0) return [ok("channels", "none has a subscription yet: type /papers subscribe in one")];
  const found = await Promise.all(channels.map((key) => checkChannel(key, slack.apiUrl, tokenOf)));
  const problems = found.filter((check) => check !== null && check !== "unknown");
  const unknown = found.filter((check) => check === "unknown").length;
  const bad = problems.filter(({ state }) => state === "error").length;
  const which = count(total, "channel with a subscription", "channels with a subscription");
  const whose =
    channels.length < total ? `${which}, of which the next ${channels.length} were looked at` : which;
  const silent =
    unknown === 0
      ? ""
      : `; of ${unknown} nothing is known: Slack tells only with ${READING.join(" or ")}, which Paperboy does not ask for`;
  const summary =
    bad === 0
      ? ok("channels", `${whose}${silent}`)
      : error("channels", `${whose}: ${bad} cannot be posted to${silent}`, null);
  return [summary, ...problems];
}

/** @returns what is wrong with a channel; null for nothing, `unknown` where Slack does not tell */
async function checkChannel(
  key: ChannelKey,
  apiUrl: string,
  tokenOf: TokenOf,
): Promise<Check | "unknown" | null> {
  const access = await tokenOf(key.workspace);
  if (access === "none") {
    return warning(
      "channel",
      `${key.channel} is in the workspace ${key.workspace}, which has not installed Paperboy`,
      "let an admin install it there, or let it be",
    );
  }
  if (access === "unusable" || !READING.some((scope) => access.scopes.includes(scope))) return "unknown";
  const caller = { apiUrl, token: access.token, owner: { workspace: key.workspace } };
  try {
    const { answer } = await callSlack(caller, "conversations.info", { channel: key.channel }, CHANNEL);
    const { name, is_archived, is_private, is_member, is_im } = answer.channel;
    const channel = name === "" ? key.channel : `#${named(name)}`;
    if (is_archived) return error("channel", `${channel} is archived`, "unarchive it, or let it be");
    const mayPost = is_member || is_im || (!is_private && access.scopes.includes("chat:write.public"));
    return mayPost ? null : error("channel", `${channel} lacks the bot`, `type /invite @Paperboy there`);
  } catch (cause) {
    const code = cause instanceof SlackError ? cause.code : null;
    if (code === "missing_scope") return "unknown";
    if (code === "channel_not_found") {
      return error(
        "channel",
        `${key.channel} is private and lacks the bot, or is gone`,
        "type /invite @Paperboy there, or let it be",
      );
    }
    return failed("channel", cause, `${key.channel} was not looked at: `);
  }
}

/** Text from outside as part of a line. */
function named(text: string): string {
  return cutAtSentence(plainText(text), 40) || "(no name)";
}

function listed(scopes: readonly { readonly name: string }[]): string {
  return new Intl.ListFormat("en-GB").format(scopes.map(({ name }) => name));
}

/** What a look came to; where Slack did not answer, that is the check. */
async function looked(name: string, look: () => Promise<readonly Check[]>): Promise<readonly Check[]> {
  try {
    return await look();
  } catch (cause) {
    return [failed(name, cause)];
  }
}

function failed(name: string, cause: unknown, prefix = ""): Check {
  if (cause instanceof SlackError) return error(name, `${prefix}${cause.detail}`, cause.fix);
  if (!(cause instanceof InstallationError)) throw cause;
  const [detail = "", fix = null] = cause.message.replace(/\.$/, "").split(/: (.*)/s);
  return error(name, `${prefix}${detail}`, fix);
}

function ok(name: string, detail: string): Check {
  return { platform: "slack", name, state: "ok", detail, fix: null };
}

function warning(name: string, detail: string, fix: string): Check {
  return { platform: "slack", name, state: "warning", detail, fix };
}

function error(name: string, detail: string, fix: string | null): Check {
  return { platform: "slack", name, state: "error", detail, fix };
}
