import type { APIMessage } from "discord.js";
import type { Choice, Interaction, Interactions, Modal } from "./discord-interactions.ts";
import {
  allComponents,
  CHANNEL,
  DIRECT,
  FLAG,
  isAllowed,
  messageText,
  permissionsIn,
  showChannel,
  showMember,
  showUser,
  type Channel,
  type RegisteredCommand,
  type State,
  type User,
} from "./discord-state.ts";

/**
 * What people do in their Discord, and what each of them then sees. Everything that their client would not let them
 * do throws: an option that is not registered, a button that is not there, a message that is another's.
 */
export type People = {
  /**
   * Uses a slash command. `path` is the command and its subcommand (`papers subscribe`), or the subcommand alone
   * where one slash command is registered. Resolves with the first response; rejects when it does not come in time.
   */
  slash(who: string, channelId: string, path: string, options?: OptionValues, how?: How): Promise<Answer>;
  /** What is offered while an option is typed; a required option may still be missing. */
  autocomplete(
    who: string,
    channelId: string,
    path: string,
    options: OptionValues,
    focused: string,
  ): Promise<readonly Choice[]>;
  /** Presses a button by its custom id or label. */
  press(who: string, message: APIMessage, customIdOrLabel: string): Promise<Answer>;
  /** Chooses in a select menu by its custom id or placeholder; `values` are its options' values or labels. */
  choose(who: string, message: APIMessage, customId: string, values: readonly string[]): Promise<Answer>;
  /** Sends a modal off; the values by custom id. */
  submit(who: string, modal: Modal, values: Readonly<Record<string, string>>): Promise<Answer>;
  /** A channel's messages, oldest first, with those that `who` alone sees. */
  messages(channelId: string, who?: string): readonly APIMessage[];
};

export type OptionValues = Readonly<Record<string, string | number | boolean>>;
export type How = {
  /** Whose installation is used: the server's (or, in direct messages, the bot's own), or the person's. */
  readonly installedBy?: "guild" | "user";
  /** Sends options that a client would refuse: outside the choices, too long, missing, unknown. */
  readonly force?: boolean;
};

/** A response as it stands when it is read. */
export type Answer = {
  readonly id: string;
  readonly token: string;
  readonly acknowledgedAfterMs: number;
  /** 4 message, 5 thinking, 6 and 7 the message of the component, 8 choices, 9 modal. */
  readonly callbackType: number;
  /** The response after its edits, or the component's message; null where there is none or it was deleted. */
  readonly message: APIMessage | null;
  /** What the message says, see `textOf`. */
  readonly text: string;
  readonly ephemeral: boolean;
  /** Whether the person sees "is thinking…". */
  readonly isThinking: boolean;
  readonly followUps: readonly APIMessage[];
  readonly modal: Modal | null;
  /** Waits until nothing is thinking any more; after callback 6, for the first change. */
  settled(): Promise<Answer>;
};

export function createPeople({
  state,
  interactions,
}: {
  readonly state: State;
  readonly interactions: Interactions;
}): People {
  function personIn(who: string, channelId: string): { readonly user: User; readonly channel: Channel } {
    const user = state.users.get(who);
    const channel = state.channels.get(channelId);
    if (user === undefined || user.isBot) throw new Error(`There is nobody with the id ${who}.`);
    if (channel === undefined) throw new Error(`There is no channel ${channelId}.`);
    const isThere =
      channel.guild === null ? channel.recipients.includes(user) : isAllowed(channel, who, "VIEW_CHANNEL");
    if (!isThere) throw new Error(`${user.name} does not see the channel ${channel.name}.`);
    return { user, channel };
  }

  /** All but `data` and `type`: https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object */
  function surroundings(user: User, channel: Channel, owners: Owners): object {
    const { guild } = channel;
    const { permission_overwrites: _hidden, ...shown }: { permission_overwrites?: unknown } =
      showChannel(channel);
    const permissions = permissionsIn(channel, user.id);
    const common = {
      channel: { ...shown, permissions: String(permissions) },
      channel_id: channel.id,
      app_permissions: String(
        guild?.members.has(state.bot.id) ? permissionsIn(channel, state.bot.id) : DIRECT,
      ),
      locale: user.locale,
      entitlements: [],
      authorizing_integration_owners: owners,
      context: contextOf(channel),
      attachment_size_limit: 10_485_760,
    };
    const member = guild?.members.get(user.id);
    if (guild === null || member === undefined) return { ...common, user: showUser(user) };
    return {
      ...common,
      guild_id: guild.id,
      guild: { id: guild.id, locale: guild.locale, features: ["COMMUNITY"] },
      guild_locale: guild.locale,
      member: { ...showMember(member), permissions: String(permissions) },
    };
  }

  function findCommand(channel: Channel, path: string): FoundCommand {
    const words = path.trim().split(/\s+/);
    const all = [...(state.commands.get(channel.guild?.id ?? "-") ?? []), ...(state.commands.get("") ?? [])];
    const slashes: readonly KnownCommand[] = all.filter(({ type }) => type === 1);
    const named = slashes.find(({ name }) => name === words[0]);
    const [only] = slashes;
    const command = named ?? (slashes.length === 1 ? only : undefined);
    if (command === undefined) {
      const known = slashes.map(({ name }) => `/${name}`).join(", ") || "none";
      throw new Error(`No command is registered for "${path}". Registered: ${known}.`);
    }
    const steps = named === undefined ? words : words.slice(1);
    let options = command.options ?? [];
    const nested: KnownOption[] = [];
    for (const step of steps.filter((each) => each !== "")) {
      const option = options.find(({ name, type }) => name === step && (type === 1 || type === 2));
      if (option === undefined) throw new Error(`/${command.name} has no subcommand "${step}".`);
      nested.push(option);
      options = option.options ?? [];
    }
    if (options.some(({ type }) => type <= 2)) {
      throw new Error(`/${[command.name, ...steps].join(" ")} needs a subcommand.`);
    }
    return { command, nested, options, words: [command.name, ...steps].join(" ") };
  }

  function checkPlace(
    user: User,
    channel: Channel,
    { command }: FoundCommand,
    installedBy: "guild" | "user",
  ): Owners {
    const { guild } = channel;
    const context = contextOf(channel);
    const kinds = command.integration_types ?? [0];
    if (!kinds.includes(installedBy === "user" ? 1 : 0)) {
      throw new Error(`/${command.name} cannot be installed by a ${installedBy}: see integration_types.`);
    }
    const isOff =
      (command.contexts ?? [0, 1, 2]).includes(context) === false ||
      (command.dm_permission === false && guild === null);
    if (isOff) throw new Error(`/${command.name} is not shown there: see contexts.`);
    if (guild !== null && !isAllowed(channel, user.id, "USE_APPLICATION_COMMANDS")) {
      throw new Error(`${user.name} may not use application commands in ${channel.name}.`);
    }
    if (installedBy === "user") return { 1: user.id };
    if (guild !== null && !guild.members.has(state.bot.id)) {
      throw new Error(`The application is not installed in ${guild.name}.`);
    }
    if (context === 2) throw new Error("In other people's direct messages only the person's own apps work.");
    return { 0: guild?.id ?? "0" };
  }

  function open(
    given: Pick<Interaction, "type" | "who" | "channel" | "origin" | "owners" | "completes">,
    data: object,
    message: APIMessage | null,
  ): Interaction {
    const { type, who, channel, owners } = given;
    const isForeign = !(channel.guild?.members.has(state.bot.id) ?? channel.type === CHANNEL.directMessages);
    const shown = message === null ? {} : { message: structuredClone(message) };
    const payload = { type, data, ...surroundings(who, channel, owners), ...shown };
    return interactions.open({ ...given, followUpsLeft: isForeign ? 5 : Number.POSITIVE_INFINITY, payload });
  }

  /** A message's component that the person sees. */
  function findComponent(
    who: string,
    shown: APIMessage,
    isIt: (component: KnownComponent) => boolean,
    wanted: string,
  ): {
    readonly user: User;
    readonly channel: Channel;
    readonly message: APIMessage;
    readonly component: KnownComponent;
  } {
    const { user, channel } = personIn(who, shown.channel_id);
    const ephemeral = channel.ephemerals.get(shown.id);
    const message =
      channel.messages.get(shown.id) ?? (ephemeral?.seenBy === who ? ephemeral.message : undefined);
    if (message === undefined) throw new Error(`${user.name} does not see the message ${shown.id}.`);
    const components: readonly KnownComponent[] = allComponents(message);
    const component = components.find(isIt);
    if (component === undefined) throw new Error(`The message has no ${wanted}.`);
    if (component.disabled === true) throw new Error(`The ${wanted} is disabled.`);
    if (component.custom_id === undefined) throw new Error(`The ${wanted} opens a link.`);
    return { user, channel, message, component };
  }

  function use(
    { user, channel, message, component }: ReturnType<typeof findComponent>,
    values?: readonly string[],
  ): Promise<Answer> {
    const { custom_id, type, id } = component;
    const owners = ownersOf(message, channel);
    const data = { custom_id, component_type: type, id, ...(values === undefined ? {} : { values }) };
    const given = { type: 3, who: user, channel, origin: message, owners, completes: null };
    return answerOf(state, open(given, data, message));
  }

  return {
    async slash(who, channelId, path, values = {}, { installedBy = "guild", force = false } = {}) {
      const { user, channel } = personIn(who, channelId);
      const found = findCommand(channel, path);
      const owners = checkPlace(user, channel, found, installedBy);
      if (!force) checkValues(found, values);
      const data = commandData(found, channel, values, null);
      return await answerOf(
        state,
        open({ type: 2, who: user, channel, origin: null, owners, completes: null }, data, null),
      );
    },
    async autocomplete(who, channelId, path, values, focused) {
      const { user, channel } = personIn(who, channelId);
      const found = findCommand(channel, path);
      const owners = checkPlace(user, channel, found, "guild");
      const option = found.options.find(({ name }) => name === focused);
      if (option?.autocomplete !== true) {
        throw new Error(`The option "${focused}" of /${found.words} is not completed.`);
      }
      const data = commandData(found, channel, { ...values, [focused]: values[focused] ?? "" }, focused);
      const given = { type: 4, who: user, channel, origin: null, owners, completes: option.type };
      const interaction = open(given, data, null);
      await interaction.acknowledged;
      return interaction.choices;
    },
    async press(who, message, customIdOrLabel) {
      const isIt = ({ type, custom_id, label }: KnownComponent) =>
        type === 2 && (custom_id === customIdOrLabel || label === customIdOrLabel);
      return await use(findComponent(who, message, isIt, `button "${customIdOrLabel}"`));
    },
    async choose(who, message, customId, values) {
      const isIt = ({ type, custom_id, placeholder }: KnownComponent) =>
        type === 3 && (custom_id === customId || placeholder === customId);
      const found = findComponent(who, message, isIt, `select menu "${customId}"`);
      const { options = [], min_values = 1, max_values = 1 } = found.component;
      const chosen = values.map((wanted) => {
        const option = options.find(({ value, label }) => value === wanted || label === wanted);
        if (option === undefined) throw new Error(`The select menu "${customId}" has no option "${wanted}".`);
        return option.value;
      });
      if (chosen.length < min_values || chosen.length > max_values) {
        throw new Error(`The select menu "${customId}" takes ${min_values} to ${max_values} values.`);
      }
      return await use(found, chosen);
    },
    async submit(who, modal, values) {
      const { user, channel } = personIn(who, modal.channelId);
      const components = modal.components.map((component) => filledIn(component, values));
      const owners =
        modal.origin === null ? { 0: channel.guild?.id ?? "0" } : ownersOf(modal.origin, channel);
      const data = { custom_id: modal.custom_id, components, resolved: {} };
      const given = { type: 5, who: user, channel, origin: modal.origin, owners, completes: null };
      return await answerOf(state, open(given, data, modal.origin));
    },
    messages(channelId, who) {
      const channel = state.channels.get(channelId);
      if (channel === undefined) throw new Error(`There is no channel ${channelId}.`);
      const theirs = [...channel.ephemerals.values()].filter(({ seenBy }) => seenBy === who);
      const all = [...channel.messages.values(), ...theirs.map(({ message }) => message)];
      const sorted =
        theirs.length === 0 ? all : all.sort((one, other) => Number(BigInt(one.id) - BigInt(other.id)));
      return structuredClone(sorted);
    },
  };
}

type Owners = Readonly<Record<string, string>>;
type KnownCommand = Pick<RegisteredCommand, "id" | "name" | "type"> & {
  readonly guild_id?: string;
  readonly options?: readonly KnownOption[] | null;
  readonly contexts?: readonly number[] | null;
  readonly integration_types?: readonly number[] | null;
  readonly dm_permission?: boolean;
};
type KnownOption = {
  readonly name: string;
  readonly type: number;
  readonly required?: boolean;
  readonly autocomplete?: boolean;
  readonly choices?: readonly Choice[];
  readonly options?: readonly KnownOption[];
  readonly min_length?: number;
  readonly max_length?: number;
  readonly min_value?: number;
  readonly max_value?: number;
};
type FoundCommand = {
  readonly command: KnownCommand;
  readonly nested: readonly KnownOption[];
  readonly options: readonly KnownOption[];
  readonly words: string;
};
type KnownComponent = {
  readonly type?: number;
  readonly id?: number;
  readonly custom_id?: string;
  readonly label?: string;
  readonly placeholder?: string;
  readonly disabled?: boolean;
  readonly options?: readonly { readonly label: string; readonly value: string }[];
  readonly min_values?: number;
  readonly max_values?: number;
  readonly required?: boolean;
  readonly min_length?: number;
  readonly max_length?: number;
  readonly components?: readonly object[];
  readonly component?: object;
};

/** Resolves with the first response. */
async function answerOf(state: State, interaction: Interaction): Promise<Answer> {
  await interaction.acknowledged;
  const { id, token, callback, channel, createdAt } = interaction;
  const isThere = (message: APIMessage | null) =>
    message !== null && (channel.messages.has(message.id) || channel.ephemerals.has(message.id));
  const has = (flag: number) => ((interaction.original?.flags ?? 0) & flag) !== 0;
  const answer: Answer = {
    id,
    token,
    acknowledgedAfterMs: (callback?.at ?? state.now()) - createdAt,
    callbackType: callback?.type ?? 0,
    get message() {
      return isThere(interaction.original) ? structuredClone(interaction.original) : null;
    },
    get text() {
      return interaction.original === null ? "" : messageText(interaction.original);
    },
    get ephemeral() {
      return has(FLAG.ephemeral);
    },
    get isThinking() {
      return has(FLAG.loading) && isThere(interaction.original);
    },
    get followUps() {
      return structuredClone(interaction.followUps.filter(isThere));
    },
    modal: interaction.modal,
    async settled() {
      while (answer.isThinking || (answer.callbackType === 6 && interaction.changes === 0)) {
        await interaction.nextChange();
      }
      return answer;
    },
  };
  return answer;
}

/** https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object-interaction-context-types */
function contextOf({ guild, type }: Channel): 0 | 1 | 2 {
  if (guild !== null) return 0;
  return type === CHANNEL.directMessages ? 1 : 2;
}

function ownersOf(message: APIMessage, { guild }: Channel): Owners {
  return message.interaction_metadata?.authorizing_integration_owners ?? { 0: guild?.id ?? "0" };
}

function commandData(
  { command, nested, options }: FoundCommand,
  channel: Channel,
  values: OptionValues,
  focused: string | null,
): object {
  let inner: object[] = Object.entries(values).map(([name, value]) => ({
    name,
    type: options.find((option) => option.name === name)?.type ?? 3,
    value,
    ...(name === focused ? { focused: true } : {}),
  }));
  for (const { name, type } of [...nested].reverse()) inner = [{ name, type, options: inner }];
  const { id, name, type } = command;
  const guild = command.guild_id === undefined ? {} : { guild_id: channel.guild?.id };
  return { id, name, type, ...guild, ...(inner.length === 0 ? {} : { options: inner }) };
}

/** What a client checks before it sends. */
function checkValues({ options, words }: FoundCommand, values: OptionValues): void {
  for (const name of Object.keys(values)) {
    if (options.every((option) => option.name !== name))
      throw new Error(`/${words} has no option "${name}".`);
  }
  for (const option of options) {
    const value = values[option.name];
    const refuse = (why: string) => new Error(`The option "${option.name}" of /${words} ${why}.`);
    if (value === undefined) {
      if (option.required === true) throw refuse("is required");
      continue;
    }
    const wanted = VALUE_TYPES[option.type];
    if (wanted === undefined) throw refuse("is of a kind that the local Discord does not know");
    const isWhole = option.type !== 4 || Number.isInteger(value);
    if (typeof value !== wanted || !isWhole) throw refuse(`takes a ${wanted}`);
    const choices = option.choices ?? [];
    if (choices.length > 0 && choices.every((choice) => choice.value !== value)) {
      throw refuse(`has no choice "${value}"`);
    }
    const isLength = typeof value === "string";
    const size = isLength ? value.length : Number(value);
    const least = isLength ? (option.min_length ?? 1) : (option.min_value ?? Number.NEGATIVE_INFINITY);
    const most = isLength ? (option.max_length ?? 6000) : (option.max_value ?? Number.POSITIVE_INFINITY);
    if (typeof value !== "boolean" && (size < least || size > most)) {
      throw refuse(`must be between ${least} and ${most}${isLength ? " characters" : ""}`);
    }
  }
}

/** Strings, integers, booleans and numbers. */
const VALUE_TYPES: Readonly<Record<number, string>> = {
  3: "string",
  4: "number",
  5: "boolean",
  10: "number",
};

function filledIn(component: object, values: Readonly<Record<string, string>>): object {
  const known: KnownComponent = component;
  const { type, id, custom_id } = known;
  if (known.component !== undefined) return { type, id, component: filledIn(known.component, values) };
  if (known.components !== undefined) {
    return { type, id, components: known.components.map((each) => filledIn(each, values)) };
  }
  if (custom_id === undefined) return { type, id };
  const value = values[custom_id] ?? "";
  const { required = true, min_length = 0, max_length = 4000 } = known;
  if (required && value === "") throw new Error(`The field "${custom_id}" is required.`);
  if (value !== "" && (value.length < min_length || value.length > max_length)) {
    throw new Error(`The field "${custom_id}" takes ${min_length} to ${max_length} characters.`);
  }
  if (type !== 3) return { type, id, custom_id, value };
  return { type, id, custom_id, values: value === "" ? [] : [value] };
}
