export type SlackLimits = {
  /** Messages a second to one channel, and how many may come at once. */
  readonly channelPerSecond: number;
  readonly channelBurst: number;
  /** Messages in any minute to one workspace; not published. */
  readonly workspacePerMinute: number;
  /** Calls in any minute of one method for one workspace, by the method's tier. */
  readonly tiers: Readonly<Record<SlackTier, number>>;
  /** `conversations.history`: 1 a minute and 15 objects for apps outside the Marketplace; null: by its tier. */
  readonly historyPerMinute: number | null;
};
export type SlackTier = "1" | "2" | "3" | "4" | "auth.test" | "none";

/** https://docs.slack.dev/apis/web-api/rate-limits. A tier is "N and more a minute"; tier 1 lets ten sockets open. */
const SLACK_LIMITS: SlackLimits = {
  channelPerSecond: 1,
  channelBurst: 3,
  workspacePerMinute: 300,
  tiers: { "1": 10, "2": 20, "3": 50, "4": 100, "auth.test": 600, none: Number.POSITIVE_INFINITY },
  historyPerMinute: null,
};

/** A `chat.postMessage` that was let through or refused for its pace. */
export type SlackPace = {
  /** Milliseconds. */
  readonly at: number;
  readonly team: string;
  readonly channel: string;
  readonly isAccepted: boolean;
};

/** Slack's rate limits. Each answers null, or in how many seconds to come again. */
export function createPace(now: () => number) {
  let limits = SLACK_LIMITS;
  const windows = new Map<string, Window>();
  const buckets = new Map<string, { tokens: number; at: number }>();
  const log: SlackPace[] = [];

  function call(method: string, tier: SlackTier, team: string): number | null {
    const isHistory = method === "conversations.history" && limits.historyPerMinute !== null;
    const most = isHistory ? (limits.historyPerMinute ?? 0) : limits.tiers[tier];
    return within(`${method} ${team}`, most);
  }

  function post(team: string, channel: string): number | null {
    const wait = inBucket(channel) ?? within(`messages ${team}`, limits.workspacePerMinute);
    log.push({ at: now(), team, channel, isAccepted: wait === null });
    if (wait === null) take(channel);
    return wait;
  }

  function within(key: string, most: number): number | null {
    if (most === Number.POSITIVE_INFINITY) return null;
    const window = windows.get(key) ?? { instants: [], first: 0 };
    windows.set(key, window);
    const { instants } = window;
    while (window.first < instants.length && (instants[window.first] ?? 0) <= now() - 60_000)
      window.first += 1;
    if (window.first > 1000) {
      instants.splice(0, window.first);
      window.first = 0;
    }
    if (instants.length - window.first >= most) {
      const oldest = instants[instants.length - most] ?? now();
      return Math.max(1, Math.ceil((oldest + 60_000 - now()) / 1000));
    }
    instants.push(now());
    return null;
  }

  function inBucket(channel: string): number | null {
    const bucket = buckets.get(channel) ?? { tokens: limits.channelBurst, at: now() };
    const gained = ((now() - bucket.at) / 1000) * limits.channelPerSecond;
    bucket.tokens = Math.min(limits.channelBurst, bucket.tokens + gained);
    bucket.at = now();
    buckets.set(channel, bucket);
    return bucket.tokens >= 1 ? null : Math.max(1, Math.ceil((1 - bucket.tokens) / limits.channelPerSecond));
  }

  function take(channel: string): void {
    const bucket = buckets.get(channel);
    if (bucket !== undefined) bucket.tokens -= 1;
  }

  return {
    call,
    post,
    log: log as readonly SlackPace[],
    limits: () => limits,
    setLimits(next: Partial<SlackLimits>) {
      limits = { ...limits, ...next };
      windows.clear();
      buckets.clear();
    },
  };
}

type Window = { instants: number[]; first: number };

/** The most instants within any stretch of that length, the stretch's end excluded: what a limit is held against. */
export function mostWithin(instants: readonly number[], ms: number): number {
  const sorted = [...instants].sort((one, other) => one - other);
  let first = 0;
  let most = 0;
  for (const [index, instant] of sorted.entries()) {
    while (instant - (sorted[first] ?? instant) >= ms) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}
