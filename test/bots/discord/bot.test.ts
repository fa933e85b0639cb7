import { afterAll, beforeAll } from "vitest";
import { botContract } from "../../contracts/bot.ts";
import { createDesk, type TestDesk } from "../../contracts/desk.ts";
import { createWorld } from "./world.ts";

let library: TestDesk;
beforeAll(async () => {
  library = await createDesk({ days: 1 });
});
afterAll(() => library.close());

botContract("on Discord", async () => {
  const { bot, discord, guildId, channelId, close } = await createWorld({
    library,
    isStarted: false,
    // The contract posts more in a second than Discord takes in one channel.
    limits: { "POST /channels/:channel/messages": { requests: 1000, perMs: 1000 } },
  });
  const key = { platform: "discord", workspace: guildId } as const;
  const gone = discord.addChannel(guildId, { name: "gone" });
  discord.deleteChannel(gone);
  return {
    bot,
    to: { ...key, channel: channelId },
    unknown: { ...key, channel: gone },
    standing: async () => discord.messages(channelId).map((message) => discord.textOf(message)),
    close,
  };
});
