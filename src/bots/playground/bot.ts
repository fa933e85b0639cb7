import { z } from "zod";
import { type Bot, type Post, PostError } from "../../core/bot.ts";
import type { ChannelKey } from "../../core/channel.ts";
import type { Reply } from "../../core/command.ts";
import { type Message, messageSchema } from "../../core/message.ts";

export const CLIENTS = ["discord", "slack"] as const;
/** Which client draws a channel. */
export type Client = (typeof CLIENTS)[number];

/** The channels of either client, each with what a newcomer may type there. */
export const CHANNELS = [
  {
    name: "papers",
    about: "The day's papers, for everybody",
    lines: [
      "/papers subscribe efficient inference",
      "/papers search diffusion language models",
      "/papers today",
    ],
  },
  {
    name: "agents",
    about: "Tools, planning and everything that acts",
    lines: ["/papers subscribe agents -robotics", "/papers search agents that use tools", "/papers trending"],
  },
  {
    name: "reading-group",
    about: "One paper at a time, discussed",
    lines: ["/papers subscribe has:code min:20", "/papers search survey of reasoning", "/papers today"],
  },
] as const;

/** Who a window may be. */
export const PEOPLE = {
  ada: { name: "Ada", role: "admin", maySet: true },
  sam: { name: "Sam", role: "member", maySet: false },
} as const;
export const PersonId = z.enum(["ada", "sam"]);
export type PersonId = z.infer<typeof PersonId>;

/** The key of a playground channel. */
export function channelKey(client: Client, channel: string): ChannelKey {
  return { platform: "playground", workspace: client, channel };
}

/**
 * Where the channels' messages last. `body` is text that only the bot reads. Revisions grow with every append and
 * replacement, over all channels; a channel keeps its newest 500 messages.
 */
export type MessageLog = {
  /** The same nonce in a channel appends once, and gives what stands there; null appends always. */
  append(entry: {
    readonly channel: ChannelKey;
    readonly nonce: string | null;
    readonly body: string;
  }): Promise<LoggedMessage & { readonly isNew: boolean }>;
  /** @returns null where there is no such message */
  replace(ref: string, body: string): Promise<LoggedMessage | null>;
  find(ref: string): Promise<LoggedMessage | null>;
  /** The newest of a channel, oldest first. */
  list(channel: ChannelKey, limit: number): Promise<readonly LoggedMessage[]>;
  /** Of all channels, what is newer than a revision, in the order of the revisions. */
  since(revision: number, limit: number): Promise<readonly LoggedMessage[]>;
  /** The newest revision; 0 for none. */
  revision(): Promise<number>;
};
export type LoggedMessage = {
  readonly ref: string;
  readonly channel: ChannelKey;
  readonly revision: number;
  readonly body: string;
};

const ContentBody = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("said"), person: PersonId, text: z.string() }),
  z.object({
    kind: z.literal("post"),
    message: messageSchema,
    command: z.object({ person: PersonId, text: z.string() }).nullable(),
    thread: z.string().nullable(),
    file: z.object({ name: z.string(), type: z.string(), text: z.string() }).nullable(),
  }),
]);
const Body = z.object({ at: z.string(), content: ContentBody });

/** What stands in a channel: what somebody said, or a post of Paperboy's. */
export type Content =
  | { readonly kind: "said"; readonly person: PersonId; readonly text: string }
  | {
      readonly kind: "post";
      readonly message: Message;
      /** The command that it answers for everybody; null for a post of its own accord. */
      readonly command: { readonly person: PersonId; readonly text: string } | null;
      /** The name of the thread that it opens. */
      readonly thread: string | null;
      readonly file: Reply["file"] | null;
    };
export type Posted = {
  readonly ref: string;
  readonly channel: ChannelKey;
  readonly revision: number;
  /** ISO instant by the playground's clock. */
  readonly at: string;
  readonly content: Content;
};

/** The bot of the playground, and what its windows need of it. */
export type PlaygroundBot = Bot & {
  /** Puts something into a channel that no delivery asked for. */
  say(channel: ChannelKey, content: Content): Promise<Posted>;
  /** Puts other content in the place of a post's; its time stays. Null where there is no such message. */
  change(ref: string, content: Content): Promise<Posted | null>;
  find(ref: string): Promise<Posted | null>;
  /** The newest of a channel, oldest first. */
  newest(channel: ChannelKey, limit: number): Promise<readonly Posted[]>;
  /** Of all channels, what is newer than a revision, in the order of the revisions. */
  since(revision: number, limit: number): Promise<readonly Posted[]>;
  revision(): Promise<number>;
  /** Hears all that is said, posted and changed, in the order of the revisions. @returns what ends it */
  watch(listener: (posted: Posted) => void): () => void;
};

/**
 * A bot whose channels are a log and the windows that watch it.
 * @param options.now the playground's clock
 */
export function createPlaygroundBot({
  log,
  now,
}: {
  readonly log: MessageLog;
  readonly now: () => Date;
}): PlaygroundBot {
  const listeners = new Set<(posted: Posted) => void>();
  let open = false;
  let last: Promise<unknown> = Promise.resolve();

  /** One after the other, so that listeners hear revisions in their order. */
  function inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = last.then(run);
    last = turn.catch(() => null);
    return turn;
  }
  function tell(logged: LoggedMessage): Posted {
    const posted = read(logged);
    for (const listener of listeners) listener(posted);
    return posted;
  }
  function append(channel: ChannelKey, content: Content, nonce: string | null): Promise<Posted> {
    return inTurn(async () => {
      const body = JSON.stringify({ at: now().toISOString(), content });
      const logged = await log.append({ channel, nonce, body });
      return logged.isNew ? tell(logged) : read(logged);
    });
  }

  return {
    platform: "playground",
    afterUncertain: "repeat",
    async start() {
      open = true;
    },
    async post({ to, person, message, nonce }: Post) {
      if (!open) throw new PostError("retry", "The playground is stopping.");
      if (!isChannel(to)) {
        throw new PostError("rejected", `The playground has no channel #${to.channel} on ${to.workspace}.`);
      }
      if (person !== null) throw new PostError("rejected", "The playground has no direct messages.");
      try {
        const content = { kind: "post", message, command: null, thread: null, file: null } as const;
        const { ref } = await append(to, content, nonce);
        return { ref };
      } catch (error) {
        throw new PostError("retry", "The playground could not write its log.", { cause: error });
      }
    },
    async stop() {
      open = false;
      await last;
    },

    say: (channel, content) => append(channel, content, null),
    change: (ref, content) =>
      inTurn(async () => {
        const before = await log.find(ref);
        if (before === null) return null;
        const logged = await log.replace(ref, JSON.stringify({ at: read(before).at, content }));
        return logged === null ? null : tell(logged);
      }),
    async find(ref) {
      const logged = await log.find(ref);
      return logged === null ? null : read(logged);
    },
    newest: async (channel, limit) => (await log.list(channel, limit)).map(read),
    since: async (revision, limit) => (await log.since(revision, limit)).map(read),
    revision: () => log.revision(),
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function isChannel({ platform, workspace, channel }: ChannelKey): boolean {
  return (
    platform === "playground" &&
    CLIENTS.some((client) => client === workspace) &&
    CHANNELS.some(({ name }) => name === channel)
  );
}

function read({ body, ...logged }: LoggedMessage): Posted {
  return { ...logged, ...Body.parse(JSON.parse(body)) };
}
