import { setTimeout as pass } from "node:timers/promises";
import { REST } from "discord.js";
import { createDiscordBot, type DiscordBot } from "../../../src/bots/discord/bot.ts";
import { register } from "../../../src/bots/discord/registration.ts";
import type { BotEvent } from "../../../src/core/bot.ts";
import { commands } from "../../../src/core/commands.ts";
import { createFloodGuard } from "../../../src/core/flood.ts";
import { createDesk, type TestDesk } from "../../contracts/desk.ts";
import { type DiscordOptions, type DiscordPeer, startDiscord } from "../../peers/discord.ts";

/** A server on a local Discord with Paperboy on it, `/papers` registered, an admin and a member. */
export type World = {
  readonly discord: DiscordPeer;
  readonly bot: DiscordBot;
  readonly desk: TestDesk;
  readonly events: BotEvent[];
  readonly guildId: string;
  /** A text channel. */
  readonly channelId: string;
  /** May manage channels. */
  readonly ada: string;
  readonly sam: string;
  close(): Promise<void>;
};

/**
 * @param options.isStarted whether the bot has connected
 * @param options.library another world's desk, whose papers it shares
 */
export async function createWorld({
  isStarted = true,
  library,
  wait = (ms) => pass(ms, undefined, { ref: false }),
  ...options
}: DiscordOptions & {
  readonly isStarted?: boolean;
  readonly library?: Pick<TestDesk, "store" | "index">;
  readonly wait?: (ms: number) => Promise<void>;
} = {}): Promise<World> {
  const discord = await startDiscord(options);
  const guild = discord.addGuild({ name: "Efficient Inference Lab" });
  const channelId = discord.addChannel(guild.id, { name: "papers" });
  const ada = discord.addMember(guild.id, { name: "Ada", permissions: ["MANAGE_CHANNELS"] });
  const sam = discord.addMember(guild.id, { name: "Sam" });
  const rest = new REST({ api: discord.apiUrl, handlerSweepInterval: 0, hashSweepInterval: 0 }).setToken(
    discord.token(),
  );
  await register({ rest, applicationId: discord.applicationId, commands });
  const desk = await createDesk(library === undefined ? {} : { library });
  const events: BotEvent[] = [];
  const bot = createDiscordBot({
    token: discord.token(),
    apiUrl: discord.apiUrl,
    desk: () => ({
      ...desk,
      async post(to, message) {
        const nonce = `sample${events.length}`;
        await bot.post({ to, person: null, kind: "sample", attempt: 1, message, nonce });
      },
    }),
    channels: desk.channels,
    flood: createFloodGuard({
      perPerson: 1000,
      perWorkspace: 5000,
      windowMs: 60_000,
      clock: () => new Date(),
    }),
    clock: () => new Date(),
    wait,
    report: (event) => events.push(event),
  });
  if (isStarted) await bot.start();
  return {
    discord,
    bot,
    desk,
    events,
    guildId: guild.id,
    channelId,
    ada,
    sam,
    async close() {
      await bot.stop();
      await discord.close();
      await desk.close();
    },
  };
}
