import { channelActions, channelCommands, refuseSettings } from "./channel-commands.ts";
import type { Args, Asker, Choice, Command, Desk, Option, Reply } from "./command.ts";
import { editDistance } from "./edit-distance.ts";
import { type Action, paperActions, paperCommands } from "./paper-commands.ts";
import { MOST_CHOICES } from "./paper-sought.ts";
import { cutAtSentence, plainText } from "./readable.ts";
import { say } from "./reply.ts";

/** Longer text is refused before it is read. */
const LONGEST_TEXT = 3000;
/** Discord's limits of a completion. */
const LONGEST_CHOICE = 100;

const help: Command = {
  name: "help",
  summary: "What Paperboy can do, or more about one command",
  usage: "help [command]",
  examples: ["help", "help subscribe"],
  options: [
    {
      name: "command",
      summary: "The command to read about",
      required: false,
      choices: null,
      complete: async (_desk, _asker, typed) =>
        commands
          .filter(({ name }) => name.startsWith(plainText(typed).toLowerCase()))
          .map(({ name, summary }) => ({ label: `${name} · ${summary}`, value: name })),
    },
  ],
  who: "all",
  parse: (text) => ({ command: text }),
  async run(_desk, asker, args) {
    const wanted = plainText(args["command"] ?? "")
      .toLowerCase()
      .replace(/^\/?papers\s+/, "");
    if (wanted === "") return helpOnAll(asker);
    const command = commands.find(({ name }) => name === wanted.split(" ")[0]);
    return command === undefined ? unknownCommand(wanted, (name) => `help ${name}`) : helpOn(command);
  },
};

/** All of `/papers`, in the order of its help. */
export const commands: readonly Command[] = order([...paperCommands, ...channelCommands, help]);

function order(all: readonly Command[]): readonly Command[] {
  const names = [
    ..."search today trending show similar subscribe unsubscribe subscriptions preview status".split(" "),
    ..."schedule pause resume saved profile test forget help".split(" "),
  ];
  return all.toSorted((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
}

/**
 * Answers the text behind `/papers`. Curly quotes, case, extra blanks, invisible characters and a repeated `/papers`
 * are forgiven; nothing at all is `help`.
 */
export async function runText(desk: Desk, asker: Asker, text: string): Promise<Reply> {
  if (text.length > LONGEST_TEXT) return tooLong();
  const { name, rest } = split(text);
  if (name === "") return help.run(desk, asker, {});
  const command = commands.find((each) => each.name === name);
  if (command === undefined) return unknownCommand(name, (nearest) => `${nearest} ${rest}`.trim());
  if (rest !== "" && command.options.length === 0) {
    return say(
      `“${name}” takes nothing behind it: “${cutAtSentence(rest, 60)}” has no place.`,
      `/papers ${name}`,
    );
  }
  return runCommand(desk, asker, name, command.parse(rest));
}

/** Answers a subcommand whose options the platform has told apart. */
export async function runCommand(desk: Desk, asker: Asker, name: string, args: Args): Promise<Reply> {
  const length = Object.values(args).reduce((sum, value) => sum + value.length, 0);
  if (length > LONGEST_TEXT) return tooLong();
  const command = commands.find((each) => each.name === name);
  if (command === undefined) return unknownCommand(plainText(name).toLowerCase(), (nearest) => nearest);
  if (command.who === "settings" && !asker.maySet) return refuseSettings(asker);
  return command.run(desk, asker, mapValues(args, straighten));
}

/**
 * Answers a button or a menu.
 * @param id as the message carries it: `v1:<verb>` and more after colons
 * @param value what was chosen in a menu; null for a button
 */
export async function press(
  desk: Desk,
  asker: Asker,
  id: string,
  value: string | null = null,
): Promise<Reply> {
  const [version, verb = "", ...parts] = id.length > LONGEST_ID ? [] : id.split(":");
  const action = version === "v1" ? actions.get(verb) : undefined;
  if (action === undefined) {
    return say(
      "This button is from an older version of Paperboy: the command does the same.",
      "/papers help",
    );
  }
  if ((value?.length ?? 0) > LONGEST_TEXT) return tooLong();
  if (action.who === "settings" && !asker.maySet) return refuseSettings(asker);
  return action.act(desk, asker, parts, value);
}

/** The longest id of a button on either platform (Slack's `action_id`). */
const LONGEST_ID = 255;

const actions: ReadonlyMap<string, { readonly who: Command["who"]; readonly act: Action }> = new Map([
  ...Object.entries(paperActions).map(([verb, act]) => [verb, { who: "all" as const, act }] as const),
  ...Object.entries(channelActions),
]);

/**
 * What the text behind `/papers` may go on with: subcommands, then the option that is being typed.
 * @returns values that take the whole text's place
 */
export async function complete(desk: Desk, asker: Asker, text: string): Promise<readonly Choice[]> {
  if (text.length > LONGEST_TEXT) return [];
  const { name, rest } = split(text);
  // A blank behind a name begins its options; plain text has lost it.
  const isNamed = rest !== "" || /\s$/.test(text);
  if (!isNamed || name === "") {
    return commands
      .filter((each) => each.name.startsWith(name))
      .map((each) => ({
        label: cutAtSentence(`${each.usage} · ${each.summary}`, LONGEST_CHOICE),
        value: each.name,
      }));
  }
  const command = commands.find((each) => each.name === name);
  if (command === undefined) return [];
  const [only, ...others] = command.options;
  if (only === undefined) return [];
  // Of several options, the last word is what is being typed.
  const cut = others.length === 0 || /\s$/.test(text) ? rest.length : rest.lastIndexOf(" ") + 1;
  const [before, typed] = others.length === 0 ? ["", rest] : [rest.slice(0, cut).trim(), rest.slice(cut)];
  const found = await Promise.all(command.options.map((option) => choicesOf(desk, asker, option, typed)));
  return found
    .flat()
    .slice(0, MOST_CHOICES)
    .map(({ label, value }) => ({ label, value: [name, before, value].filter(Boolean).join(" ") }));
}

/** What an option of a subcommand may be, as it is typed; at most 25, of at most 100 characters. */
export async function completeOption(
  desk: Desk,
  asker: Asker,
  { command, option, typed }: { readonly command: string; readonly option: string; readonly typed: string },
): Promise<readonly Choice[]> {
  const found = commands.find(({ name }) => name === command)?.options.find(({ name }) => name === option);
  return found === undefined || typed.length > LONGEST_TEXT ? [] : choicesOf(desk, asker, found, typed);
}

async function choicesOf(
  desk: Desk,
  asker: Asker,
  option: Option,
  typed: string,
): Promise<readonly Choice[]> {
  const plain = straighten(plainText(typed));
  const choices =
    option.complete === null
      ? (option.choices ?? [])
          .filter((each) => each.startsWith(plain.toLowerCase()))
          .map((value) => ({ label: value, value }))
      : await option.complete(desk, asker, plain);
  return choices
    .filter(({ value }) => value.length <= LONGEST_CHOICE)
    .slice(0, MOST_CHOICES)
    .map(({ label, value }) => ({ label: cutAtSentence(label, LONGEST_CHOICE), value }));
}

function split(text: string): { readonly name: string; readonly rest: string } {
  const plain = plainText(straighten(text)).replace(/^(\/?papers(\s+|$))+/i, "");
  const [first = ""] = plain.split(" ", 1);
  return { name: first.toLowerCase().replace(/^\//, ""), rest: plain.slice(first.length).trim() };
}

/** Phones write curly quotes. */
function straighten(text: string): string {
  return text.replace(/[\u201c-\u201f]/g, '"').replace(/[\u2018-\u201b]/g, "'");
}

function mapValues(args: Args, change: (value: string) => string): Args {
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, change(value)]));
}

function tooLong(): Reply {
  return say(
    `This is longer than ${LONGEST_TEXT.toLocaleString("en-US")} characters, which is too much to read.`,
    "A few words suffice:",
    "/papers search agents",
  );
}

function unknownCommand(wanted: string, line: (nearest: string) => string): Reply {
  const short = wanted.slice(0, 40);
  const distances = commands.map(({ name }) => ({
    name,
    distance: name.startsWith(short) || short.startsWith(name) ? 1 : editDistance(short, name),
  }));
  const nearest = distances.reduce((best, next) => (next.distance < best.distance ? next : best));
  const title = `There is no command “${cutAtSentence(wanted, 60)}”.`;
  if (nearest.distance > Math.max(2, nearest.name.length / 2)) {
    return say(
      title,
      "To find papers about it, or to see all commands:",
      `/papers search ${cutAtSentence(wanted, 100)}`,
      "/papers help",
    );
  }
  return say(title, "Did you mean:", cutAtSentence(`/papers ${line(nearest.name)}`, 300));
}

function helpOnAll(asker: Asker): Reply {
  const lines = commands.map(
    ({ usage, summary, who }) =>
      `/papers ${usage} — ${summary}${who === "settings" && !asker.maySet ? " (settings)" : ""}`,
  );
  return say(
    "Paperboy brings Hugging Face's Daily Papers here",
    "To begin: /papers subscribe agents",
    ...lines,
    'Topics: words, "a phrase", -without, OR, org:nvidia, author:"Song Han", has:code, min:20',
  );
}

function helpOn({ name, summary, usage, examples, who }: Command): Reply {
  const rights: Readonly<Record<Command["who"], string>> = {
    all: "Everybody may use it.",
    settings: "It changes this channel, so it is for those who may change its settings.",
    own: "It is about what is yours alone; only you see the answer.",
  };
  return say(
    `${name}: ${summary}`,
    `/papers ${usage}`,
    "Such as:",
    ...examples.map((example) => `/papers ${example}`),
    rights[who],
  );
}
