import { webApi } from "@slack/bolt";
import { PostError } from "../../core/bot.ts";

/** Slack takes about one message a second in a channel: https://docs.slack.dev/apis/web-api/rate-limits */
const CHANNEL_GAP_MS = 1050;
/** And so many from an app in a workspace, a number that it does not publish. */
const WORKSPACE_PER_MINUTE = 300;
const WORKSPACE_GAP_MS = 60_000 / WORKSPACE_PER_MINUTE;
/** A shorter wait for one's turn is spent waiting; a longer one gives its place to other channels. */
const SHORT_WAIT_MS = 1200;
/** So long after its turn a message that has not come is passed by. */
const OVERDUE_MS = 5000;
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
  /** Nothing more to this channel for as long as Slack asked; the message that it refused is the first after. */
  hold(workspace: string, channel: string, name: string, ms: number): void;
};

type Place = { readonly name: string; at: number; hasTurn: boolean };
type Line = { places: Place[]; lastAt: number };

/**
 * One line a channel, in the order of asking. The workspace's turn is taken once the channel's has come, so that a
 * channel that has to wait holds up no other.
 */
export function createTurns({ now, wait }: TurnsOptions): Turns {
  const lines = new Map<string, Line>();
  /** When a workspace's next turn is free. */
  const free = new Map<string, number>();
  let sweptAt = now();

  function lineOf(workspace: string, channel: string): Line {
    const key = `${workspace}/${channel}`;
    const line = lines.get(key) ?? { places: [], lastAt: Number.NEGATIVE_INFINITY };
    lines.set(key, line);
    return line;
  }

  async function arrive({ at }: Place): Promise<void> {
    const ms = at - now();
    if (ms > SHORT_WAIT_MS) throw notYet(ms);
    if (ms > 0) await wait(ms);
  }

  function sweep(): void {
    if (now() - sweptAt < FORGET_MS) return;
    sweptAt = now();
    for (const [key, line] of lines) {
      line.places = line.places.filter(({ at }) => at > sweptAt - FORGET_MS);
      if (line.places.length === 0 && line.lastAt < sweptAt - FORGET_MS) lines.delete(key);
    }
    for (const [workspace, at] of free) if (at < sweptAt) free.delete(workspace);
  }

  return {
    async take(workspace, channel, name) {
      sweep();
      const line = lineOf(workspace, channel);
      const place = line.places.find((each) => each.name === name) ?? append(line, name, now());
      for (;;) {
        await arrive(place);
        const [first = place] = line.places;
        if (first !== place && now() - first.at < OVERDUE_MS) throw notYet(CHANNEL_GAP_MS);
        const clearAt = line.lastAt + CHANNEL_GAP_MS;
        if (clearAt > now()) {
          move(line, place, clearAt);
        } else if (place.hasTurn) {
          line.lastAt = now();
          line.places = line.places.filter((each) => each !== place);
          return;
        } else {
          const at = Math.max(now(), free.get(workspace) ?? 0);
          free.set(workspace, at + WORKSPACE_GAP_MS);
          place.hasTurn = true;
          move(line, place, at);
        }
      }
    },
    hold(workspace, channel, name, ms) {
      const line = lineOf(workspace, channel);
      const place = { name, at: now() + ms, hasTurn: false };
      line.places = [place, ...line.places.filter((each) => each.name !== name)];
      move(line, place, place.at);
    },
  };
}

function notYet(retryAfterMs: number): PostError {
  return new PostError("retry", "It waits for its turn under Slack's rate limit.", { retryAfterMs });
}

function append(line: Line, name: string, now: number): Place {
  const before = line.places.at(-1)?.at ?? line.lastAt;
  const place = { name, at: Math.max(now, before + CHANNEL_GAP_MS), hasTurn: false };
  line.places.push(place);
  return place;
}

/** Gives a message another time; those behind it follow. */
function move(line: Line, place: Place, at: number): void {
  place.at = at;
  let last = at;
  for (const each of line.places.slice(line.places.indexOf(place) + 1)) {
    last = Math.max(each.at, last + CHANNEL_GAP_MS);
    each.at = last;
  }
}

/** Of each call, so that a hanging one is an uncertain one. */
export const TIMEOUT_MS = 15_000;

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

/** Whether Slack wants to be left alone for a while. */
export function isRateLimit(error: unknown): boolean {
  return error instanceof webApi.WebAPIRateLimitedError || RATE_LIMIT.has(slackErrorOf(error) ?? "");
}

const RATE_LIMIT: ReadonlySet<string> = new Set(["ratelimited", "rate_limited", "message_limit_exceeded"]);

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
    const { statusCode } = error;
    // Below 500 the request was turned away, by a proxy too: Slack posted nothing.
    return statusCode < 500
      ? new PostError("retry", `Slack cannot be asked (${statusCode}).`, because)
      : new PostError("uncertain", `Slack answered with an error of its own (${statusCode}).`, because);
  }
  const code = error instanceof webApi.WebAPIRequestError ? systemCode(error.original) : systemCode(error);
  return NEVER_ARRIVED.has(code) || code.startsWith("ERR_TLS_") || code.startsWith("CERT_")
    ? new PostError("retry", "Slack cannot be reached.", because)
    : new PostError("uncertain", "The connection to Slack broke before it answered.", because);
}

/** The errors of chat.postMessage by what follows from them: https://docs.slack.dev/reference/methods/chat.postMessage */
function refusalOf(word: string, because: { readonly cause: unknown }): PostError {
  if (RATE_LIMIT.has(word)) {
    return new PostError("retry", "Slack's rate limit was reached.", { retryAfterMs: 30_000, ...because });
  }
  if (UNKNOWN_OUTCOME.has(word)) {
    return new PostError("uncertain", `Slack did not say whether it posted the message (${word}).`, because);
  }
  if (WAIT_FOR_ADMIN.has(word)) {
    return new PostError("retry", `An admin of the organization must let Paperboy in first (${word}).`, {
      retryAfterMs: 2 * 3_600_000,
      ...because,
    });
  }
  const known = REJECTIONS.get(word) ?? (word.startsWith("restricted_action") ? RESTRICTED : undefined);
  if (known !== undefined) return new PostError("rejected", known, because);
  if (BAD_FORM.has(word)) {
    const detail = `Slack would not take the message in any form (${word}). Run: npx paperboy doctor.`;
    return new PostError("rejected", detail, because);
  }
  const detail = `Slack refused the message (${word}). If it goes on, run: npx paperboy doctor.`;
  return new PostError("retry", detail, because);
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

/** What goes away by itself, and says nothing of a token or a place. */
export const PASSING: ReadonlySet<string> = new Set([...UNKNOWN_OUTCOME, ...RATE_LIMIT]);

/** An organization's rules keep the app out. */
export const WAIT_FOR_ADMIN: ReadonlySet<string> = new Set([
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

const RESTRICTED =
  "An admin restricts who may post in this channel: have Paperboy allowed, then /papers resume.";

/** Lasting refusals, each with what mends it. */
const REJECTIONS: ReadonlyMap<string, string> = new Map([
  ["not_in_channel", "Paperboy is not in this channel: /invite @Paperboy, then /papers resume."],
  [
    "channel_not_found",
    "Paperboy cannot see this channel: it is private or gone. If it is there, /invite @Paperboy, then /papers resume.",
  ],
  ["is_archived", "This channel is archived: unarchive it, then /papers resume."],
  ["restricted_action", RESTRICTED],
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
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
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
