import { renderDiscord } from "./bots/discord/render.ts";
import { createManifest, manifestAdvice } from "./bots/slack/manifest.ts";
import { renderSlack } from "./bots/slack/render.ts";
import { renderTerminal } from "./bots/terminal/render.ts";
import { type Config, loadEnvFile, readConfig } from "./config.ts";
import { type Found, paperMessage, searchMessage, searchPapers } from "./core/answer.ts";
import type { Context } from "./core/context.ts";
import { addDays, type Day, FIRST_DAY, feedDay, isWeekend } from "./core/day.ts";
import { type Digest, digestMessage, planDigest, whyLine } from "./core/digest.ts";
import { type IngestReport, RECENT_DAYS } from "./core/ingest.ts";
import type { Message } from "./core/message.ts";
import { count } from "./core/numbers.ts";
import { paperUrl, parsePaperId } from "./core/paper.ts";
import { SourceError } from "./core/source.ts";
import type { StoredPaper } from "./core/store.ts";
import { summarize } from "./core/summarize.ts";
import { parseTopic, TopicError } from "./core/topic.ts";
import { createEvents } from "./events.ts";
import { linesOf, linesOfFiles } from "./import-files.ts";
import { type Library, openLibrary } from "./library.ts";
import { createLog } from "./log.ts";
import { createProgress } from "./progress.ts";
import { storeError } from "./storage/database.ts";

/** How a digest is printed. */
export const FORMATS = ["text", "json", "discord", "slack"] as const;

/** The command cannot be carried out as it was typed; the message says how it can. */
export class UsageError extends Error {}

/** `search`: papers for a query, or for each line of stdin. */
export async function search(
  words: readonly string[],
  options: { limit: number; json?: boolean },
): Promise<void> {
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

/** `show`: one paper, fetched and kept where the store lacks it. */
export async function show(text: string, { json = false }: { json?: boolean }): Promise<void> {
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

/** `digest`: what a channel would get for a day. */
export async function digest(options: DigestOptions): Promise<void> {
  const topics = [
    ...new Map(options.topic.map((query) => parseTopic(query)).map((topic) => [topic.text, topic])).values(),
  ];
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
    const early = digest.day < FIRST_DAY ? `: the first list is of ${FIRST_DAY}` : "";
    answer(
      `No list on ${digest.day}${early || (isWeekend(digest.day) ? ": lists come from Monday to Friday" : "")}.`,
    );
  } else {
    print(message);
  }
}

/** `backfill`: the lists that the store lacks. */
export async function backfill(options: { from?: Day; to?: Day; json?: boolean }): Promise<void> {
  const today = feedDay(new Date());
  const { to = today, from = addDays(to, -RECENT_DAYS), json = false } = options;
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

/** `import`: saved lists. */
export async function importFiles(
  files: readonly string[],
  { json = false }: { json?: boolean },
): Promise<void> {
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
    if (signal.aborted) say("Stopped; the same command brings in the rest.");
    if (signal.aborted || (report.kept === 0 && report.read > 0)) process.exitCode = 1;
  });
}

/** `audit`: the ledger in figures. */
export async function audit({ json = false }: { json?: boolean }): Promise<void> {
  await withLibrary(async ({ ledger }) => {
    const { deliveries, byOutcome, lost, doubled, uncertain } = await ledger.audit(new Date().toISOString());
    if (json) {
      answer(JSON.stringify({ deliveries, byOutcome, lost, doubled, uncertain }));
      return;
    }
    answer(
      `${count(deliveries, "delivery", "deliveries")}: ${lost} lost, ${doubled} doubled, ${uncertain} uncertain.`,
    );
    for (const [outcome, number] of Object.entries(byOutcome)) answer(`${number} ${outcome}`);
  });
}

/** `manifest`: what Slack makes the app from, and on stderr what to do with it. Needs no settings. */
export function manifest({ url, socket = url === undefined }: { url?: string; socket?: boolean }): void {
  const options = { url: url ?? null, isSocket: socket };
  answer(JSON.stringify(createManifest(options), null, 2));
  say(manifestAdvice(options));
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
export async function withLibrary(run: (library: Library) => Promise<void>): Promise<void> {
  const config = settings();
  // A command answers; its log is for those who look for a fault.
  const quiet = config.logLevel !== "debug" && config.logLevel !== "trace";
  const log = createLog({ ...config, logLevel: quiet ? "error" : config.logLevel });
  const events = createEvents(log);
  const library = await openLibrary(config, {
    log: (line) => log.warn(line),
    report: (event) => {
      events.ingested(event);
      if (event.kind === "list-failed" && event.retryAfterMs !== null) {
        say(`${event.message} Waiting ${Math.ceil(event.retryAfterMs / 1000)} s; Ctrl-C stops.`);
      }
    },
  });
  try {
    await run(library);
  } catch (error) {
    const isSqlite = error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE_");
    throw isSqlite ? storeError(config.databasePath, error) : error;
  } finally {
    await library.close();
  }
}

/** The environment, with `.env`. @throws ConfigError */
export function settings(): Config {
  loadEnvFile();
  return readConfig(process.env);
}

/**
 * Aborts at the first Ctrl-C, so that what is under way ends whole; a second one ends the process. One that follows at
 * once is the same one: a terminal and the launcher both tell of it.
 */
export function interrupted(): AbortSignal {
  const controller = new AbortController();
  let firstAt = 0;
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      if (firstAt > 0 && Date.now() - firstAt > 500) process.exit(130);
      firstAt ||= Date.now();
      controller.abort();
    });
  }
  return controller.signal;
}

function print(message: Message): void {
  const { isTTY: color = false, columns = 80 } = process.stdout;
  answer(renderTerminal(message, { width: Math.min(columns, 100), color, links: color }));
}

/** To stdout, which carries the answer and nothing else. */
export function answer(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** To stderr. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
