import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { renderDiscord } from "./bots/discord/render.ts";
import { renderSlack } from "./bots/slack/render.ts";
import { renderTerminal } from "./bots/terminal/render.ts";
import { ConfigError, loadEnvFile, readConfig } from "./config.ts";
import { type Found, paperMessage, searchMessage, searchPapers } from "./core/answer.ts";
import type { Context } from "./core/context.ts";
import { addDays, type Day, FIRST_DAY, feedDay, isWeekend, parseDay } from "./core/day.ts";
import { type Digest, digestMessage, planDigest, whyLine } from "./core/digest.ts";
import type { IngestReport } from "./core/ingest.ts";
import type { Message } from "./core/message.ts";
import { paperUrl, parsePaperId } from "./core/paper.ts";
import { SourceError } from "./core/source.ts";
import type { StoredPaper } from "./core/store.ts";
import { summarize } from "./core/summarize.ts";
import { parseTopic, TopicError } from "./core/topic.ts";
import { createEvents } from "./events.ts";
import { ImportError, linesOf, linesOfFiles } from "./import-files.ts";
import { type Library, openLibrary } from "./library.ts";
import { createLog } from "./log.ts";
import { createProgress } from "./progress.ts";
import { DatabaseError } from "./storage/database.ts";

/** The command cannot be carried out as it was typed; the message says how it can. */
class UsageError extends Error {}

/** What the user can mend, in a sentence: no stack is shown for these. */
const PLAIN_ERRORS = [UsageError, ConfigError, DatabaseError, SourceError, TopicError, ImportError];

const FORMATS = ["text", "json", "discord", "slack"] as const;

process.exitCode = await main(process.argv.slice(2));

/** @returns 0 done, 1 failed, 2 wrong usage */
async function main(args: readonly string[]): Promise<number> {
  // A reader that has seen enough (`| head`) is no failure.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  try {
    await program().parseAsync(args, { from: "user" });
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
    if (!plain && process.env["LOG_LEVEL"] === "debug" && error instanceof Error) say(error.stack ?? "");
    return error instanceof UsageError || error instanceof TopicError ? 2 : 1;
  }
}

function program(): Command {
  const program = new Command("paperboy")
    .description("Hugging Face's Daily Papers for Discord and Slack.")
    .exitOverride()
    .showSuggestionAfterError()
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: false });

  program
    .command("start", { isDefault: true })
    .description("serve the playground and keep the papers fresh (the default)")
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

  return program;
}

async function start(): Promise<void> {
  const config = settings();
  if (config.discord.token !== null || config.slack.botToken !== null || config.slack.clientId !== null) {
    throw new ConfigError(
      "A Discord or Slack token is set, but this version only serves the playground: unset it, as in `DISCORD_TOKEN= SLACK_BOT_TOKEN= SLACK_CLIENT_ID= npm start`.",
    );
  }
  // Only here: the other commands start faster without a web server.
  const { serve } = await import("./serve.ts");
  const events = createEvents(createLog(config));
  const library = await openLibrary(config, events.ingested);
  const service = await serve(config, library, events).catch(async (error: unknown) => {
    await library.close();
    throw portError(error, config);
  });
  process.on("unhandledRejection", (error) => events.unexpected("a promise that nobody awaited", error));
  const asked = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
  });
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

async function search(words: readonly string[], options: { limit: number; json?: boolean }): Promise<void> {
  const { limit, json = false } = options;
  await withLibrary(async (library) => {
    const context = await library.context();
    if (words.length === 1 && words[0] === "-") {
      for await (const line of linesOf(process.stdin)) await searchLine(context, line, limit, json);
      return;
    }
    const query = words.join(" ");
    const found = await searchPapers(context, query, limit);
    if (json) answer(JSON.stringify(found.map(resultJson)));
    else print(searchMessage(found, { query, offset: 0, total: found.length }, context));
    if (context.notice !== null && json) say(context.notice);
  });
}

async function searchLine(context: Context, query: string, limit: number, json: boolean): Promise<void> {
  let found: readonly Found[] = [];
  try {
    found = await searchPapers(context, query, limit);
  } catch (error) {
    if (!(error instanceof TopicError)) throw error;
    say(`${error.message}${error.suggestion === null ? "" : ` Try: ${error.suggestion}`}`);
  }
  if (json) answer(JSON.stringify(found.map(resultJson)));
  else print(searchMessage(found, { query, offset: 0, total: found.length }, context));
}

function resultJson({ paper, score }: Found) {
  const { id, title, upvotes, listedOn, summary } = paper;
  return { id, title, url: paperUrl(id), score, upvotes, listedOn, summary: summary?.text ?? null };
}

async function show(text: string, { json = false }: { json?: boolean }): Promise<void> {
  const id = parsePaperId(text);
  if (id === null) {
    throw new UsageError(
      `"${text.slice(0, 100)}" is no arXiv id and no link to a paper. Try: npx paperboy show 2504.06261`,
    );
  }
  await withLibrary(async (library) => {
    const context = await library.context();
    const paper = (await context.store.papers([id]))[0] ?? (await fetchPaper(library, id));
    if (paper === null) throw new SourceError(`Neither the store nor Hugging Face knows a paper ${id}.`);
    if (!json) {
      print(paperMessage(paper, context));
      return;
    }
    const { summary, revision: _, ...kept } = paper;
    const snapshots = await context.store.snapshots([id], "");
    answer(
      JSON.stringify(
        {
          ...kept,
          url: paperUrl(id),
          summary: summary?.text ?? null,
          summaryMethod: summary?.method ?? null,
          snapshots: snapshots.map(({ paperId: _, ...snapshot }) => snapshot),
        },
        null,
        2,
      ),
    );
  });
}

async function fetchPaper({ source, store }: Library, id: string): Promise<StoredPaper | null> {
  const paper = await source.paper(id);
  if (paper === null) return null;
  await store.savePapers([{ paper, summary: summarize(paper) }], new Date().toISOString());
  return (await store.papers([id]))[0] ?? null;
}

type DigestOptions = { date?: Day; topic: string[]; top: number; format: (typeof FORMATS)[number] };

async function digest(options: DigestOptions): Promise<void> {
  const topics = options.topic.map((query) => parseTopic(query));
  const today = feedDay(new Date());
  if (options.date !== undefined && options.date > today) {
    throw new UsageError(
      `${options.date} has no list yet: the newest day is ${today}. Try: npx paperboy digest --date ${today}`,
    );
  }
  await withLibrary(async (library) => {
    const failure = await fetchDay(library, options.date ?? today, today);
    const context = await library.context();
    const day = await dayToShow(context, options.date ?? null, today, failure);
    const digest = await planDigest(context, { day, topics });
    const outOfReach =
      failure === null || context.notice !== null
        ? null
        : `Hugging Face is out of reach: this is the last good list.`;
    printDigest(digest, options, today, context.notice ?? outOfReach);
  });
}

/** Reads a day that the store lacks. @returns what went wrong, null for nothing */
async function fetchDay({ store, ingest }: Library, day: Day, today: Day): Promise<string | null> {
  const list = await store.list(day);
  const mayGrow = list !== null && list.papers.length === 0 && feedDay(new Date(list.seenAt)) <= day;
  if ((list !== null && !mayGrow) || isWeekend(day) || day < FIRST_DAY || day > today) return null;
  try {
    const { failed } = await ingest.backfill({ from: day, to: day });
    return failed[0]?.message ?? null;
  } catch (error) {
    if (error instanceof SourceError) return error.message;
    throw error;
  }
}

/** The day asked for; where nothing was asked and Hugging Face is out of reach, the newest list there is. */
async function dayToShow(
  context: Context,
  asked: Day | null,
  today: Day,
  failure: string | null,
): Promise<Day> {
  const day = asked ?? today;
  if (failure === null || (await context.store.list(day)) !== null) return day;
  if (asked !== null) throw new SourceError(failure);
  say(failure);
  const newest = (await context.store.days({})).find(({ count }) => count > 0);
  return newest?.day ?? day;
}

function printDigest(
  digest: Digest,
  { top, format }: DigestOptions,
  today: Day,
  notice: string | null,
): void {
  const message = digestMessage(digest, { today, top, pagesId: "v1:page", notice });
  if (format === "json") {
    const papers = digest.ranked.slice(0, top).map((ranked) => {
      const { id, title, summary, upvotes } = ranked.paper;
      return { id, title, url: paperUrl(id), summary: summary?.text ?? null, why: whyLine(ranked), upvotes };
    });
    if (notice !== null) say(notice);
    answer(JSON.stringify({ date: digest.day, outcome: digest.outcome, papers }, null, 2));
  } else if (format !== "text") {
    const render = format === "discord" ? renderDiscord : renderSlack;
    answer(JSON.stringify(message === null ? [] : [render(message)], null, 2));
  } else if (message === null) {
    answer(
      `No list on ${digest.day}${isWeekend(digest.day) ? ": Hugging Face lists papers from Monday to Friday" : ""}.`,
    );
  } else {
    print(message);
  }
}

async function backfill(options: { from?: Day; to?: Day; json?: boolean }): Promise<void> {
  const today = feedDay(new Date());
  const { to = today, from = addDays(to, -41), json = false } = options;
  if (from > to)
    throw new UsageError(
      `--from ${from} is after --to ${to}. Try: npx paperboy backfill --from ${to} --to ${from}`,
    );
  await withLibrary(async (library) => {
    const progress = createProgress("papers");
    let papers = 0;
    const report = await library.ingest
      .backfill({
        from,
        to,
        signal: interrupted(),
        onDay({ done, total, kept }) {
          papers += kept;
          progress.update(done / total, papers);
        },
      })
      .finally(progress.end);
    printReport(report, json);
    for (const { day, message } of report.failed) say(`${day} was not read: ${message}`);
    if (report.stopped) say("Stopped; the same command goes on where it was.");
    if (report.failed.length > 0 || report.stopped) process.exitCode = 1;
  });
}

async function importFiles(files: readonly string[], { json = false }: { json?: boolean }): Promise<void> {
  await withLibrary(async (library) => {
    const progress = createProgress("papers");
    let papers = 0;
    let share = 0;
    const lines = linesOfFiles(files, (read) => {
      share = read;
    });
    const signal = interrupted();
    const report = await library.ingest
      .importLines(lines, {
        signal,
        onDay({ kept }) {
          papers += kept;
          progress.update(share, papers);
        },
      })
      .finally(progress.end);
    printReport(report, json);
    if (signal.aborted) {
      say("Stopped; the same command goes on where it was.");
      process.exitCode = 1;
    }
  });
}

function printReport({ read, kept, dropped }: IngestReport, json: boolean): void {
  if (json) {
    answer(JSON.stringify({ read, kept, dropped }));
    return;
  }
  answer(`${read.toLocaleString("en-US")} rows read, ${kept.toLocaleString("en-US")} kept.`);
  for (const { reason, count } of dropped) answer(`${count.toLocaleString("en-US")} dropped: ${reason}`);
}

/** Opens the library for one command and closes it, whatever happens. */
async function withLibrary(run: (library: Library) => Promise<void>): Promise<void> {
  const config = settings();
  const log = createLog({ ...config, logLevel: process.env["LOG_LEVEL"] ? config.logLevel : "error" });
  const library = await openLibrary(config, createEvents(log).ingested);
  try {
    await run(library);
  } finally {
    await library.close();
  }
}

function settings() {
  loadEnvFile();
  return readConfig(process.env);
}

/** Aborts at the first Ctrl-C, so that what is under way ends whole; the second ends the process. */
function interrupted(): AbortSignal {
  const controller = new AbortController();
  process.once("SIGINT", () => controller.abort());
  process.once("SIGTERM", () => controller.abort());
  return controller.signal;
}

function print(message: Message): void {
  const { isTTY: color = false, columns = 80 } = process.stdout;
  answer(renderTerminal(message, { width: Math.min(columns, 100), color, links: color }));
}

/** To stdout, which carries the answer and nothing else. */
function answer(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** To stderr. */
function say(text: string): void {
  process.stderr.write(`${text}\n`);
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

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}
