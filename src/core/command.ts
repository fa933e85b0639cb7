import type { ChannelKey, ChannelStore } from "./channel.ts";
import type { Context } from "./context.ts";
import type { Ledger } from "./delivery.ts";
import type { FrequentTopics } from "./frequent-topics.ts";
import type { Message } from "./message.ts";

/** What commands work on: the papers, the channels, the ledger. */
export type Desk = Context & {
  readonly channels: ChannelStore;
  readonly ledger: Ledger;
  /** What may be offered where a topic is typed. */
  readonly frequent: FrequentTopics;
  /** Posts into a channel as a digest would be, outside the ledger. @throws PostError */
  readonly post: (to: ChannelKey, message: Message) => Promise<void>;
};

/** Who asks, where, and what that person may do there. */
export type Asker = {
  readonly where: ChannelKey;
  /** The platform's id of the person. */
  readonly person: string;
  /** As others see it; text from outside. */
  readonly name: string;
  /** Whether the person may change this channel's settings. */
  readonly maySet: boolean;
  /** The person's own IANA zone where the platform tells it; null elsewhere. */
  readonly zone: string | null;
  readonly rights: Rights;
};

/** What Paperboy itself may do where it was asked, as the platform says. */
export type Rights = {
  /** Why no digest could be posted here and who can mend it, in a sentence; null where nothing stands in the way. */
  readonly obstacle: string | null;
  /** Each right by the platform's own name for it. */
  readonly granted: readonly { readonly name: string; readonly isGranted: boolean }[];
  /** Whether other channels can follow this one, so that its digests can be passed on to them. */
  readonly canPublish: boolean;
};

/** Of a place where everything is allowed. */
export const ALL_RIGHTS: Rights = { obstacle: null, granted: [], canPublish: false };

/** An answer. Mistakes are answers too: a sentence, the nearest valid form, a line to copy. */
export type Reply = {
  readonly message: Message;
  /** `asker`: only that person sees it, and can share it. `channel`: everybody there, as changes of settings do. */
  readonly to: "asker" | "channel";
  /** Whether it takes the place of the message whose button was pressed. */
  readonly replaces?: boolean;
  /** A file that comes with it, such as an export. */
  readonly file?: { readonly name: string; readonly type: string; readonly text: string };
  /** Opens a thread of this name on a message with the paper, in the channel. */
  readonly thread?: string;
  /** The paper that the message is about, so that where it was shown can be found again. */
  readonly about?: string;
};

/** An option's values by name, as typed; absent ones are not there. */
export type Args = Readonly<Record<string, string>>;

/**
 * A subcommand of `/papers`, as data: one grammar for all surfaces. On Discord its options are native; on Slack and in
 * the playground `parse` reads them from the text behind the name.
 */
export type Command = {
  readonly name: string;
  /** At most 100 characters. */
  readonly summary: string;
  /** The text form, such as `schedule 09:00 Europe/Paris weekdays top 5`. */
  readonly usage: string;
  /** Lines that can be copied as they are, without `/papers`. */
  readonly examples: readonly string[];
  readonly options: readonly Option[];
  /** `settings`: who may change the channel. `own`: everybody, for what is theirs alone. */
  readonly who: "all" | "settings" | "own";
  /** Never throws: what it cannot place it gives to an option that `run` will refuse in a sentence. */
  readonly parse: (text: string) => Args;
  /** Throws nothing but what nobody expected. */
  readonly run: (desk: Desk, asker: Asker, args: Args, offset?: number) => Promise<Reply>;
};

export type Option = {
  readonly name: string;
  /** At most 100 characters. */
  readonly summary: string;
  readonly required: boolean;
  /** The only values there are; null for free text. At most 25. */
  readonly choices: readonly string[] | null;
  /** The whole numbers there are, both ends included; `run` gets what was chosen as text. Absent: it is no number. */
  readonly range?: { readonly min: number; readonly max: number };
  /** What is offered while it is typed: at most 25, labels of at most 100 characters. Null for nothing. */
  readonly complete: ((desk: Desk, asker: Asker, typed: string) => Promise<readonly Choice[]>) | null;
};
export type Choice = { readonly label: string; readonly value: string };

/** A message of one or two plain sentences. */
export function sentence(title: string, ...intro: readonly string[]): Message {
  return { title, intro, items: [], select: null, buttons: [], pages: null, footer: null };
}
