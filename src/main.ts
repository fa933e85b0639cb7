import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import packageJson from "../package.json" with { type: "json" };
import { DiscordError } from "./bots/discord/error.ts";
import { SlackError } from "./bots/slack/error.ts";
import {
  answer,
  audit,
  backfill,
  digest,
  FORMATS,
  importFiles,
  interrupted,
  manifest,
  say,
  search,
  settings,
  show,
  UsageError,
} from "./cli.ts";
import { ConfigError } from "./config.ts";
import { type Day, feedDay, parseDay } from "./core/day.ts";
import { editDistance } from "./core/edit-distance.ts";
import { InstallationError } from "./core/installation.ts";
import { SourceError } from "./core/source.ts";
import { TopicError } from "./core/topic.ts";
import { createEvents } from "./events.ts";
import { ImportError } from "./import-files.ts";
import { type Library, openLibrary } from "./library.ts";
import { createLog } from "./log.ts";
import { createPlaygroundClock, type PlaygroundClock } from "./playground-clock.ts";
import { DatabaseError } from "./storage/database.ts";

/** What the user can mend, in a sentence: no stack is shown for these. */
const PLAIN_ERRORS = [
  UsageError,
  ConfigError,
  DiscordError,
  SlackError,
  InstallationError,
  DatabaseError,
  SourceError,
  TopicError,
  ImportError,
];

process.exitCode = await main(process.argv.slice(2));

/** @returns 0 done, 1 failed, 2 wrong usage */
async function main(args: readonly string[]): Promise<number> {
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  try {
    const commands = program();
    refuseUnknown(commands, args[0]);
    await commands.parseAsync(args, { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const plain = PLAIN_ERRORS.some((kind) => error instanceof kind);
    say(
      plain && error instanceof Error
        ? error.message
        : `Paperboy failed: ${error instanceof Error ? error.message : error}`,
    );
    if (error instanceof TopicError && error.suggestion !== null) say(`Try: ${error.suggestion}`);
    return error instanceof UsageError || error instanceof TopicError ? 2 : 1;
  }
}

/** The default command would take an unknown one for its argument. */
function refuseUnknown(program: Command, first: string | undefined): void {
  const names = [...program.commands.map((command) => command.name()), "help"];
  if (first === undefined || first.startsWith("-") || names.includes(first)) return;
  const shown = first.length > 40 ? `${first.slice(0, 40)}…` : first;
  const near = names.find((name) => editDistance(name, first.slice(0, 40)) <= 2);
  throw new UsageError(`There is no command "${shown}". Try: npx paperboy ${near ?? "--help"}`);
}

function program(): Command {
  const program = new Command("paperboy")
    .description("Hugging Face's Daily Papers for Discord and Slack.")
    .exitOverride()
    .showSuggestionAfterError()
    .version(packageJson.version)
    .configureHelp({ showGlobalOptions: false });

  program
    .command("start", { isDefault: true })
    .description("serve the chats whose tokens are set, else the playground (the default)")
    .allowExcessArguments(false)
    .action(start);

  program
    .command("search")
    .description("find papers, best first")
    .argument("<query...>", "in the topic language, an arXiv id or a link; - reads one query a line")
    .option("--limit <n>", "how many, 1 to 500", wholeNumber(1, 500), 10)
    .option("--json", "for programs")
    .addHelpText(
      "after",
      "\nFor example:\n  paperboy search 'faster inference for language models'\n  paperboy search 'agents -robotics org:nvidia author:\"Song Han\" has:code min:20'",
    )
    .action(search);

  program
    .command("show")
    .description("a paper with all that is kept of it")
    .argument("<paper>", "an arXiv id or a link to the paper")
    .option("--json", "for programs")
    .allowExcessArguments(false)
    .action(show);

  program
    .command("digest")
    .description("print, without sending, what a channel would get")
    .option("--date <day>", "the list's day, YYYY-MM-DD (default: today's)", day)
    .option("--topic <query>", "a subscription in the topic language; repeat for several", collect, [])
    .option("--top <n>", "papers, 1 to 100", wholeNumber(1, 100), 5)
    .addOption(new Option("--format <format>", "how").choices(FORMATS).default("text"))
    .allowExcessArguments(false)
    .action(digest);

  program
    .command("backfill")
    .description("fetch the lists of past days that the store lacks; stop and repeat it at will")
    .option("--from <day>", "YYYY-MM-DD (default: six weeks ago)", day)
    .option("--to <day>", "YYYY-MM-DD (default: today)", day)
    .option("--json", "for programs")
    .allowExcessArguments(false)
    .action(backfill);

  program
    .command("import")
    .description('bring in saved lists: lines of {"date": "YYYY-MM-DD", "items": [...]}')
    .argument("<file...>", ".jsonl or .jsonl.gz")
    .option("--json", "for programs")
    .action(importFiles);

  program
    .command("audit")
    .description("what the ledger says of all deliveries")
    .option("--json", "for programs")
    .allowExcessArguments(false)
    .action(audit);

  program
    .command("register")
    .description("tell Discord of /papers, if it does not know it as it is")
    .option("--json", "for programs")
    .allowExcessArguments(false)
    .action(async (options: { json?: boolean }) => (await import("./setup.ts")).register(options));

  program
    .command("doctor")
    .description("check that all is set up as it should be, and print the links that install it")
    .option("--json", "for programs")
    .option("--url <url>", "for Slack over HTTP: the public https address of this server", publicUrl)
    .allowExcessArguments(false)
    .action(async (options: { json?: boolean; url?: string }) =>
      (await import("./setup.ts")).doctor(options),
    );

  program
    .command("manifest")
    .description("print the app manifest that Slack makes the app from, and what to do with it")
    .option("--url <url>", "for many workspaces: the public https address of this server", publicUrl)
    .option("--socket", "over a socket (the default without --url)")
    .allowExcessArguments(false)
    .action(manifest);

  return program;
}

async function start(): Promise<void> {
  const config = settings();
  const log = createLog(config);
  const events = createEvents(log);
  process.on("unhandledRejection", (error) => events.unexpected("a promise that nobody awaited", error));
  const clock: PlaygroundClock = createPlaygroundClock(() => library.messages);
  const { discord, slack } = config;
  const withChats = discord.token !== null || slack.botToken !== null || slack.clientId !== null;
  const library: Library = await openLibrary(config, {
    report: events.ingested,
    reportModel: events.modelAnswered,
    log: (line) => log.warn(line),
    ...(withChats ? {} : { clock: clock.now }),
  });
  // Loaded only here: the other commands start faster without a web server and a platform's client.
  const serve = withChats
    ? (await import("./serve-chats.ts")).serveChats(config, library, events)
    : (await import("./serve-playground.ts")).servePlayground(config, library, clock, events);
  const service = await serve.catch(async (error: unknown) => {
    await library.close();
    throw portError(error, config);
  });
  const stop = interrupted();
  const asked = new Promise<void>((resolve) => stop.addEventListener("abort", () => resolve()));
  answer(`Paperboy is ready at ${service.url} (pid ${process.pid})`);
  await asked;
  await service.close();
  await library.close();
  // A request to Hugging Face that is still under way does not hold the end up.
  process.exit(0);
}

function portError(error: unknown, { host, port }: { host: string; port: number }): unknown {
  const code = error instanceof Error && "code" in error ? error.code : "";
  if (code === "EADDRINUSE") {
    return new ConfigError(
      `Port ${port} on ${host} is taken by another program: stop that one, or choose another port, as in \`PORT=${port === 65_535 ? 3000 : port + 1} npm start\`.`,
    );
  }
  if (code === "EACCES")
    return new ConfigError(
      `Port ${port} needs more rights than this user has: choose one above 1023, as in \`PORT=3000 npm start\`.`,
    );
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
    return new ConfigError(`HOST=${host} is no address of this machine: use 127.0.0.1, or 0.0.0.0 for all.`);
  return error;
}

function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`It is a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

function day(text: string): Day {
  const parsed = parseDay(text.trim());
  if (parsed === null) throw new InvalidArgumentError(`It is a date such as ${feedDay(new Date())}.`);
  return parsed;
}

/** An https address without a slash at its end, below which the paths for Slack lie. */
function publicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isBare = url !== null && url.username + url.password + url.search + url.hash === "";
  if (url?.protocol !== "https:" || !isBare) {
    throw new InvalidArgumentError("It is an https address such as https://papers.example.com.");
  }
  return url.href.replace(/\/+$/, "");
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}
