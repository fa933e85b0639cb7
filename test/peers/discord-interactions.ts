import { randomBytes } from "node:crypto";
import type { APIMessage } from "discord.js";
import { discordError, notFound, throwRefusals } from "./discord-errors.ts";
import { messageIntent, type Gateway } from "./discord-gateway.ts";
import { refuseMessage, type MessageOccasion, type Refusal } from "./discord-rules.ts";
import { checkForm, checkMessageForm, type Form } from "./discord-spec.ts";
import {
  allComponents,
  composeMessage,
  fillMessage,
  FLAG,
  isAllowed,
  showUser,
  type Channel,
  type MessageBody,
  type State,
  type UploadedFile,
  type User,
} from "./discord-state.ts";

/** One interaction from its making to the end of its token. */
export type Interaction = {
  readonly id: string;
  readonly token: string;
  /** 2 a command, 3 a component, 4 autocompletion, 5 a modal's submission. */
  readonly type: number;
  readonly who: User;
  readonly channel: Channel;
  /** The message whose component was used. */
  readonly origin: APIMessage | null;
  /** The owners by kind of installation; see `authorizing_integration_owners`. */
  readonly owners: Readonly<Record<string, string>>;
  readonly createdAt: number;
  /** The type of the option that is being completed. */
  readonly completes: number | null;
  /** Follow-ups that are left: five where only the person has the app. */
  followUpsLeft: number;
  callback: { readonly type: number; readonly at: number } | null;
  original: APIMessage | null;
  readonly followUps: APIMessage[];
  choices: readonly Choice[];
  modal: Modal | null;
  /** Rejects when the deadline passes. */
  readonly acknowledged: Promise<void>;
  /** Counts edits, deletions and follow-ups after the first response. */
  changes: number;
  nextChange(): Promise<void>;
};
export type Choice = { readonly name: string; readonly value: string | number };
export type Modal = {
  readonly custom_id: string;
  readonly title: string;
  readonly components: readonly object[];
  /** The message from whose component it was opened. */
  readonly origin: APIMessage | null;
  readonly channelId: string;
};
type NewInteraction = Pick<
  Interaction,
  "type" | "who" | "channel" | "origin" | "owners" | "completes" | "followUpsLeft"
> & { readonly payload: object };

export type Files = ReadonlyMap<string, UploadedFile>;

export type Interactions = {
  /** Sends it to the bot; the deadline begins. */
  open(given: NewInteraction): Interaction;
  /** Returns what `with_response` asks for. */
  respond(id: string, token: string, body: unknown, files: Files): object;
  followUp(application: string, token: string, body: unknown, files: Files): APIMessage;
  /** `id` may be `@original`. */
  read(application: string, token: string, id: string): APIMessage;
  edit(application: string, token: string, id: string, body: unknown, files: Files): APIMessage;
  remove(application: string, token: string, id: string): void;
  close(): void;
};

/** From https://docs.discord.com/developers/interactions/receiving-and-responding */
export function createInteractions(options: {
  readonly state: State;
  readonly gateway: Gateway;
  /** Where uploaded files are served. */
  readonly url: string;
  readonly deadlineMs: number;
  readonly tokenLifetimeMs: number;
}): Interactions {
  const { state, gateway } = options;
  const byToken = new Map<string, Interaction>();
  const byId = new Map<string, Interaction>();
  const deadlines = new Map<string, { readonly timer: NodeJS.Timeout; expire(): void }>();

  function open({ payload, ...given }: NewInteraction): Interaction {
    const id = state.nextId();
    const token = randomBytes(48).toString("base64url");
    const acknowledged = Promise.withResolvers<void>();
    let change = Promise.withResolvers<void>();
    const changed = () => {
      interaction.changes += 1;
      change.resolve();
      change = Promise.withResolvers();
    };
    const interaction: Interaction = {
      ...given,
      id,
      token,
      createdAt: state.now(),
      callback: null,
      original: null,
      followUps: [],
      choices: [],
      modal: null,
      acknowledged: acknowledged.promise,
      changes: 0,
      nextChange: () => change.promise,
    };
    settle.set(interaction, { acknowledge: acknowledged.resolve, changed });
    byId.set(id, interaction);
    byToken.set(token, interaction);
    const expire = () => {
      deadlines.delete(id);
      const seconds = options.deadlineMs / 1000;
      acknowledged.reject(
        new Error(`The application did not respond: no first response came within ${seconds} s.`),
      );
    };
    // Whoever waits hears of it; nobody has to.
    acknowledged.promise.catch(() => undefined);
    deadlines.set(id, { timer: setTimeout(expire, options.deadlineMs), expire });
    const { guild } = given.channel;
    const isJoined = guild?.members.has(state.bot.id) === true;
    if (state.interactionsEndpointUrl === null) {
      const whole = { id, application_id: state.bot.id, token, version: 1, ...payload };
      gateway.dispatch("INTERACTION_CREATE", whole, { guild: isJoined ? guild : null, intents: 0 });
    }
    return interaction;
  }

  const settle = new WeakMap<Interaction, { acknowledge(): void; changed(): void }>();

  function respond(id: string, token: string, body: unknown, files: Files): object {
    const interaction = byId.get(id);
    if (interaction === undefined || interaction.token !== token) throw discordError(10062);
    if (interaction.callback !== null) throw discordError(40060);
    const at = state.now();
    if (!deadlines.has(id) || at - interaction.createdAt > options.deadlineMs) throw discordError(10062);
    const { type, data } = isFields(body) ? body : {};
    const form = CALLBACKS[String(type)];
    if (typeof type !== "number" || form === undefined || !isFitting(interaction, type)) {
      const choices = Object.keys(CALLBACKS).filter((each) => isFitting(interaction, Number(each)));
      const message = `Value must be one of (${choices.join(", ")}).`;
      throwRefusals([{ path: "type", code: "BASE_TYPE_CHOICES", message }]);
      throw notFound();
    }
    const occasion: MessageOccasion = {
      files: namesOf(files, data, interaction.origin),
      ...(type === UPDATE ? { editing: interaction.origin?.flags ?? 0 } : { flags: RESPONSE_FLAGS }),
    };
    const formal = checkForm(form, body);
    const hasMessage = type === MESSAGE || (type === UPDATE && data !== undefined && data !== null);
    throwRefusals([
      ...formal,
      ...(hasMessage && formal.length === 0 ? within("data", refuseMessage(data ?? {}, occasion)) : []),
      ...(type === CHOICES ? refuseChoices(interaction, data) : []),
      ...(type === MODAL ? refuseModal(data) : []),
    ]);
    interaction.callback = { type, at };
    clearTimeout(deadlines.get(id)?.timer);
    deadlines.delete(id);
    carryOut(interaction, type, data, files);
    settle.get(interaction)?.acknowledge();
    const { original } = interaction;
    return {
      interaction: {
        id,
        type: interaction.type,
        ...(original === null
          ? {}
          : {
              response_message_id: original.id,
              response_message_loading: hasFlag(original, FLAG.loading),
              response_message_ephemeral: hasFlag(original, FLAG.ephemeral),
            }),
      },
      resource: { type, ...(original === null || type === DEFER_UPDATE ? {} : { message: original }) },
    };
  }

  /** The body has been found legal. */
  function carryOut(interaction: Interaction, type: number, data: unknown, files: Files): void {
    const body: MessageBody = isFields(data) ? data : {};
    const { channel, origin } = interaction;
    if (type === MESSAGE || type === DEFER) {
      const ephemeral = ((body.flags ?? 0) & FLAG.ephemeral) | forcedEphemeral(interaction);
      const said = type === DEFER ? { flags: ephemeral } : body;
      const message = write(interaction, said, files, interaction.type === 2 ? 20 : 0);
      if (type === DEFER) message.flags = ephemeral | FLAG.loading;
      interaction.original = message;
      place(interaction, message);
    } else if (type === UPDATE || type === DEFER_UPDATE) {
      interaction.original = origin;
      if (type === UPDATE && origin !== null) rewrite(interaction, origin, body, files);
    } else if (type === CHOICES) {
      const { choices }: { readonly choices?: readonly Choice[] } = isFields(data) ? data : {};
      interaction.choices = choices ?? [];
    } else {
      const { custom_id, title, components }: Partial<Modal> = isFields(data) ? data : {};
      interaction.modal = {
        custom_id: custom_id ?? "",
        title: title ?? "",
        components: components ?? [],
        origin,
        channelId: channel.id,
      };
    }
  }

  function write(interaction: Interaction, body: MessageBody, files: Files, type: number): APIMessage {
    const { channel, who } = interaction;
    const message = composeMessage(state, channel, state.bot, body, files, options.url);
    message.type = type;
    message.flags = (message.flags ?? 0) | forcedEphemeral(interaction);
    message.webhook_id = state.bot.id;
    message.application_id = state.bot.id;
    Object.assign(message, {
      interaction_metadata: {
        id: interaction.id,
        type: interaction.type,
        user: showUser(who),
        authorizing_integration_owners: interaction.owners,
      },
    });
    return message;
  }

  function place({ channel, who }: Interaction, message: APIMessage): void {
    if (hasFlag(message, FLAG.ephemeral)) {
      channel.ephemerals.set(message.id, { message, seenBy: who.id });
      return;
    }
    channel.messages.set(message.id, message);
    channel.lastMessageId = message.id;
    tell("MESSAGE_CREATE", channel, message);
  }

  function rewrite({ channel }: Interaction, message: APIMessage, body: MessageBody, files: Files): void {
    fillMessage(state, message, channel, body, files, options.url);
    message.flags = (message.flags ?? 0) & ~FLAG.loading;
    if (!hasFlag(message, FLAG.ephemeral)) tell("MESSAGE_UPDATE", channel, message);
  }

  function tell(event: string, channel: Channel, message: APIMessage): void {
    const { guild } = channel;
    const data = guild === null ? message : { ...message, guild_id: guild.id };
    gateway.dispatch(event, data, { guild, intents: messageIntent(channel.type) });
  }

  /** The interaction whose token serves as a webhook's. */
  function webhook(application: string, token: string): Interaction {
    const interaction = byToken.get(token);
    if (interaction === undefined || application !== state.bot.id) throw discordError(10015);
    if (interaction.callback === null) throw discordError(10015);
    if (state.now() - interaction.createdAt > options.tokenLifetimeMs) throw discordError(50027);
    return interaction;
  }

  function find(interaction: Interaction, id: string): APIMessage {
    const { original, followUps, channel } = interaction;
    const found = id === "@original" ? original : [original, ...followUps].find((each) => each?.id === id);
    const isThere =
      found !== null &&
      found !== undefined &&
      (channel.messages.has(found.id) || channel.ephemerals.has(found.id));
    if (!isThere) throw discordError(10008);
    return found;
  }

  function followUp(application: string, token: string, body: unknown, files: Files): APIMessage {
    const interaction = webhook(application, token);
    const { original } = interaction;
    const isAnswer = original !== null && hasFlag(original, FLAG.loading);
    const occasion = { files: namesOf(files, body, null), flags: RESPONSE_FLAGS };
    throwRefusals(checkMessageForm("followUp", body, occasion));
    const legal: MessageBody = isFields(body) ? body : {};
    // "this endpoint will function as Edit Original Interaction Response for backwards compatibility":
    // https://docs.discord.com/developers/interactions/receiving-and-responding#create-followup-message
    if (isAnswer) {
      rewrite(interaction, original, legal, files);
      settle.get(interaction)?.changed();
      return original;
    }
    if (interaction.followUpsLeft === 0) throw discordError(40094);
    interaction.followUpsLeft -= 1;
    const message = write(interaction, legal, files, original === null ? 0 : 19);
    interaction.followUps.push(message);
    place(interaction, message);
    settle.get(interaction)?.changed();
    return message;
  }

  return {
    open,
    respond,
    followUp,
    read: (application, token, id) => find(webhook(application, token), id),
    edit(application, token, id, body, files) {
      const interaction = webhook(application, token);
      const message = find(interaction, id);
      const occasion = { files: namesOf(files, body, message), editing: message.flags ?? 0 };
      throwRefusals(checkMessageForm("responseEdit", body, occasion));
      const legal: MessageBody = isFields(body) ? body : {};
      throwIfEmptied(message, legal, files);
      rewrite(interaction, message, legal, files);
      settle.get(interaction)?.changed();
      return message;
    },
    remove(application, token, id) {
      const interaction = webhook(application, token);
      const { channel } = interaction;
      const message = find(interaction, id);
      const isShown = channel.messages.delete(message.id);
      channel.ephemerals.delete(message.id);
      if (isShown) {
        const data = { id: message.id, channel_id: channel.id, guild_id: channel.guild?.id };
        gateway.dispatch("MESSAGE_DELETE", data, {
          guild: channel.guild,
          intents: messageIntent(channel.type),
        });
      }
      settle.get(interaction)?.changed();
    },
    close() {
      for (const { timer } of deadlines.values()) clearTimeout(timer);
    },
  };
}

const MESSAGE = 4;
const DEFER = 5;
const DEFER_UPDATE = 6;
const UPDATE = 7;
const CHOICES = 8;
const MODAL = 9;
const CALLBACKS: Readonly<Record<string, Form>> = {
  [MESSAGE]: "response",
  [DEFER]: "response",
  [DEFER_UPDATE]: "update",
  [UPDATE]: "update",
  [CHOICES]: "autocomplete",
  [MODAL]: "modal",
};
const RESPONSE_FLAGS = FLAG.suppressEmbeds | FLAG.ephemeral | FLAG.suppressNotifications | FLAG.componentsV2;

/**
 * Without "Use External Apps" what a person's own app says is theirs alone:
 * https://docs.discord.com/developers/topics/permissions
 */
function forcedEphemeral({ owners, channel, who }: Interaction): number {
  const isOwn = channel.guild !== null && owners["0"] === undefined;
  return isOwn && !isAllowed(channel, who.id, "USE_EXTERNAL_APPS") ? FLAG.ephemeral : 0;
}

/** Which callbacks an interaction takes: a modal may update only the message from which it was opened. */
function isFitting({ type, origin }: Interaction, callback: number): boolean {
  if (type === 4) return callback === CHOICES;
  if (callback === CHOICES) return false;
  if (callback === MODAL) return type !== 5;
  return callback === MESSAGE || callback === DEFER || origin !== null;
}

/** The names that `attachment://` may refer to: what is uploaded now, and what an edit keeps. */
export function namesOf(files: Files, body: unknown, edited: APIMessage | null): string[] {
  const { attachments }: MessageBody = isFields(body) ? body : {};
  const named = Array.isArray(attachments) ? attachments.filter(isFields) : null;
  const uploaded = [...files].map(([number, file]) => {
    const filename = named?.find(({ id }) => String(id) === number)?.["filename"];
    return typeof filename === "string" ? filename : file.name;
  });
  const kept = (edited?.attachments ?? []).filter(
    (each) => named === null || named.some(({ id }) => String(id) === each.id),
  );
  return [...uploaded, ...kept.map(({ filename }) => filename)];
}

/** An edit may not leave a message with nothing to show. */
export function throwIfEmptied(message: APIMessage, body: MessageBody, files: Files): void {
  const content = body.content === undefined ? message.content : (body.content ?? "");
  const embeds = body.embeds === undefined ? message.embeds : (body.embeds ?? []);
  const components = body.components === undefined ? (message.components ?? []) : (body.components ?? []);
  const attachments = body.attachments === undefined ? message.attachments : (body.attachments ?? []);
  const sizes = [content, embeds, components, attachments].map(({ length }) => length);
  if (sizes.every((size) => size === 0) && files.size === 0) throw discordError(50006);
}

function refuseChoices({ completes }: Interaction, data: unknown): Refusal[] {
  const { choices } = isFields(data) ? data : {};
  const list: readonly unknown[] = Array.isArray(choices) ? choices : [];
  return list.flatMap((choice, i) => {
    const { name, value } = isFields(choice) ? choice : {};
    const path = `data.choices[${i}]`;
    const refusals: Refusal[] = [];
    if (typeof name !== "string" || name.trim() === "" || name.length > 100) {
      const message = "Must be between 1 and 100 in length.";
      refusals.push({ path: `${path}.name`, code: "BASE_TYPE_BAD_LENGTH", message });
    }
    const wanted = completes === STRING ? "string" : "number";
    const isRight = completes === INTEGER ? Number.isInteger(value) : typeof value === wanted;
    if (!isRight) {
      const message = `The value is not what the option takes: a ${wanted}.`;
      refusals.push({ path: `${path}.value`, code: "APPLICATION_COMMAND_OPTION_VALUE_INVALID", message });
    } else if (typeof value === "string" && (value === "" || value.length > 100)) {
      const message = "Must be between 1 and 100 in length.";
      refusals.push({ path: `${path}.value`, code: "BASE_TYPE_BAD_LENGTH", message });
    }
    return refusals;
  });
}
const STRING = 3;
const INTEGER = 4;

function refuseModal(data: unknown): Refusal[] {
  const { components } = isFields(data) ? data : {};
  const list: readonly unknown[] = Array.isArray(components) ? components : [];
  const ids = new Set<unknown>();
  const refusals: Refusal[] = [];
  for (const component of allComponents({ components: list.filter(isFields) })) {
    if (!("custom_id" in component)) continue;
    if (ids.has(component.custom_id)) {
      const message = "Component custom id cannot be duplicated";
      refusals.push({ path: "data.components", code: "COMPONENT_CUSTOM_ID_DUPLICATED", message });
    }
    ids.add(component.custom_id);
  }
  return refusals;
}

function within(path: string, refusals: readonly Refusal[]): Refusal[] {
  return refusals.map((each) => {
    if (each.code === "50006") return each;
    return { ...each, path: each.path === "" ? path : `${path}.${each.path}` };
  });
}

function hasFlag({ flags }: APIMessage, flag: number): boolean {
  return ((flags ?? 0) & flag) !== 0;
}

/** Anything that came as a JSON object; what it says is checked before it is read. */
function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
