import { DiscordAPIError, HTTPError, RateLimitError, REST, type RouteLike, Routes } from "discord.js";
import { z } from "zod";
import { cutAtSentence, plainText } from "../../core/readable.ts";
import { DEVELOPER_PORTAL, DiscordError, refusedToken } from "./error.ts";

/** Of each request, with its one retry. */
const TIMEOUT_MS = 10_000;
/** A longer wait is said rather than waited for. */
const LONGEST_WAIT_MS = 5000;

/**
 * Discord over HTTP for a command that asks a few questions and ends. It starts no timer and holds nothing open.
 * @param apiUrl such as `https://discord.com/api`, without a version
 */
export function createRest({ token, apiUrl }: { readonly token: string; readonly apiUrl: string }): REST {
  return new REST({
    api: apiUrl.replace(/\/+$/, ""),
    timeout: TIMEOUT_MS,
    retries: 1,
    hashSweepInterval: 0,
    handlerSweepInterval: 0,
    rejectOnRateLimit: ({ retryAfter }) => retryAfter > LONGEST_WAIT_MS,
  }).setToken(token);
}

/**
 * One request, its answer parsed.
 * @throws DiscordError
 */
export async function ask<Answer>(
  rest: REST,
  route: RouteLike,
  answer: z.ZodType<Answer>,
  {
    put,
    query,
  }: { readonly put?: unknown; readonly query?: Readonly<Record<string, string>> | undefined } = {},
): Promise<Answer> {
  const method = put === undefined ? "get" : "put";
  // The signal bounds the whole: the wait in the queue, both attempts and the body.
  const options = { signal: AbortSignal.timeout(TIMEOUT_MS), query: new URLSearchParams(query), body: put };
  const told = await rest[method](route, options).catch((error: unknown) => {
    throw explain(error, rest);
  });
  const { success, data, error } = answer.safeParse(told);
  if (success) return data;
  throw new DiscordError(
    {
      detail: `What answered ${method.toUpperCase()} ${route} does not speak as Discord does`,
      fix: "check DISCORD_API_URL, and whether a proxy stands between",
    },
    { cause: error },
  );
}

export type Application = z.infer<typeof APPLICATION>;

/** The application that the token belongs to. @throws DiscordError */
export function readApplication(rest: REST): Promise<Application> {
  return ask(rest, Routes.currentApplication(), APPLICATION);
}

/** https://docs.discord.com/developers/resources/application#application-object */
const APPLICATION = z.object({
  id: z.string(),
  name: z.string(),
  bot_public: z.boolean().default(true),
  bot_require_code_grant: z.boolean().default(false),
  interactions_endpoint_url: z.string().nullish(),
  /** By way of installation: 0 on a server, 1 by a person. */
  integration_types_config: z.record(z.string(), z.unknown()).optional(),
  approximate_guild_count: z.int().optional(),
});

function explain(error: unknown, rest: REST): DiscordError {
  if (error instanceof RateLimitError || (error instanceof DiscordAPIError && error.status === 429)) {
    const seconds = error instanceof RateLimitError ? Math.ceil(error.retryAfter / 1000) : 60;
    const detail = "Discord takes no more requests of this application for now";
    return new DiscordError({ detail, fix: `try again in ${seconds} s` }, { status: 429, cause: error });
  }
  if (error instanceof DiscordAPIError) return explainRefusal(error);
  if (error instanceof HTTPError) {
    const fix = "try again in a few minutes; https://discordstatus.com says how it is";
    const detail = `Discord answers with a fault of its own (${error.status})`;
    return new DiscordError({ detail, fix }, { status: error.status, cause: error });
  }
  // After one 401 the client forgets its token.
  if (error instanceof Error && error.message.startsWith("Expected token")) return refusedToken(error);
  const isLate = error instanceof Error && ["AbortError", "TimeoutError"].includes(error.name);
  const reason = isLate ? `no answer within ${TIMEOUT_MS / 1000} s` : networkCode(error);
  return new DiscordError(
    {
      detail: `Discord cannot be reached at ${rest.options.api} (${reason})`,
      fix: "check the network and DISCORD_API_URL",
    },
    { cause: error },
  );
}

function explainRefusal(error: DiscordAPIError): DiscordError {
  const { status, method } = error;
  const code = Number(error.code);
  if (status === 401) return refusedToken(error);
  const said = cutAtSentence(plainText(error.message.replaceAll("\n", "; ")), 300).replace(/[.:]$/, "");
  const what = `Discord refused ${method} ${new URL(error.url).pathname}`;
  return new DiscordError(
    code === INVALID_FORM
      ? { detail: `${what} as malformed (${said})`, fix: "this is a fault of Paperboy: please report it" }
      : {
          detail: `${what} (${said}, code ${code})`,
          fix: `see the application's settings at ${DEVELOPER_PORTAL}`,
        },
    { status, code, cause: error },
  );
}

const INVALID_FORM = 50_035;

function networkCode(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error && "code" in cause ? String(cause.code) : "the connection failed";
}
