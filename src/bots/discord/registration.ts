import { isDeepStrictEqual } from "node:util";
import {
  type APIApplicationCommandBasicOption,
  type APIApplicationCommandSubcommandOption,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  ApplicationIntegrationType,
  InteractionContextType,
  type REST,
  type RESTPutAPIApplicationCommandsJSONBody,
  Routes,
} from "discord.js";
import { z } from "zod";
import type { Command, Option } from "../../core/command.ts";
import { ask } from "./rest.ts";

/**
 * `/papers` as Discord takes it: one command with native subcommands, in the order of the help. Everybody sees it
 * everywhere; who may change a channel is asked when it happens, since Discord's own right holds for a whole command
 * and not for a subcommand. Limits (25 subcommands and options, 100 characters a text, 8,000 in all):
 * https://docs.discord.com/developers/interactions/application-commands
 */
export function commandsFor(commands: readonly Command[]): RESTPutAPIApplicationCommandsJSONBody {
  return [
    {
      type: ApplicationCommandType.ChatInput,
      name: NAME,
      description: "Hugging Face's Daily Papers: search, read, and a digest for this channel",
      contexts: [
        InteractionContextType.Guild,
        InteractionContextType.BotDM,
        InteractionContextType.PrivateChannel,
      ],
      integration_types: [ApplicationIntegrationType.GuildInstall, ApplicationIntegrationType.UserInstall],
      options: commands.map(toSubcommand),
    },
  ];
}

/** How `/papers` stands with Discord. */
export type Registration = {
  readonly state: "missing" | "different" | "current";
  /** Names of other commands of the same application. */
  readonly others: readonly string[];
};

export type RegistrationOptions = {
  readonly rest: REST;
  readonly applicationId: string;
  readonly commands: readonly Command[];
};

/** Compares what is registered with what this version would. @throws DiscordError */
export async function readRegistration(options: RegistrationOptions): Promise<Registration> {
  const { state, others } = await compare(options);
  return { state, others: others.map(({ name }) => name) };
}

/**
 * Registers `/papers`, with one bulk PUT and only where something differs. That PUT replaces all that an application
 * has, so its other commands go along as they are: whoever made them for this application finds them again. Commands
 * of single servers are not touched.
 * @returns the state before
 * @throws DiscordError
 */
export async function register(options: RegistrationOptions): Promise<Registration> {
  const { rest, applicationId, commands } = options;
  const { state, others } = await compare(options);
  if (state !== "current") {
    const put = [...commandsFor(commands), ...others.map(toPut)];
    await ask(rest, Routes.applicationCommands(applicationId), REGISTERED, { put });
  }
  return { state, others: others.map(({ name }) => name) };
}

const NAME = "papers";

function toSubcommand({ name, summary, options }: Command): APIApplicationCommandSubcommandOption {
  return {
    type: ApplicationCommandOptionType.Subcommand,
    name,
    description: summary,
    // Discord wants those that are required first.
    options: options.toSorted((a, b) => Number(b.required) - Number(a.required)).map(toOption),
  };
}

function toOption({
  name,
  summary,
  required,
  choices,
  range,
  complete,
}: Option): APIApplicationCommandBasicOption {
  const about = { name, description: summary, required };
  if (range !== undefined) {
    const { min, max } = range;
    return { ...about, type: ApplicationCommandOptionType.Integer, min_value: min, max_value: max };
  }
  const type = ApplicationCommandOptionType.String;
  // An option has choices or completion, never both.
  if (choices !== null) return { ...about, type, choices: choices.map((value) => ({ name: value, value })) };
  return { ...about, type, ...(complete === null ? {} : { autocomplete: true }) };
}

const REGISTERED = z.array(
  z.looseObject({ name: z.string(), type: z.int().default(ApplicationCommandType.ChatInput) }),
);
type Registered = z.infer<typeof REGISTERED>[number];

async function compare({ rest, applicationId, commands }: RegistrationOptions): Promise<{
  readonly state: Registration["state"];
  readonly others: readonly Registered[];
}> {
  // Without the query the others' translations would be left out here and lost by the PUT.
  const registered = await ask(rest, Routes.applicationCommands(applicationId), REGISTERED, {
    query: { with_localizations: "true" },
  });
  const isOurs = ({ name, type }: Registered) => name === NAME && type === ApplicationCommandType.ChatInput;
  const found = registered.find(isOurs);
  const [wanted] = commandsFor(commands);
  const isCurrent = isDeepStrictEqual(essence(found), essence(wanted));
  return {
    state: found === undefined ? "missing" : isCurrent ? "current" : "different",
    others: registered.filter((each) => !isOurs(each)),
  };
}

/** What a command is made of; Discord adds ids, a version, defaults and whatever it invents next. */
const ESSENTIAL: ReadonlySet<string> = new Set([
  ..."type name description options required autocomplete choices value min_value max_value".split(" "),
  ..."min_length max_length contexts integration_types default_member_permissions nsfw".split(" "),
  ..."name_localizations description_localizations".split(" "),
]);

/**
 * The essential parts without defaults, lists of numbers in order: equal for two that Discord treats alike. Of
 * translations, which `/papers` has none of, it is enough that there are any.
 */
function essence(value: unknown): unknown {
  if (Array.isArray(value)) {
    const parts = value.map(essence);
    return parts.every((part) => typeof part === "number") ? parts.toSorted((a, b) => a - b) : parts;
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, part]) => ESSENTIAL.has(key) && !isDefault(part))
      .map(([key, part]) => [key, essence(part)]),
  );
}

function isDefault(value: unknown): boolean {
  const isEmpty = typeof value === "object" && value !== null && Object.keys(value).length === 0;
  return value === null || value === undefined || value === false || isEmpty;
}

/** Another command as a PUT takes it back: under its id, without defaults and what only answers have. */
function toPut(command: Registered): Record<string, unknown> {
  const { application_id: _, version: __, guild_id: ___, dm_permission: inDirect, ...parts } = command;
  const kept = Object.entries(parts).filter(([, part]) => !isDefault(part) && part !== "");
  // `contexts` replaces `dm_permission`, which goes along only where there is nothing newer.
  const isOld = isDefault(command["contexts"]) && inDirect === false;
  return { ...Object.fromEntries(kept), ...(isOld ? { dm_permission: false } : {}) };
}
