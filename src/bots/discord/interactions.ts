import {
  type AutocompleteInteraction,
  type ButtonInteraction,
  ChannelType,
  type ChatInputCommandInteraction,
  type Client,
  type Interaction,
  InteractionContextType,
  InteractionResponseType,
  MessageFlags,
  PermissionFlagsBits,
  type RESTPostAPIInteractionCallbackWithResponseResult,
  Routes,
  type StringSelectMenuInteraction,
} from "discord.js";
import type { BotEvent } from "../../core/bot.ts";
import type { ChannelKey } from "../../core/channel.ts";
import { ALL_RIGHTS, type Asker, type Desk, type Reply, type Rights } from "../../core/command.ts";
import { within } from "../../core/deadline.ts";
import { completeOption, press, runCommand } from "../../core/commands.ts";
import type { FloodGuard } from "../../core/flood.ts";
import { createDoubleClicks, createOnce } from "../../core/once.ts";
import { FAILED, say, tooMany } from "../../core/reply.ts";
import { inviteLink } from "./permissions.ts";
import { forumOf, kindOf, rightsIn } from "./place.ts";
import { type DiscordMessage, renderDiscord } from "./render.ts";
import { codeOf, type Sending, toPostError } from "./sending.ts";

export type InteractionsOptions = {
  readonly client: Client<true>;
  /** For what the bot's own token goes with: threads. */
  readonly sending: Sending;
  readonly desk: () => Desk;
  readonly flood: FloodGuard;
  /** Milliseconds. */
  readonly now: () => number;
  readonly report: (event: BotEvent) => void;
  /** Milliseconds; see `DiscordBotOptions`. */
  readonly acknowledgeAfterMs?: number | undefined;
};

export type Interactions = {
  /** Answers one. Never throws. */
  answer(interaction: Interaction): Promise<void>;
};

/** An answer that is ready by then is the first response itself; a later one follows an acknowledgement. */
const ACKNOWLEDGE_AFTER_MS = 40;
/** Interactions that were seen: after a reconnect one may be told again. */
const MOST_SEEN = 1000;

type Pressed = ButtonInteraction | StringSelectMenuInteraction;
type Answerable = ChatInputCommandInteraction | Pressed;

/** Answers what people type and press. Nothing waits in memory for them: a button names what it does in its id. */
export function createInteractions(options: InteractionsOptions): Interactions {
  const { client, sending, desk, flood, now, report } = options;
  const acknowledgeAfterMs = options.acknowledgeAfterMs ?? ACKNOWLEDGE_AFTER_MS;
  const isNew = createOnce(MOST_SEEN);
  const isDoubleClick = createDoubleClicks(now);

  async function answer(interaction: Interaction): Promise<void> {
    if (!isNew(interaction.id)) return;
    const began = now();
    try {
      if (interaction.isAutocomplete()) await complete(interaction);
      else if (interaction.isChatInputCommand()) {
        const name = interaction.options.getSubcommand(false) ?? interaction.commandName;
        await respond(interaction, began, () =>
          runCommand(desk(), askerOf(interaction), name, argsOf(interaction)),
        );
      } else if (interaction.isButton() || interaction.isStringSelectMenu()) {
        const value = interaction.isStringSelectMenu() ? (interaction.values[0] ?? null) : null;
        if (isDoubleClick([interaction.user.id, interaction.message.id, interaction.customId, value])) {
          await callback(interaction, DEFER_UPDATE);
          return;
        }
        await respond(interaction, began, () =>
          press(desk(), askerOf(interaction), interaction.customId, value),
        );
      }
    } catch (error) {
      const code = codeOf(error);
      // Nobody waits for it any more.
      if (TOO_LATE.has(code ?? 0)) {
        report({ kind: "trouble", detail: `An answer came too late (code ${code}).` });
      } else {
        report({ kind: "unexpected", what: `answering ${nameOf(interaction)}`, error });
      }
    }
  }

  async function complete(interaction: AutocompleteInteraction): Promise<void> {
    const { name, value } = interaction.options.getFocused(true);
    const command = interaction.options.getSubcommand(false) ?? "";
    const asked = { command, option: name, typed: String(value) };
    const choices = await completeOption(desk(), askerOf(interaction), asked).catch((error: unknown) => {
      report({ kind: "unexpected", what: `completing ${command}`, error });
      return [];
    });
    await callback(interaction, {
      type: InteractionResponseType.ApplicationCommandAutocompleteResult,
      data: { choices: choices.map((choice) => ({ name: choice.label, value: choice.value })) },
    });
  }

  async function respond(interaction: Answerable, began: number, run: () => Promise<Reply>): Promise<void> {
    const asker = askerOf(interaction);
    const { where, person } = asker;
    const waitMs = flood.admit({ platform: where.platform, workspace: where.workspace, person });
    const work = (async () => (waitMs === null ? run() : tooMany(waitMs)))()
      .catch((error: unknown) => {
        report({ kind: "unexpected", what: nameOf(interaction), error });
        return FAILED;
      })
      .then((reply) => fitted(reply, interaction, asker));
    try {
      const ready = await within(work, acknowledgeAfterMs, null);
      if (ready !== null) return await respondAtOnce(interaction, ready, began);
      await acknowledge(interaction, began);
      await respondLater(interaction, await work);
    } catch (error) {
      if (TOO_LATE.has(codeOf(error) ?? 0)) await confirmInChannel(interaction, await work);
      throw error;
    }
  }

  async function acknowledge(interaction: Answerable, began: number): Promise<void> {
    await callback(interaction, interaction.isMessageComponent() ? DEFER_UPDATE : deferReply(interaction));
    report({ kind: "acknowledged", what: nameOf(interaction), ms: now() - began });
  }

  async function respondAtOnce(interaction: Answerable, reply: Reply, began: number): Promise<void> {
    const { body, files } = payloadOf(reply, interaction);
    const replaces = reply.replaces === true && interaction.isMessageComponent();
    const type = replaces
      ? InteractionResponseType.UpdateMessage
      : InteractionResponseType.ChannelMessageWithSource;
    const response = await callback(interaction, { type, data: body }, files, reply.thread !== undefined);
    report({ kind: "acknowledged", what: nameOf(interaction), ms: now() - began });
    if (reply.thread !== undefined) await openThread(interaction, reply.thread, messageIdIn(response));
  }

  async function respondLater(interaction: Answerable, reply: Reply): Promise<void> {
    const { body, files } = payloadOf(reply, interaction);
    const { applicationId, token } = interaction;
    const original = Routes.webhookMessage(applicationId, token, "@original");
    const followUps = Routes.webhook(applicationId, token);
    const isPress = interaction.isMessageComponent();
    if (isPress ? reply.replaces === true : reply.to === "asker" || isPrivate(interaction)) {
      await client.rest.patch(original, { auth: false, body, files });
      return;
    }
    // After a deferred slash command the first follow-up would take the place of what only the asker sees.
    if (!isPress) {
      await client.rest.patch(original, { auth: false, body: renderDiscord(say("Done.").message) });
    }
    const sent = await client.rest.post(followUps, { auth: false, body, files, query: WAIT });
    if (reply.thread !== undefined) await openThread(interaction, reply.thread, idIn(sent));
  }

  /** A change was made although its answer came too late: the channel hears of it all the same. */
  async function confirmInChannel(interaction: Answerable, reply: Reply): Promise<void> {
    if (reply.to !== "channel" || interaction.channelId === null) return;
    await sending
      .request("post", Routes.channelMessages(interaction.channelId), renderDiscord(reply.message))
      .catch((error: unknown) =>
        report({ kind: "trouble", detail: `A change was not confirmed: ${toPostError(error).message}` }),
      );
  }

  async function openThread(interaction: Answerable, name: string, messageId: string | null): Promise<void> {
    const { channelId, applicationId, token } = interaction;
    if (channelId === null) return;
    try {
      const original = Routes.webhookMessage(applicationId, token, "@original");
      const on = messageId ?? idIn(await client.rest.get(original, { auth: false })) ?? "";
      await sending.request("post", Routes.threads(channelId, on), { name });
    } catch (error) {
      if (codeOf(error) === HAS_THREAD) return;
      const { message } = say(
        "The thread could not be opened here.",
        "Discuss it under the message instead.",
      );
      const body = {
        ...renderDiscord(message),
        flags: renderDiscord(message).flags | MessageFlags.Ephemeral,
      };
      await client.rest.post(Routes.webhook(applicationId, token), { auth: false, body });
      if (codeOf(error) === null) throw error;
    }
  }

  /** @returns null where Discord took it already: discord.js repeats a request whose answer was lost */
  async function callback(
    interaction: Interaction,
    body: object,
    files: readonly File[] = [],
    withResponse = false,
  ): Promise<unknown> {
    try {
      return await client.rest.post(Routes.interactionCallback(interaction.id, interaction.token), {
        auth: false,
        body,
        files: [...files],
        query: new URLSearchParams({ with_response: String(withResponse) }),
      });
    } catch (error) {
      if (codeOf(error) === ALREADY_ACKNOWLEDGED) return null;
      throw error;
    }
  }

  return { answer };
}

type File = { readonly name: string; readonly data: Buffer; readonly contentType: string };

const DEFER_UPDATE = { type: InteractionResponseType.DeferredMessageUpdate };
const WAIT = new URLSearchParams({ wait: "true" });

/** https://docs.discord.com/developers/topics/opcodes-and-status-codes */
const ALREADY_ACKNOWLEDGED = 40_060;
const HAS_THREAD = 160_004;
/** Unknown webhook, unknown interaction, invalid webhook token: the first response came late, or the token ended. */
const TOO_LATE: ReadonlySet<number> = new Set([10_015, 10_062, 50_027]);

function deferReply(interaction: Answerable): object {
  const flags = isPrivate(interaction) ? 0 : MessageFlags.Ephemeral;
  return { type: InteractionResponseType.DeferredChannelMessageWithSource, data: { flags } };
}

/** In a direct message with the bot everything is the asker's alone, and may stay. */
function isPrivate({ context }: Interaction): boolean {
  return context === InteractionContextType.BotDM;
}

function payloadOf(
  reply: Reply,
  interaction: Interaction,
): { readonly body: DiscordMessage; readonly files: File[] } {
  const { file } = reply;
  const rendered = renderDiscord(reply.message, file?.name);
  const hidden = reply.to === "asker" && !isPrivate(interaction) ? MessageFlags.Ephemeral : 0;
  return {
    body: { ...rendered, flags: rendered.flags | hidden },
    files:
      file === undefined
        ? []
        : [{ name: file.name, data: Buffer.from(file.text, "utf8"), contentType: file.type }],
  };
}

/** What a reply becomes where it was asked: threads open only where there can be one. */
function fitted(reply: Reply, interaction: Answerable, { rights }: Asker): Reply {
  if (reply.thread === undefined) return reply;
  const kind = interaction.channel === null ? null : kindOf(interaction.channel.type);
  const { thread: _, ...rest } = reply;
  if (kind !== "text" && kind !== "announcement") return rest;
  // No such right is named where there are no threads, or the bot is no member.
  const may = rights.granted.find(({ name }) => name === "Create Public Threads");
  if (may === undefined) return rest;
  if (may.isGranted) return reply;
  return say(
    "Paperboy may not open threads here.",
    "Whoever manages the channel can allow it: Create Public Threads (channel settings, Permissions).",
  );
}

function askerOf(interaction: Interaction): Asker {
  const { user, member, guildId, context } = interaction;
  const nickname = member !== null && "displayName" in member ? member.displayName : member?.nick;
  // In a group of people nobody manages anything; alone with the bot, the person does.
  const maySet =
    guildId === null
      ? context === InteractionContextType.BotDM
      : (interaction.memberPermissions?.has(PermissionFlagsBits.ManageChannels) ?? false);
  return {
    where: whereOf(interaction),
    person: user.id,
    name: nickname ?? user.displayName,
    maySet,
    zone: null,
    rights: rightsOf(interaction),
  };
}

/** Settings made in a post of a forum are the forum's, since digests come there as posts of their own. */
function whereOf({ guildId, channel, channelId }: Interaction): ChannelKey {
  const forum = channel === null ? null : forumOf(channel);
  return { platform: "discord", workspace: guildId ?? "", channel: forum?.id ?? channelId ?? "" };
}

function rightsOf(interaction: Interaction): Rights {
  const { guildId, guild, channel, context, applicationId } = interaction;
  const none = (obstacle: string): Rights => ({ obstacle, granted: [], canPublish: false });
  // Installed by the person alone, or for its commands alone: the bot is no member there.
  if (guildId !== null && guild === null) {
    return none(
      `Paperboy is not on this server, so no digest can come here. Whoever manages it can add it with ${inviteLink(applicationId)}, or have digests in a direct message with Paperboy.`,
    );
  }
  if (guildId === null && context !== InteractionContextType.BotDM) {
    return none("No digest can come into this conversation: have them in a direct message with Paperboy.");
  }
  if (guildId === null) return ALL_RIGHTS;
  // Of a thread that the gateway has not told of, what holds in a thread is asked all the same.
  const type = (channel === null ? null : (forumOf(channel) ?? channel))?.type ?? ChannelType.GuildText;
  if (kindOf(type) === null) return none("No digest can come here: use a text channel, a thread or a forum.");
  return rightsIn(type, interaction.appPermissions.bitfield);
}

function argsOf(interaction: ChatInputCommandInteraction): Readonly<Record<string, string>> {
  const [first] = interaction.options.data;
  const options = first?.options ?? interaction.options.data;
  return Object.fromEntries(
    options.map(({ name, value }) => [name, value === undefined ? "" : String(value)]),
  );
}

function nameOf(interaction: Interaction): string {
  if (interaction.isChatInputCommand() || interaction.isAutocomplete()) {
    return `/${interaction.commandName} ${interaction.options.getSubcommand(false) ?? ""}`.trim();
  }
  // What stands behind the verb is a paper or a kept view.
  return interaction.isMessageComponent() ? interaction.customId.split(":").slice(0, 2).join(":") : "unknown";
}

function messageIdIn(response: unknown): string | null {
  const { resource } = (response ?? {}) as Partial<RESTPostAPIInteractionCallbackWithResponseResult>;
  return resource?.message?.id ?? null;
}

function idIn(message: unknown): string | null {
  return typeof message === "object" && message !== null && "id" in message && typeof message.id === "string"
    ? message.id
    : null;
}
