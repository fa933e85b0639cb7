import type { Day } from "./day.ts";

/** `playground`: the channels of the page, where `workspace` is the client that draws them. */
export type Platform = "discord" | "slack" | "playground";

/** Where digests go. `workspace` is the guild or team; empty where there is none (a direct message on Discord). */
export type ChannelKey = {
  readonly platform: Platform;
  readonly workspace: string;
  readonly channel: string;
};

/** A guild or a team. */
export type WorkspaceKey = Pick<ChannelKey, "platform" | "workspace">;

/** Somebody there, by the platform's own id. */
export type PersonKey = {
  readonly platform: Platform;
  readonly workspace: string;
  readonly person: string;
};

/** When a channel gets its digest: at a local time on some days of the week. One day is a weekly digest. */
export type Schedule = {
  /** `HH:MM`, 00:00 to 23:59, in `zone`. */
  readonly time: string;
  /** IANA name, such as `Europe/Paris`. */
  readonly zone: string;
  /** ISO weekdays, 1 for Monday to 7 for Sunday, in order, at least one. */
  readonly weekdays: readonly number[];
};

export const DEFAULT_SCHEDULE: Schedule = { time: "09:00", zone: "UTC", weekdays: [1, 2, 3, 4, 5] };
export const DEFAULT_TOP = 5;

/** A channel and its settings. It is kept from its first subscription on. */
export type Channel = ChannelKey & {
  readonly schedule: Schedule;
  /** Papers of a digest, 1 to 20. */
  readonly top: number;
  readonly paused: Pause | null;
  /** Whether its digests are passed on to the channels that follow it, such as those of a Discord announcement channel. */
  readonly publish: boolean;
  /** ISO instant of the next digest, and its slot; null while there is no subscription, or a pause without end. */
  readonly next: Due | null;
  /** The first list day that its next digest may show. */
  readonly readFrom: Day;
  /** Grows with each change of its settings or subscriptions, so that an undo finds what it was made for. */
  readonly version: number;
  /** Who made its first subscription: who is told when it stops working. */
  readonly setUpBy: string;
  /** The highest number that a subscription of it ever had. */
  readonly lastNumber: number;
};

export type Pause = {
  /** The last day without digests, in the channel's zone; null for a pause without end. */
  readonly until: Day | null;
  /** Why, in a sentence, where it was not asked for; null where somebody asked. */
  readonly reason: string | null;
};

/** A due digest: its instant, and the channel's local date of it, which is its slot. */
export type Due = { readonly at: string; readonly slot: Day };

/** A topic in a channel. An empty topic is the general top list. */
export type Subscription = {
  /** Counts up in the channel, from 1; never used again. */
  readonly number: number;
  /** Canonical text of the topic language. */
  readonly topic: string;
  readonly createdBy: string;
  readonly createdAt: string;
};

/** Somebody's word on a paper: 1 for more like it, -1 for less. */
export type Feedback = { readonly paperId: string; readonly value: 1 | -1 };

/** Where a paper was shown in a channel. */
export type Mention = {
  readonly paperId: string;
  /** The platform's own id of the message, or of the thread. */
  readonly ref: string;
  readonly at: string;
};

/** What lasts of channels and people. Every call is one transaction; a channel's version moves with each change. */
export type ChannelStore = {
  channel(key: ChannelKey): Promise<Channel | null>;
  subscriptions(key: ChannelKey): Promise<readonly Subscription[]>;
  /**
   * Changes a channel's settings or subscriptions, or makes the channel. `change` sees what there is and gives
   * what there shall be, or null for no change; it is called inside the transaction and must not wait for anything.
   * @returns the channel after it
   */
  change(
    key: ChannelKey,
    change: (now: ChannelState | null) => ChannelState | null,
  ): Promise<ChannelState | null>;
  /** Channels that have at least one subscription. */
  count(): Promise<number>;
  /** Up to `limit` of a platform's channels that have a subscription, the next due first, and how many there are. */
  subscribed(
    platform: Platform,
    limit: number,
  ): Promise<{ readonly channels: readonly ChannelKey[]; readonly total: number }>;

  /**
   * A person's channels: those that have a subscription and that the person set up or made a subscription of. Up to
   * `limit`, the next due first, and how many there are.
   */
  channelsOf(
    person: PersonKey,
    limit: number,
  ): Promise<{ readonly channels: readonly ChannelState[]; readonly total: number }>;

  /** @returns false where it was saved before */
  save(person: PersonKey, paperId: string, at: string): Promise<boolean>;
  /** @returns false where it was not saved */
  unsave(person: PersonKey, paperId: string): Promise<boolean>;
  /** Newest first. */
  saved(person: PersonKey): Promise<readonly { readonly paperId: string; readonly savedAt: string }[]>;

  /** One word a person, paper and channel; a new one replaces it. */
  giveFeedback(key: ChannelKey, person: string, feedback: Feedback, at: string): Promise<void>;
  /** Of the whole channel, newest first. */
  feedback(key: ChannelKey): Promise<readonly Feedback[]>;
  /** @returns how many words were taken back */
  resetFeedback(key: ChannelKey): Promise<number>;

  /**
   * Notes that a message shows a paper, unless another one did so after `quietSince`. What was noted before is shown
   * again. Mentions go after a year.
   * @param quietSince ISO instant; null: it is noted in any case
   * @returns whether it stands now, and the newest mention of the paper there by another message
   */
  mention(
    key: ChannelKey,
    mention: Mention,
    quietSince: string | null,
  ): Promise<{ readonly isNoted: boolean; readonly before: Mention | null }>;
  /** The newest mention of a paper in a channel, not older than a year. */
  lastMention(key: ChannelKey, paperId: string, now: string): Promise<Mention | null>;

  /** Keeps a text under an id made from it, for buttons that must outlive a restart; the same text, the same id. */
  keepView(text: string, at: string): Promise<string>;
  /** Null where it was never kept, or more than thirty days before `now`. */
  view(id: string, now: string): Promise<string | null>;

  /** Deletes what is kept of a person, in all channels of the workspace. @returns how many saved papers and words */
  forget(person: PersonKey): Promise<{ readonly saved: number; readonly feedback: number }>;

  /**
   * Marks a workspace that the app was removed from: it is owed nothing until it is joined again. The first instant
   * stays.
   * @throws TypeError for the empty workspace, which is all that have none
   */
  leave(workspace: WorkspaceKey, at: string): Promise<void>;
  /** @returns whether the workspace had been left; what is kept of it goes on */
  join(workspace: WorkspaceKey): Promise<boolean>;
  /** The workspaces that anything is kept of, without the empty one and those that were left. */
  workspaces(platform: Platform): Promise<readonly string[]>;
  /** The workspaces that were left. */
  departed(platform: Platform): Promise<readonly string[]>;
  /**
   * Deletes all that is kept of the workspaces that were left before an instant, but for views, which go by
   * themselves. Each workspace is a transaction of its own.
   * @returns how many workspaces
   */
  deleteDeparted(leftBefore: string): Promise<number>;
};

/** A channel with its subscriptions, as `change` sees and makes it. The version is the store's to set. */
export type ChannelState = {
  readonly channel: Channel;
  readonly subscriptions: readonly Subscription[];
};
