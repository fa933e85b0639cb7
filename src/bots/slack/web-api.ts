import { LogLevel, webApi } from "@slack/bolt";
import type { z } from "zod";
import { plainText } from "../../core/readable.ts";
import { SLACK_APPS, SlackError } from "./error.ts";

/** Of one request. */
const TIMEOUT_MS = 10_000;
/** Whose token it is, for what is said of it: a variable's name, or a workspace's id. */
export type TokenOwner = { readonly variable: string } | { readonly workspace: string };
export type Caller = {
  readonly apiUrl: string;
  /** Null for a method that takes none. */
  readonly token: string | null;
  readonly owner: TokenOwner;
};

/**
 * One call of a Web API method, its answer parsed, for a command that asks a few questions and ends.
 * @param caller.apiUrl such as `https://slack.com/api/`
 * @returns the answer, and the scopes of the token where Slack named them
 * @throws SlackError
 */
export async function callSlack<Answer>(
  { apiUrl, token, owner }: Caller,
  method: string,
  args: Readonly<Record<string, string>>,
  answer: z.ZodType<Answer>,
): Promise<{ readonly answer: Answer; readonly scopes: readonly string[] | null }> {
  const client = new webApi.WebClient(token ?? undefined, {
    slackApiUrl: apiUrl,
    timeout: TIMEOUT_MS,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logger: SILENT,
  });
  const told = await client.apiCall(method, args).catch((error: unknown) => {
    throw explain(error, { apiUrl, owner, method });
  });
  const { success, data, error } = answer.safeParse(told);
  if (!success) throw notSlack(method, error);
  return { answer: data, scopes: told.response_metadata?.scopes ?? null };
}

type Call = Pick<Caller, "apiUrl" | "owner"> & { readonly method: string };

function explain(error: unknown, { apiUrl, owner, method }: Call): SlackError {
  if (error instanceof webApi.WebAPIPlatformError) return explainRefusal(error, { apiUrl, owner, method });
  if (error instanceof webApi.WebAPIRateLimitedError) {
    return new SlackError(
      {
        detail: `Slack takes no more ${method} for now`,
        fix: `try again in ${Math.ceil(error.retryAfter)} s`,
      },
      { code: "ratelimited", cause: error },
    );
  }
  if (error instanceof webApi.WebAPIHTTPError) return ownFault(String(error.statusCode), error);
  const cause = error instanceof webApi.WebAPIRequestError ? error.original : error;
  const reason =
    cause instanceof Error && cause.name === "TimeoutError"
      ? `no answer within ${TIMEOUT_MS / 1000} s`
      : networkCode(cause);
  return new SlackError(
    {
      detail: `Slack cannot be reached at ${apiUrl} (${reason})`,
      fix: "check the network and SLACK_API_URL",
    },
    { cause: error },
  );
}

/** https://docs.slack.dev/reference/methods/auth.test#errors and the like */
const DEAD_TOKEN = ["invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"];
const OWN_FAULT = ["internal_error", "fatal_error", "service_unavailable", "request_timeout"];

function explainRefusal(error: webApi.WebAPIPlatformError, { owner, method }: Call): SlackError {
  const { error: code } = error.data;
  // The client gives what is no JSON in the place of a code.
  if (!/^[a-z][a-z0-9_]{0,80}$/.test(code)) return notSlack(method, error);
  if (OWN_FAULT.includes(code)) return ownFault(code, error);
  const isVariable = "variable" in owner;
  const token = isVariable ? owner.variable : `that is kept of ${owner.workspace}`;
  const wanted = code === "missing_scope" ? neededScope(error) : null;
  if (DEAD_TOKEN.includes(code)) {
    const fix = isVariable
      ? `choose your app at ${SLACK_APPS} and copy the present one`
      : "let an admin install the app there again";
    return new SlackError(
      { detail: `Slack refuses the token ${token} (${code})`, fix },
      { code, cause: error },
    );
  }
  return new SlackError(
    wanted === null
      ? {
          detail: `Slack refused ${method} with the token ${token} (${code})`,
          fix: `see the app's settings at ${SLACK_APPS}`,
        }
      : {
          detail: `The token ${token} lacks ${wanted}`,
          fix: `add it at ${SLACK_APPS} and install the app again`,
        },
    { code, cause: error },
  );
}

function neededScope(error: webApi.WebAPIPlatformError): string {
  const needed = "needed" in error.data ? error.data.needed : null;
  return typeof needed === "string" ? plainText(needed) : "a scope";
}

function ownFault(code: string, cause: unknown): SlackError {
  const fix = "try again in a few minutes; https://slack-status.com says how it is";
  return new SlackError({ detail: `Slack answers with a fault of its own (${code})`, fix }, { code, cause });
}

function notSlack(method: string, cause: unknown): SlackError {
  return new SlackError(
    {
      detail: `What answered ${method} does not speak as Slack does`,
      fix: "check SLACK_API_URL, and whether a proxy stands between",
    },
    { cause },
  );
}

function networkCode(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error && "code" in cause ? String(cause.code) : "the connection failed";
}

/** The client would write its warnings beside the answer; what fails is thrown as well. */
const SILENT = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  getLevel: () => LogLevel.ERROR,
  setName() {},
};
