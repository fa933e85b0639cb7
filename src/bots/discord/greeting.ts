import { ChannelType, type Guild, type GuildBasedChannel, PermissionFlagsBits, Routes } from "discord.js";
import { sentence } from "../../core/command.ts";
import { renderDiscord } from "./render.ts";
import type { Sending } from "./sending.ts";

/** Says hello in a server that Paperboy was added to, where it may; nowhere is no failure. */
export async function greet(
  guild: Guild,
  sending: Pick<Sending, "request">,
  { isBack }: { readonly isBack: boolean },
): Promise<void> {
  const channel = greetingChannel(guild);
  if (channel === null) return;
  const message = isBack
    ? sentence(
        "Paperboy is back",
        "The subscriptions of this server were kept and go on.",
        "How they stand, in each channel: /papers status",
      )
    : sentence(
        "Paperboy is here",
        "It brings Hugging Face's Daily Papers into a channel: the ones on its topics, on its own schedule, with one sentence each.",
        "1. Where digests shall come: /papers subscribe efficient inference",
        "2. When: /papers schedule 09:00 Europe/Paris weekdays top 5",
        "3. Anybody, any time: /papers search agents that use tools",
        "More: /papers help. Whoever may manage a channel sets it up; all may search.",
      );
  await sending.request("post", Routes.channelMessages(channel.id), renderDiscord(message));
}

/** Where the server welcomes people, else the uppermost text channel that Paperboy may write in. */
function greetingChannel(guild: Guild): GuildBasedChannel | null {
  const me = guild.members.me;
  if (me === null) return null;
  const needed = [PermissionFlagsBits.ViewChannel, PermissionFlagsBits.SendMessages];
  const may = (channel: GuildBasedChannel) => channel.permissionsFor(me).has(needed);
  if (guild.systemChannel !== null && may(guild.systemChannel)) return guild.systemChannel;
  const open = guild.channels.cache
    .filter((channel) => channel.type === ChannelType.GuildText && may(channel))
    .toJSON()
    .toSorted((a, b) => positionOf(a) - positionOf(b));
  return open[0] ?? null;
}

function positionOf(channel: GuildBasedChannel): number {
  return "rawPosition" in channel ? channel.rawPosition : 0;
}
