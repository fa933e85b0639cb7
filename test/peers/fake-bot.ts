import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { type Bot, type Post, PostError } from "../../src/core/bot.ts";
import type { ChannelKey, Platform } from "../../src/core/channel.ts";
import type { Message } from "../../src/core/message.ts";

/** An accepted post, as the platform's people see it. */
export type Accepted = {
  readonly ref: string;
  readonly to: ChannelKey;
  /** Who got it as a direct message; null where it stands in the channel. */
  readonly person: string | null;
  readonly nonce: string;
  readonly message: Message;
};

/** How a post goes wrong. `uncertain-after` and `strange-after` were accepted all the same. */
const FAULTS = [
  "retry",
  "rejected",
  "uncertain-before",
  "uncertain-after",
  "strange-before",
  "strange-after",
  "hang",
] as const;
export type Fault = (typeof FAULTS)[number];

export type FakeBotOptions = {
  readonly platform?: Platform;
  /** With `repeat` it dedupes by nonce. */
  readonly afterUncertain?: Bot["afterUncertain"];
  /** Where accepted posts are written, a line each, so that they outlive the process; null for nowhere. */
  readonly file?: string | null;
  /** Share of the posts that each fault befalls. */
  readonly rates?: Readonly<Partial<Record<Fault, number>>>;
  /** 0 to 1. */
  readonly random?: () => number;
  /** How long the platform takes for a post; at once unless told. */
  readonly delay?: () => Promise<void>;
  /** With `retry`, how long it wants to be left alone. */
  readonly retryAfterMs?: number;
};

export type FakeBot = Bot & {
  /** All that was accepted, by this process and those before it. */
  readonly accepted: readonly Accepted[];
  /** Posts that were asked for here, with the faults included. */
  readonly asked: readonly Post[];
  /** The most posts that were under way at once. */
  readonly mostAtOnce: () => number;
  /** What befalls the next posts, one each, before the rates hold again. */
  befall(...faults: readonly (Fault | "none")[]): void;
};

/** A platform that refuses, forgets to answer, and throws what no contract allows. */
export function createFakeBot(options: FakeBotOptions = {}): FakeBot {
  const {
    platform = "discord",
    afterUncertain = "repeat",
    file = null,
    rates = {},
    random = Math.random,
  } = options;
  const dedupes = afterUncertain === "repeat";
  const accepted: Accepted[] = file === null ? [] : [...readAccepted(file)];
  const byNonce = new Map(accepted.map((each) => [nonceKey(each), each]));
  const asked: Post[] = [];
  const fated: (Fault | "none")[] = [];
  let open = false;
  let atOnce = 0;
  let most = 0;
  let idle: () => void = () => {};

  function pick(): Fault | "none" {
    const next = fated.shift();
    if (next !== undefined) return next;
    let left = random();
    for (const fault of FAULTS) {
      left -= rates[fault] ?? 0;
      if (left < 0) return fault;
    }
    return "none";
  }

  function accept({ to, person, message, nonce }: Post): Accepted {
    const known = dedupes ? byNonce.get(nonceKey({ to, person, nonce })) : undefined;
    if (known !== undefined) return known;
    const post = { ref: `m${accepted.length + 1}`, to, person, nonce, message };
    if (file !== null) appendFileSync(file, `${JSON.stringify(post)}\n`);
    accepted.push(post);
    byNonce.set(nonceKey(post), post);
    return post;
  }

  async function answer(post: Post): Promise<{ readonly ref: string }> {
    const fault = pick();
    await options.delay?.();
    if (fault === "retry") {
      const { retryAfterMs } = options;
      throw new PostError(
        "retry",
        "The platform is busy.",
        retryAfterMs === undefined ? {} : { retryAfterMs },
      );
    }
    if (fault === "rejected") throw new PostError("rejected", "Invite the app to this channel.");
    if (fault === "hang") await new Promise(() => {});
    if (fault === "uncertain-before") throw new PostError("uncertain", "The connection broke.");
    if (fault === "strange-before") throw "a string";
    const { ref } = accept(post);
    if (fault === "uncertain-after") throw new PostError("uncertain", "The connection broke.");
    if (fault === "strange-after") throw new TypeError("Cannot read properties of undefined");
    return { ref };
  }

  return {
    platform,
    afterUncertain,
    accepted,
    asked,
    mostAtOnce: () => most,
    befall: (...faults) => {
      fated.push(...faults);
    },
    async start() {
      open = true;
    },
    async post(post) {
      if (!open) throw new PostError("retry", "The bot is stopping.");
      asked.push(post);
      most = Math.max(most, ++atOnce);
      try {
        return await answer(post);
      } finally {
        if (--atOnce === 0) idle();
      }
    },
    async stop() {
      open = false;
      if (atOnce > 0) {
        await new Promise<void>((resolve) => {
          idle = resolve;
        });
      }
    },
  };
}

/** The accepted posts of a file; a last line that a dying process left half-written was not accepted. */
export function readAccepted(file: string): readonly Accepted[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.slice(0, -1).map((line) => JSON.parse(line));
}

/** Nonces are a channel's own, or a person's. */
function nonceKey({ to, person, nonce }: Pick<Post, "to" | "person" | "nonce">): string {
  return JSON.stringify([to.workspace, to.channel, person, nonce]);
}
