import { setTimeout as pass } from "node:timers/promises";
import {
  type APIActionRowComponent,
  type APIButtonComponent,
  type APISelectMenuComponent,
  ButtonStyle,
  Client,
  ComponentType,
  Events,
  GatewayIntentBits,
  type Interaction,
} from "discord.js";

// A bare discord.js bot in a process of its own, as its guide writes one:
//
//   DISCORD_TOKEN=… DISCORD_API_URL=… node bench/plain-bot.ts pong
//   DISCORD_TOKEN=… DISCORD_API_URL=… node bench/plain-bot.ts one-by-one|all-at-once <channel>…
//
// It says "ready" to its parent, then answers "pong" to everything or sends a message to each channel.

const [mode, ...channelIds] = process.argv.slice(2);
/** For those who press and choose. */
const BUTTON: APIActionRowComponent<APIButtonComponent> = {
  type: ComponentType.ActionRow,
  components: [
    { type: ComponentType.Button, style: ButtonStyle.Primary, custom_id: "next", label: "Next page" },
  ],
};
const MENU: APIActionRowComponent<APISelectMenuComponent> = {
  type: ComponentType.ActionRow,
  components: [
    {
      type: ComponentType.StringSelect,
      custom_id: "paper",
      placeholder: "Choose a paper",
      options: [{ label: "pong", value: "pong" }],
    },
  ],
};
const client = new Client({
  intents: [GatewayIntentBits.Guilds],
  rest: { api: process.env["DISCORD_API_URL"] ?? "" },
});
// As long as a digest.
const content = "Daily Papers: a small language that writes an agent's workflow down. ".repeat(25);

client.on(Events.InteractionCreate, (interaction) => {
  void pong(interaction);
});
client.once(Events.ClientReady, () => {
  void sendAll();
});
await client.login(process.env["DISCORD_TOKEN"]);

async function pong(interaction: Interaction): Promise<void> {
  if (interaction.isAutocomplete()) await interaction.respond([{ name: "pong", value: "pong" }]);
  else if (interaction.isRepliable())
    await interaction.reply({ content: "pong", components: [BUTTON, MENU] });
}

async function sendAll(): Promise<void> {
  // The servers come right after READY.
  while (channelIds.some((id) => !client.channels.cache.has(id))) await pass(20);
  process.send?.("ready");
  const send = async (id: string) => {
    const channel = client.channels.cache.get(id);
    if (channel?.isSendable() === true) await channel.send(content);
  };
  if (mode === "one-by-one") for (const id of channelIds) await send(id);
  if (mode === "all-at-once") await Promise.all(channelIds.map(send));
  process.send?.("done");
}
