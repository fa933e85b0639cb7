import { DiscordAPIError, HTTPError, RateLimitError, REST, type RouteLike, Routes } from "discord.js";
import { type BotEvent, PostError } from "../../core/bot.ts";
import { createPace } from "../../core/pace.ts";
import { refusedToken } from "./error.ts";

export type SendingOptions = {
  /** Such as `https://discord.com/api`. */
  readonly apiUrl: string;
  readonly token: string;
  /** Milliseconds. */
  readonly now: () => number;
  readonly wait: (ms: number) => Promise<void>;
  readonly report: (event: BotEvent) => void;
  /** Answers of 401, 403 and 429 in ten minutes after which nothing is sent; 1,000 unless told. */
  readonly mostInvalid?: number;
  /** Of a request, after which its outcome is uncertain: 15 s unless told. */
  readonly timeoutMs?: number | undefined;
};

export type Sending = {
  /**
   * One request that the bot's token goes with, in its turn.
   * @throws PostError while Discord is to be left alone, else what discord.js throws
   */
  request(method: Method, route: RouteLike, body?: unknown, query?: URLSearchParams): Promise<unknown>;
  /** Why nothing is sent now, in a sentence; null while all is well. */
  trouble(): string | null;
  /** Ends the looks at a lost token. */
  stop(): void;
};
export type Method = "get" | "post" | "patch";

/** https://docs.discord.com/developers/topics/rate-limits: of a bot, over all routes but interactions'. */
const PER_SECOND = 50;
/** The IP is banned at 10,000 answers of 401, 403 and 429 in ten minutes (same page); we stop well before. */
const MOST_INVALID = 1000;
const TIMEOUT_MS = 15_000;
const TOKEN_REFUSED = refusedToken(null).message;
/** How soon a refused token is looked at again: that was a slip of Discord's, or a person has to act. */
const RECHECK_MS = { first: 5_000, most: 30 * 60_000 };

/**
 * Requests at Discord's pace. No request is repeated here: the ledger repeats what may be, with the same nonce.
 * A route that is at its limit is refused at once, so that it holds nothing else up.
 */
export function createSending(options: SendingOptions): Sending {
  const { apiUrl, token, now, wait, report, mostInvalid = MOST_INVALID, timeoutMs = TIMEOUT_MS } = options;
  const rest = new REST({
    api: apiUrl,
    version: "10",
    retries: 0,
    timeout: timeoutMs,
    globalRequestsPerSecond: Number.POSITIVE_INFINITY,
    rejectOnRateLimit: () => true,
    invalidRequestWarningInterval: 1,
  }).setToken(token);
  const turn = createPace({ perSecond: PER_SECOND, now, wait });
  let closedUntil = 0;
  let isLost = false;
  let isStopped = false;

  rest.on("invalidRequestWarning", ({ count, remainingTime }) => {
    if (count < mostInvalid || closedUntil > now()) return;
    closedUntil = now() + remainingTime;
    report({
      kind: "refused",
      detail: `Discord refused ${count} requests within ten minutes. Nothing is sent for ${Math.ceil(remainingTime / 1000)} seconds, since it bans addresses at 10,000.`,
    });
  });

  /** A 401 makes discord.js forget the token: it is given back, and tried by itself until Discord takes it. */
  async function recheck(): Promise<void> {
    if (isLost) return;
    isLost = true;
    for (let ms = RECHECK_MS.first; !isStopped; ms = Math.min(2 * ms, RECHECK_MS.most)) {
      await wait(ms);
      if (isStopped) return;
      try {
        rest.setToken(token);
        await rest.get(Routes.user());
        isLost = false;
        report({ kind: "connected", detail: "Discord takes the bot's token again." });
        return;
      } catch (error) {
        if (!isUnauthorized(error)) continue;
        report({ kind: "refused", detail: TOKEN_REFUSED });
      }
    }
  }

  return {
    async request(method, route, body, query) {
      await turn();
      // Also for what waited for its turn when that began.
      if (closedUntil > now()) {
        throw new PostError("retry", "Discord refused too many requests, so it is left alone for a while.", {
          retryAfterMs: closedUntil - now(),
        });
      }
      if (isLost) throw new PostError("retry", TOKEN_REFUSED, { retryAfterMs: RECHECK_MS.first * 2 });
      try {
        return await rest[method](route, { body, ...(query === undefined ? {} : { query }) });
      } catch (error) {
        if (isUnauthorized(error)) void recheck();
        throw error;
      }
    },
    trouble: () =>
      isLost ? TOKEN_REFUSED : closedUntil > now() ? "Discord is left alone after too many refusals." : null,
    stop() {
      isStopped = true;
    },
  };
}

export function isUnauthorized(error: unknown): boolean {
  return error instanceof DiscordAPIError && error.status === 401;
}

/** The code of an answer that Discord gave with reasons, 0 for none of its own; null for anything else. */
export function codeOf(error: unknown): number | null {
  return error instanceof DiscordAPIError ? Number(error.code) || 0 : null;
}

/**
 * What went wrong with a post, as the ledger wants to know it. The codes are those of
 * https://docs.discord.com/developers/topics/opcodes-and-status-codes.
 */
export function toPostError(error: unknown): PostError {
  if (error instanceof PostError) return error;
  const because = { cause: error };
  if (error instanceof RateLimitError) {
    const retryAfterMs = Math.max(error.retryAfter, error.timeToReset, error.sublimitTimeout);
    return new PostError("retry", "Discord's rate limit was reached.", { retryAfterMs, ...because });
  }
  if (isUnauthorized(error)) {
    return new PostError("retry", TOKEN_REFUSED, { retryAfterMs: RECHECK_MS.first * 2, ...because });
  }
  if (error instanceof DiscordAPIError) {
    const code = codeOf(error) ?? 0;
    const known = REJECTIONS.get(code);
    if (known !== undefined) return new PostError("rejected", known, because);
    const passing = PASSING.get(code);
    if (passing !== undefined) return new PostError("retry", passing, because);
    return new PostError(
      "rejected",
      `Discord refused the message (${error.status}, code ${code}). If it goes on, run: npx paperboy doctor.`,
      because,
    );
  }
  if (error instanceof HTTPError) {
    return new PostError(
      "uncertain",
      `Discord answered with an error of its own (${error.status}).`,
      because,
    );
  }
  return NEVER_ARRIVED.has(systemCode(error))
    ? new PostError("retry", "Discord cannot be reached.", because)
    : new PostError("uncertain", "The connection to Discord broke before it answered.", because);
}

/** Refusals that end by themselves, or that a proxy on the way made. */
const PASSING: ReadonlyMap<number, string> = new Map([
  [0, "Discord did not take the request, and gave no reason of its own."],
  [10_087, "The forum's tags changed just now."],
  [20_028, "This channel takes no more messages for the moment."],
  [40_004, "Discord takes no messages for the moment."],
  [40_006, "Discord takes no messages for the moment."],
  [160_006, "This server has as many active threads as it can have."],
]);

/** Lasting refusals, each with what mends it. */
const REJECTIONS: ReadonlyMap<number, string> = new Map([
  [10_003, "This channel is gone."],
  [10_004, "This server is gone."],
  [10_013, "Discord knows no such person."],
  [30_033, "This thread has all the members that it can have."],
  [
    50_001,
    "Paperboy cannot see this channel: allow it View Channel (channel settings, Permissions), then /papers resume.",
  ],
  [50_007, "This person takes no direct messages from Paperboy."],
  [50_278, "This person shares no server with Paperboy any more, so no direct message arrives."],
  [50_008, "Messages cannot be sent to this kind of channel: subscribe a text channel or a thread."],
  [
    50_013,
    "Paperboy may not post here: allow it Send Messages, in threads Send Messages in Threads (channel settings, Permissions), then /papers resume.",
  ],
  [50_083, "This thread is archived and locked: open it again, then /papers resume."],
  [160_005, "This thread is locked: unlock it, or allow Paperboy Manage Threads, then /papers resume."],
  [
    40_067,
    "Posts in this forum need a tag, and there is none that Paperboy may use: add one such as Papers, then /papers resume.",
  ],
  [200_000, "This server's AutoMod refused the message: allow Paperboy in its rules, then /papers resume."],
]);

/** The request was not sent, so that sending it again cannot double anything. */
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
  if ("code" in error && typeof error.code === "string") return error.code;
  return error.cause === undefined ? "" : systemCode(error.cause);
}
