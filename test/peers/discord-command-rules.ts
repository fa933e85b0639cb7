import type { Refusal } from "./discord-rules.ts";
import { checkForm } from "./discord-spec.ts";

/**
 * Discord's refusals of a bulk overwrite of commands; an empty array means that Discord takes it. From
 * https://docs.discord.com/developers/interactions/application-commands
 */
export function refuseCommands(body: unknown): Refusal[] {
  if (!Array.isArray(body)) {
    return [{ path: "", code: "LIST_TYPE_CONVERT", message: "Only iterables may be used in a ListType" }];
  }
  const commands: readonly unknown[] = body;
  const refusals = commands.flatMap((command, i) => {
    const formal = checkForm("command", command, `[${i}]`);
    return formal.length > 0 || !isCommand(command) ? formal : refuseCommand(command, `[${i}]`);
  });
  const names = new Set<string>();
  for (const command of commands.filter(isCommand)) {
    const key = `${command.type ?? 1} ${command.name}`;
    if (names.has(key)) {
      const message = "Application command names must be unique";
      refusals.push({ path: "", code: "APPLICATION_COMMANDS_DUPLICATE_NAME", message });
    }
    names.add(key);
  }
  return refusals;
}

/** How many commands of a kind an application may have: slash commands, of a user, of a message. */
export const MAX_COMMANDS: Readonly<Record<number, number>> = { 1: 100, 2: 15, 3: 15 };

/** All names, descriptions and values of a command, its options and choices; the longest translation counts. */
const MAX_COMMAND_TEXT = 8000;
const NAME = /^[-_'\p{L}\p{N}\p{sc=Deva}\p{sc=Thai}]{1,32}$/u;
const SUBCOMMAND = 1;
const GROUP = 2;

/** Null and absent are the same here. */
type Command = Named & {
  readonly type?: number | null;
  readonly contexts?: readonly number[] | null;
  readonly integration_types?: readonly number[] | null;
};
type Option = Named & {
  readonly type: number;
  readonly required?: boolean | null;
  readonly autocomplete?: boolean | null;
  readonly choices?: readonly Choice[] | null;
  readonly min_value?: number | null;
  readonly max_value?: number | null;
  readonly min_length?: number | null;
  readonly max_length?: number | null;
};
type Named = {
  readonly name: string;
  readonly description?: string | null;
  readonly name_localizations?: Translations;
  readonly description_localizations?: Translations;
  readonly options?: readonly Option[] | null;
};
type Choice = {
  readonly name: string;
  readonly name_localizations?: Translations;
  readonly value: string | number;
};
type Translations = Readonly<Record<string, string>> | null;

function refuseCommand(command: Command, path: string): Refusal[] {
  const refusals: Refusal[] = [];
  const say: Say = (at, code, message) => refusals.push({ path: at, code, message });
  const isSlash = (command.type ?? 1) === 1;
  if (isSlash) {
    refuseName(command, path, say);
    if ((command.description ?? "") === "") {
      say(`${path}.description`, "BASE_TYPE_REQUIRED", "This field is required");
    }
  } else if ((command.description ?? "") !== "" || (command.options ?? []).length > 0) {
    const code = "APPLICATION_COMMAND_INVALID_CONTEXT_MENU";
    say(path, code, "Context menu commands cannot have description or options");
  }
  for (const key of ["contexts", "integration_types"] as const) {
    const list = command[key] ?? [];
    if (new Set(list).size < list.length) {
      say(`${path}.${key}`, "BASE_TYPE_DUPLICATE", "The list has a value twice");
    }
  }
  refuseOptions(command.options ?? [], `${path}.options`, say);
  if (textOf(command) > MAX_COMMAND_TEXT) {
    const code = "APPLICATION_COMMAND_TOO_LARGE";
    say(path, code, `Command exceeds maximum size (${MAX_COMMAND_TEXT})`);
  }
  return refusals;
}

type Say = (path: string, code: string, message: string) => void;

function refuseOptions(options: readonly Option[], path: string, say: Say): void {
  const names = new Set<string>();
  let isOptionalSeen = false;
  const isNesting = ({ type }: Option) => type === SUBCOMMAND || type === GROUP;
  if (options.some(isNesting) && !options.every(isNesting)) {
    const message =
      "Sub-command and sub-command group option types are mutually exclusive to all other types";
    say(path, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", message);
  }
  for (const [i, option] of options.entries()) {
    const at = `${path}[${i}]`;
    refuseName(option, at, say);
    if (names.has(option.name)) {
      say(at, "APPLICATION_COMMAND_OPTIONS_NAME_ALREADY_EXISTS", "Option names must be unique");
    }
    names.add(option.name);
    if (option.required === true && isOptionalSeen) {
      const message = "Required options must be placed before non-required options";
      say(at, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", message);
    }
    isOptionalSeen ||= option.required !== true;
    refuseChoices(option, at, say);
    for (const [low, high] of [
      ["min_value", "max_value"],
      ["min_length", "max_length"],
    ] as const) {
      const [least, most] = [option[low] ?? null, option[high] ?? null];
      if (least !== null && most !== null && least > most) {
        say(`${at}.${low}`, "APPLICATION_COMMAND_OPTIONS_RANGE_INVALID", `${low} is above ${high}`);
      }
    }
    refuseOptions(option.options ?? [], `${at}.options`, say);
  }
}

function refuseChoices(option: Option, path: string, say: Say): void {
  const choices = option.choices ?? [];
  if (option.autocomplete === true && choices.length > 0) {
    const message = "autocomplete may not be set to true if choices are present";
    say(`${path}.autocomplete`, "APPLICATION_COMMAND_OPTIONS_AUTOCOMPLETE_WITH_CHOICES", message);
  }
  const names = new Set<string>();
  for (const [i, { name }] of choices.entries()) {
    if (names.has(name)) {
      const code = "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_ALREADY_EXISTS";
      say(`${path}.choices[${i}]`, code, "Option choice names must be unique");
    }
    names.add(name);
  }
}

/** Slash commands and options have lowercase names where the script has them. */
function refuseName({ name }: Named, path: string, say: Say): void {
  if (NAME.test(name) && name === name.toLowerCase()) return;
  say(`${path}.name`, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid");
}

function textOf(named: Named): number {
  const options = named.options ?? [];
  return (
    longest(named.name, named.name_localizations) +
    longest(named.description ?? "", named.description_localizations) +
    options.reduce((sum, option) => sum + textOf(option) + choiceText(option.choices ?? []), 0)
  );
}

function choiceText(choices: readonly Choice[]): number {
  return choices.reduce((sum, { name, name_localizations, value }) => {
    return sum + longest(name, name_localizations) + (typeof value === "string" ? value.length : 0);
  }, 0);
}

function longest(text: string, translations: Translations | undefined): number {
  return Math.max(text.length, ...Object.values(translations ?? {}).map((each) => each.length));
}

/** What `checkForm` has found well-formed. */
function isCommand(value: unknown): value is Command {
  return typeof value === "object" && value !== null && "name" in value && typeof value.name === "string";
}
