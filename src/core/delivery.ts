import type { Channel, ChannelKey, Due, Platform } from "./channel.ts";
import type { Day } from "./day.ts";
import type { Message } from "./message.ts";

/** What a delivery is: the scheduled digest, a sample after subscribing, or a line on the channel's own affairs. */
export type DeliveryKind = "digest" | "sample" | "notice";

/**
 * How a slot ended, or where it is: `pending`, `waiting` (the list is settling, Hugging Face is out of reach) and
 * `sending` are on the way; all others are final.
 */
export const OUTCOMES = [
  "pending",
  "waiting",
  "sending",
  "sent",
  "sent-late",
  "quiet",
  "no-list",
  "skipped-late",
  "rejected",
  "failed",
  "uncertain",
] as const;
export type Outcome = (typeof OUTCOMES)[number];
export type FinalOutcome = Exclude<Outcome, "pending" | "waiting" | "sending">;

/** A row of the ledger: one message that a channel is owed, or was. Its key is channel, kind and slot. */
export type Delivery = ChannelKey & {
  /** Made from the key, so that it is the same in every process. */
  readonly id: string;
  readonly kind: DeliveryKind;
  readonly slot: Day;
  /** Who alone is told, in a direct message about the channel; null for a message in the channel. */
  readonly person: string | null;
  /** ISO instant at which it was due. */
  readonly dueAt: string;
  readonly outcome: Outcome;
  /** A sentence on the outcome for people; empty for none. */
  readonly detail: string;
  /** How often it was claimed. */
  readonly attempts: number;
  /** How often an attempt failed; a wait for its list is no failure. */
  readonly failures: number;
  /** Whether an attempt before may have posted it. */
  readonly uncertain: boolean;
  /** ISO instant before which it is not tried. */
  readonly nextAttemptAt: string;
  /** Frozen before the first attempt, so that every attempt sends the same; gone once settled. */
  readonly content: Message | null;
  /** All papers that the digest ranked, best first; those after the first `shown` are on its later pages. */
  readonly paperIds: readonly string[];
  readonly shown: number;
  /** The platform's id of the message; null while there is none. */
  readonly ref: string | null;
  readonly settledAt: string | null;
};

/** A delivery in its owner's hands. */
export type Claimed = Delivery & {
  /** Whether an owner before let its lease run out: a frozen content may have been posted by then. */
  readonly lapsed: boolean;
};

/**
 * The ledger: the truth about what was delivered. Every call is one transaction. `platforms` are those that the caller
 * serves: another process may serve others from the same store. What a departed workspace is owed waits until it is
 * joined again.
 */
export type Ledger = {
  /** Channels whose next digest is due and that are not paused, the longest due first. */
  dueChannels(now: string, limit: number, platforms: readonly Platform[]): Promise<readonly Channel[]>;
  /**
   * Enters slots and moves each channel's next due instant, together. A slot that stands already stays as it is; a
   * channel whose next due instant is no longer `expected` is left alone, since another process planned it.
   */
  plan(plans: readonly Plan[]): Promise<void>;
  /** Enters a delivery outside the schedule (a sample, a notice). @returns false where it stands already */
  enter(entry: Entry): Promise<boolean>;
  /**
   * Takes deliveries that may be tried now, or whose owner's lease ran out, for an owner: they are `sending`, with one
   * attempt more. Oldest first. Nobody else gets them before the lease ends.
   */
  claim(by: {
    readonly owner: string;
    readonly now: string;
    readonly leaseUntil: string;
    readonly limit: number;
    readonly platforms: readonly Platform[];
  }): Promise<readonly Claimed[]>;
  /** Freezes contents before the first attempt; one that is frozen already stays. @returns ids of those that this owner still holds */
  freeze(owner: string, contents: readonly Frozen[]): Promise<ReadonlySet<string>>;
  /**
   * Ends deliveries; what is no longer this owner's is left alone. A sent digest's papers are the channel's from then
   * on, and what an ending has to tell is entered with it.
   */
  settle(owner: string, endings: readonly Ending[]): Promise<void>;
  /** Puts deliveries back for later. */
  postpone(owner: string, postponed: readonly Postponed[]): Promise<void>;
  /** A channel's deliveries, newest slot first. */
  history(key: ChannelKey, limit: number): Promise<readonly Delivery[]>;
  delivery(id: string): Promise<Delivery | null>;
  /** Which of these papers the channel has had. */
  delivered(key: ChannelKey, paperIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** When the next claim may find something; null for nothing in sight. */
  nextAttemptAt(platforms: readonly Platform[]): Promise<string | null>;
  audit(now: string): Promise<Audit>;
};

export type Plan = {
  readonly channel: ChannelKey;
  /** The `next.at` that was read. */
  readonly expected: string;
  readonly slots: readonly (Due & {
    readonly outcome: "pending" | "skipped-late";
    readonly detail: string;
  })[];
  readonly next: Due | null;
};
export type Entry = ChannelKey & {
  readonly kind: DeliveryKind;
  readonly slot: Day;
  readonly person: string | null;
  readonly dueAt: string;
  readonly content: Message | null;
};
export type Frozen = {
  readonly id: string;
  readonly content: Message;
  readonly paperIds: readonly string[];
  readonly shown: number;
};
export type Ending = {
  readonly id: string;
  readonly outcome: FinalOutcome;
  readonly detail: string;
  readonly ref: string | null;
  readonly at: string;
  /** The first list day that the channel's next digest may show, which never moves back; null leaves it as it is. */
  readonly readFrom: Day | null;
  /** Why the channel pauses from now on, without end; null where it does not. */
  readonly pause: string | null;
  /**
   * What is told because of it, as a `notice` on the same slot, due at once: with a pause, to who set the channel up
   * alone, and only if the channel was not paused so before; without one, in the channel. Null for nothing.
   */
  readonly notice: Message | null;
};
export type Postponed = {
  readonly id: string;
  readonly outcome: "pending" | "waiting";
  readonly nextAttemptAt: string;
  readonly detail: string;
  /** Whether it counts as a failure. */
  readonly failed: boolean;
  /** Whether the attempt may have posted it all the same. */
  readonly uncertain: boolean;
};

/**
 * The ledger in figures. `lost`: due more than 18 hours ago and still on the way, in a workspace that was not left.
 * `doubled`: two messages for one row.
 */
export type Audit = {
  readonly deliveries: number;
  readonly byOutcome: Readonly<Partial<Record<Outcome, number>>>;
  readonly lost: number;
  readonly doubled: number;
  readonly uncertain: number;
};
