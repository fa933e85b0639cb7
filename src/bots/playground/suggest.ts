import type { Asker, Choice, Command } from "../../core/command.ts";
import type { Client } from "./bot.ts";

/** What a composer offers while something is typed. */
export type Suggestions = {
  /** Rows to choose from, best first. */
  readonly rows: readonly Suggestion[];
  /** Whether the first row is meant by Enter as well; else Enter sends what was typed. */
  readonly eager: boolean;
  /** The command that is being filled in; null while it has no name yet. */
  readonly usage: Usage | null;
};
export type Suggestion = {
  /** What the composer holds once the row is chosen. */
  readonly text: string;
  readonly label: string;
  readonly hints: readonly string[];
  readonly summary: string;
};
export type Usage = {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly {
    readonly name: string;
    readonly summary: string;
    readonly required: boolean;
  }[];
};

/** Commands as a picker needs them: those of core are such. */
export type PickerCommand = Pick<Command, "name" | "summary"> & {
  readonly options: readonly Pick<Command["options"][number], "name" | "summary" | "required">[];
};

const NONE: Suggestions = { rows: [], eager: false, usage: null };

/**
 * What a client's picker would offer: on Slack first the command, then its subcommands; on Discord the subcommands
 * at once; then an option's choices.
 * @param complete choices for what stands behind `/papers `; a choice's value takes that text's place
 */
export async function suggest(
  client: Client,
  text: string,
  asker: Asker,
  {
    commands,
    complete,
  }: {
    readonly commands: readonly PickerCommand[];
    complete(asker: Asker, text: string): Promise<readonly Choice[]>;
  },
): Promise<Suggestions> {
  const typed = text.trimStart().toLowerCase();
  if (!typed.startsWith("/")) return NONE;
  if (client === "slack" && typed.length < PREFIX.length && PREFIX.startsWith(typed)) {
    const row = { text: PREFIX, label: "/papers", hints: [], summary: "Daily Papers in this channel" };
    return { rows: [row], eager: true, usage: null };
  }
  const [, name = "", rest] = /^\/papers(?:\s+(\S*)(\s[\s\S]*)?)?$/.exec(typed) ?? [];
  const command = rest === undefined ? undefined : commands.find((known) => known.name === name);
  if (command !== undefined) {
    const behind = text.trimStart().replace(/^\/papers\s+/i, "");
    const choices = await complete(asker, behind);
    const rows = choices.map(({ label, value }) => ({
      text: PREFIX + value,
      label,
      hints: [],
      summary: "",
    }));
    return { rows, eager: false, usage: command };
  }
  if (rest !== undefined || !(PREFIX.startsWith(typed) || typed.startsWith(PREFIX))) return NONE;
  return { rows: namesLike(name, commands), eager: true, usage: null };
}

const PREFIX = "/papers ";

/** Commands whose name begins so, then those that have it within. */
function namesLike(typed: string, commands: readonly PickerCommand[]): readonly Suggestion[] {
  const beginning = commands.filter(({ name }) => name.startsWith(typed));
  const within = commands.filter(({ name }) => !name.startsWith(typed) && name.includes(typed));
  return [...beginning, ...within].map(({ name, summary, options }) => ({
    text: options.length > 0 ? `${PREFIX}${name} ` : PREFIX + name,
    label: PREFIX + name,
    hints: options.map((option) => option.name),
    summary,
  }));
}
