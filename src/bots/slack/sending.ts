import { webApi } from "@slack/bolt";
import { PostError } from "../../core/bot.ts";

/** Slack takes about one message a second in a channel: https://docs.slack.dev/apis/web-api/rate-limits */
const CHANNEL_GAP_MS = 1050;
/** And so many from an app in a workspace, a number that it does not publish. */
const WORKSPACE_PER_MINUTE = 300;
const WORKSPACE_GAP_MS = 60_000 / WORKSPACE_PER_MINUTE;
/** A shorter wait for one's turn is spent waiting; a longer one gives its place to other channels. */
const SHORT_WAIT_MS = 1200;
/** Turns that nobody came for are forgotten. */
const FORGET_MS = 10 * 60_000;

export type TurnsOptions = {
  /** Milliseconds. */
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
};

export type Turns = {
  /**
   * Waits for the turn of a message: a second after the channel's last one, and a fifth of one after the workspace's.
   * @param name the same at each try, so that a message keeps its place
   * @throws PostError `retry` with the time of its turn, where that is not soon
   */
  take(workspace: string, channel: string, name: string): Promise<void>;
  /** Nothing more to this channel, or to the whole workspace, for as long as Slack asked. */
  hold(key: string, ms: number): void;
};

/** One line a channel and one a workspace, in the order of asking. */
export function createTurns({ now, wait }: TurnsOptions): Turns {
  /** When a line is free again, by channel or workspace. */
  const free = new Map<string, number>();
  const places = new Map<string, number>();
  let sweptAt = now();

  function sweep(): void {
    if (now() - sweptAt < FORGET_MS) return;
    sweptAt = now();
    for (const [key, at] of free) if (at < sweptAt) free.delete(key);
    for (const [name, at] of places) if (at < sweptAt - FORGET_MS) places.delete(name);
  }

  return {
    async take(workspace, channel, name) {
      sweep();
      const [channelLine, workspaceLine] = [`${workspace}/${channel}`, workspace];
      let at = places.get(name);
      if (at === undefined) {
        at = Math.max(now(), free.get(channelLine) ?? 0, free.get(workspaceLine) ?? 0);
        places.set(name, at);
        free.set(channelLine, at + CHANNEL_GAP_MS);
        free.set(workspaceLine, at + WORKSPACE_GAP_MS);
      }
      const ms = at - now();
      if (ms > SHORT_WAIT_MS) {
        throw new PostError("retry", "It waits for its turn under Slack's rate limit.", { retryAfterMs: ms });
      }
      if (ms > 0) await wait(ms);
      places.delete(name);
    },
    hold(key, ms) {
      free.set(key, Math.max(free.get(key) ?? 0, now() + ms));
    },
  };
}

/** Of each call, so that a hanging one is an uncertain one. */
const TIMEOUT_MS = 15_000;

/** How the clients that post are made: each failure is ours to judge, and nothing is sent twice behind our back. */
export const CLIENT_OPTIONS = {
  retryConfig: { retries: 0 },
  rejectRateLimitedCalls: true,
  timeout: TIMEOUT_MS,
} as const;

/** Slack's word for what was wrong; null where it said none. */
export function slackErrorOf(error: unknown): string | null {
  return error instanceof webApi.WebAPIPlatformError ? error.data.error : null;
}

/** What went wrong with a post, as the ledger wants to know it. */
export function toPostError(error: unknown): PostError {
  if (error instanceof PostError) return error;
  const because = { cause: error };
  if (error instanceof webApi.WebAPIRateLimitedError) {
    const retryAfterMs = error.retryAfter * 1000;
    return new PostError("retry", "Slack's rate limit was reached.", { retryAfterMs, ...because });
  }
  if (error instanceof webApi.WebAPIPlatformError) return refusalOf(error.data.error, because);
  if (error instanceof webApi.WebAPIHTTPError) {
    return new PostError(
      "uncertain",
      `Slack answered with an error of its own (${error.statusCode}).`,
      because,
    );
  }
  const code = error instanceof webApi.WebAPIRequestError ? systemCode(error.original) : systemCode(error);
  return NEVER_ARRIVED.has(code)
    ? new PostError("retry", "Slack cannot be reached.", because)
    : new PostError("uncertain", "The connection to Slack broke before it answered.", because);
}

/** The errors of chat.postMessage by what follows from them: https://docs.slack.dev/reference/methods/chat.postMessage */
function refusalOf(word: string, because: { readonly cause: unknown }): PostError {
  if (["ratelimited", "rate_limited", "message_limit_exceeded"].includes(word)) {
    return new PostError("retry", "Slack's rate limit was reached.", { retryAfterMs: 30_000, ...because });
  }
  if (UNKNOWN_OUTCOME.has(word)) {
    return new PostError("uncertain", `Slack did not say whether it posted the message (${word}).`, because);
  }
  if (DEAD_INSTALL.has(word)) {
    return new PostError("rejected", `${INSTALL_AGAIN} (${word}).`, because);
  }
  if (WAIT_FOR_ADMIN.has(word)) {
    return new PostError("retry", `An admin of the organization must let Paperboy in first (${word}).`, {
      retryAfterMs: 2 * 3_600_000,
      ...because,
    });
  }
  const known = REJECTIONS.get(word);
  return new PostError(
    "rejected",
    known ?? `Slack refused the message (${word}). If it goes on, run: npx paperboy doctor.`,
    because,
  );
}

const UNKNOWN_OUTCOME: ReadonlySet<string> = new Set([
  "internal_error",
  "fatal_error",
  "service_unavailable",
  "request_timeout",
]);

/** The whole workspace's installation is gone. */
export const DEAD_INSTALL: ReadonlySet<string> = new Set([
  "account_inactive",
  "token_revoked",
  "token_expired",
  "invalid_auth",
  "not_authed",
]);
const INSTALL_AGAIN =
  "Slack no longer takes Paperboy's token for this workspace: install Paperboy there again";

const WAIT_FOR_ADMIN: ReadonlySet<string> = new Set([
  "org_login_required",
  "team_access_not_granted",
  "ekm_access_denied",
]);

/** Bodies that Slack would not take. */
const BAD_FORM: ReadonlySet<string> = new Set([
  "invalid_blocks",
  "invalid_blocks_format",
  "msg_blocks_too_long",
  "msg_too_long",
  "no_text",
]);

/** Lasting refusals, each with what mends it. */
const REJECTIONS: ReadonlyMap<string, string> = new Map([
  ["not_in_channel", "Paperboy is not in this channel: /invite @Paperboy, then /papers resume."],
  [
    "channel_not_found",
    "Paperboy cannot see this channel: it is private or gone. If it is there, /invite @Paperboy, then /papers resume.",
  ],
  ["is_archived", "This channel is archived: unarchive it, then /papers resume."],
  [
    "restricted_action",
    "An admin restricts who may post in this channel: have Paperboy allowed, then /papers resume.",
  ],
  [
    "restricted_action_read_only_channel",
    "This channel is read-only: have Paperboy allowed to post, then /papers resume.",
  ],
  ["missing_scope", "Paperboy lacks a permission in this workspace: install it again, then /papers resume."],
  ["user_is_bot", "A bot takes no direct messages."],
  ["user_not_found", "Slack knows no such person."],
  ["cannot_dm_bot", "A bot takes no direct messages."],
  ["messages_tab_disabled", "This person has no messages tab with Paperboy."],
]);

/** Errors of the system that come before anything was sent. */
const NEVER_ARRIVED: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

function systemCode(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if ("code" in error && typeof error.code === "string" && !isSlackCode(error.code)) return error.code;
  return error.cause === undefined ? "" : systemCode(error.cause);
}

function isSlackCode(code: string): boolean {
  return Object.values(webApi.ErrorCode).some((known) => known === code);
}

/** Posts, and again without its pictures, then as plain text, where Slack would not take the form. */
export async function postForm<Body extends { readonly text: string; readonly blocks?: unknown }>(
  client: webApi.WebClient,
  forms: readonly Body[],
  send: (client: webApi.WebClient, body: Body) => Promise<{ readonly ts?: string | undefined }>,
  report: (error: unknown) => void,
): Promise<string> {
  for (const [index, form] of forms.entries()) {
    try {
      const { ts } = await send(client, form);
      return ts ?? "";
    } catch (error) {
      const word = slackErrorOf(error);
      if (word === null || !BAD_FORM.has(word) || index === forms.length - 1) throw error;
      report(error);
    }
  }
  throw new PostError("rejected", "Slack would not take the message in any form.");
}
