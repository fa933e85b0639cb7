import type { ChannelKey } from "./channel.ts";
import type { DeliveryKind } from "./delivery.ts";
import type { Message } from "./message.ts";

/** A platform's adapter: it posts, and hands what people type and press to the commands. */
export type Bot = {
  readonly platform: ChannelKey["platform"];
  /**
   * What follows a post of which nobody knows whether it was made. `repeat`: it is tried again, since the same nonce
   * makes it once however often it is asked for. `repeat-once`: it is tried once more, and what could then stand twice
   * is settled as uncertain. `settle`: it is settled as uncertain at once.
   */
  readonly afterUncertain: "repeat" | "repeat-once" | "settle";
  /** Resolves once it can post. */
  start(): Promise<void>;
  /** @throws PostError, and nothing else */
  post(post: Post): Promise<Posted>;
  /** Takes no more, and resolves once what is under way has ended. */
  stop(): Promise<void>;
};

export type Post = {
  readonly to: ChannelKey;
  /** Told to that person alone, in a direct message about the channel `to`; null for a message in the channel. */
  readonly person: string | null;
  readonly kind: DeliveryKind;
  /** 1 for the first; more where an attempt went before whose outcome may be uncertain. */
  readonly attempt: number;
  readonly message: Message;
  /** At most 25 characters, the same for each attempt at one delivery. */
  readonly nonce: string;
  /** ISO instant since when it is due: no attempt went before that. Absent for what is no delivery. */
  readonly dueAt?: string;
  /** Whether an attempt before may have made it all the same. */
  readonly inDoubt?: boolean;
};

export type Posted = {
  /** The platform's id of the message. */
  readonly ref: string;
  /** Whether what an attempt before made may stand beside it, since nobody could look. */
  readonly mayStandTwice?: boolean;
};

/** One thing that was looked at to see whether a platform is set up as it should be. */
export type Check = {
  readonly platform: ChannelKey["platform"];
  /** One word, such as `token`. */
  readonly name: string;
  /** `warning`: it works, though not all of it, or not for long. */
  readonly state: "ok" | "warning" | "error";
  /** What was found, in a few words. */
  readonly detail: string;
  /** What to do about it; null for nothing. */
  readonly fix: string | null;
};

/**
 * A post that failed, in one of three ways. `retry`: it was not made, and may be later. `rejected`: it was not made
 * and will not be until somebody acts; the message tells that person what to do. `uncertain`: nobody knows.
 */
export class PostError extends Error {
  readonly kind: "retry" | "rejected" | "uncertain";
  /** With `retry`: how long the platform wants to be left alone; null where it did not say. */
  readonly retryAfterMs: number | null;
  /** With `uncertain`: whether no attempt may follow, whatever the bot says of `afterUncertain`. */
  readonly isLast: boolean;

  constructor(
    kind: PostError["kind"],
    message: string,
    options: { readonly retryAfterMs?: number; readonly isLast?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = "PostError";
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.isLast = options.isLast ?? false;
  }
}

/** What a bot tells of itself, for logs and metrics. `refused` wants a person; `trouble` ends by itself. */
export type BotEvent =
  | { readonly kind: "connected"; readonly detail: string }
  | { readonly kind: "trouble" | "refused"; readonly detail: string }
  | { readonly kind: "joined" | "left"; readonly workspace: string }
  | { readonly kind: "acknowledged"; readonly what: string; readonly ms: number }
  | { readonly kind: "unexpected"; readonly what: string; readonly error: unknown };
