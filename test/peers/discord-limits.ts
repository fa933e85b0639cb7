import { createHash } from "node:crypto";

/** How many requests a time, and how many are let through before the first 429. */
export type Limit = { readonly requests: number; readonly perMs: number };

export type Limits = {
  /** Counts a request against its route and the global limit; what it says goes into the response. */
  count(request: CountedRequest): { readonly headers: Headers; readonly refusal: RateLimited | null };
};
type CountedRequest = {
  readonly at: number;
  /** Such as `POST /channels/:channel/messages`. */
  readonly route: string;
  /** The id that has a bucket of its own: a channel, a guild, a webhook with its token. */
  readonly major: string;
  /** Interactions are answered beside the global limit. */
  readonly isGlobal: boolean;
};
export type RateLimited = { readonly scope: "user" | "global" | "shared"; readonly retryAfterMs: number };
type Headers = Readonly<Record<string, string>>;

/**
 * Discord's two limits: a bucket a route and channel, told by headers, and so many requests a second for the bot
 * (https://docs.discord.com/developers/topics/rate-limits). Windows begin with their first request. Only the global
 * limit is documented; Discord tells the others by headers alone, so that a client must not know these numbers.
 */
export function createLimits(options: {
  readonly perSecond: number;
  readonly routes?: Readonly<Record<string, Limit>>;
}): Limits {
  const routes = { ...LIMITS, ...options.routes };
  const buckets = new Map<string, Window>();
  const hashes = new Map<string, string>();
  let everything: Window = { used: 0, endsAt: 0 };

  return {
    count({ at, route, major, isGlobal }) {
      if (isGlobal) {
        if (at >= everything.endsAt) everything = { used: 0, endsAt: at + 1000 };
        if (everything.used >= options.perSecond) {
          const retryAfterMs = everything.endsAt - at;
          return { headers: {}, refusal: { scope: "global", retryAfterMs } };
        }
        everything.used += 1;
      }
      const limit = routes[route] ?? OTHER;
      const key = `${route} ${major}`;
      let bucket = buckets.get(key);
      if (bucket === undefined || at >= bucket.endsAt) {
        bucket = { used: 0, endsAt: at + limit.perMs };
        buckets.set(key, bucket);
      }
      let hash = hashes.get(route);
      if (hash === undefined) {
        hash = createHash("md5").update(route).digest("hex");
        hashes.set(route, hash);
      }
      const isOver = bucket.used >= limit.requests;
      if (!isOver) bucket.used += 1;
      const leftMs = bucket.endsAt - at;
      return {
        headers: {
          "x-ratelimit-limit": String(limit.requests),
          "x-ratelimit-remaining": String(limit.requests - bucket.used),
          "x-ratelimit-reset": (bucket.endsAt / 1000).toFixed(3),
          "x-ratelimit-reset-after": (leftMs / 1000).toFixed(3),
          "x-ratelimit-bucket": hash,
        },
        refusal: isOver ? { scope: "user", retryAfterMs: leftMs } : null,
      };
    },
  };
}

type Window = { used: number; readonly endsAt: number };

const LIMITS: Readonly<Record<string, Limit>> = {
  "POST /channels/:channel/messages": { requests: 5, perMs: 5000 },
  "PATCH /channels/:channel/messages/:message": { requests: 5, perMs: 5000 },
  "DELETE /channels/:channel/messages/:message": { requests: 5, perMs: 1000 },
  "POST /channels/:channel/messages/:message/crosspost": { requests: 10, perMs: 3_600_000 },
};
const OTHER: Limit = { requests: 50, perMs: 1000 };

/** What a client did to the limits, for a benchmark: counted as it comes, nothing is kept by request. */
export type Traffic = {
  /** By the whole second of arrival (epoch seconds), busy seconds only, in order. */
  readonly seconds: readonly TrafficSecond[];
  /** Answers by status. */
  readonly statuses: Readonly<Record<number, number>>;
  /** Messages accepted. */
  readonly sends: number;
  readonly firstSendAt: number | null;
  readonly lastSendAt: number | null;
};
type TrafficSecond = { readonly second: number; readonly requests: number; readonly sends: number };

export function createTrafficCount() {
  const seconds = new Map<number, { second: number; requests: number; sends: number }>();
  const statuses: Record<number, number> = {};
  let [sends, firstSendAt, lastSendAt] = [0, null as number | null, null as number | null];

  function secondOf(at: number) {
    const second = Math.floor(at / 1000);
    const known = seconds.get(second) ?? { second, requests: 0, sends: 0 };
    seconds.set(second, known);
    return known;
  }
  return {
    request(at: number) {
      secondOf(at).requests += 1;
    },
    answer(status: number) {
      statuses[status] = (statuses[status] ?? 0) + 1;
    },
    send(at: number) {
      secondOf(at).sends += 1;
      sends += 1;
      firstSendAt ??= at;
      lastSendAt = at;
    },
    read(): Traffic {
      return { seconds: [...seconds.values()], statuses: { ...statuses }, sends, firstSendAt, lastSendAt };
    },
  };
}
