import { paperFacts, rowsMessage } from "./answer.ts";
import { type Asker, type Choice, type Command, type Desk, type Reply, sentence } from "./command.ts";
import {
  addDays,
  type Day,
  dayForPeople,
  daysBetween,
  FIRST_DAY,
  feedDay,
  isWeekend,
  shortDate,
} from "./day.ts";
import { digestMessage, gainsSinceYesterday, planDigest } from "./digest.ts";
import { LAST_SHOWN, type Button } from "./message.ts";
import { count } from "./numbers.ts";
import { MOST_CHOICES } from "./paper-sought.ts";
import { rank } from "./rank.ts";
import { cutAtSentence, plainText } from "./readable.ts";
import { listReply, MOST_RESULTS, PAGE, pageOf, say, whole } from "./reply.ts";
import { parseSpokenDay } from "./spoken-day.ts";
import type { StoredPaper } from "./store.ts";

export const today: Command = {
  name: "today",
  summary: "The papers of a day's list",
  usage: "today [day]",
  examples: ["today", "today yesterday", "today 2026-04-22", "today 22 April", "today monday"],
  options: [
    {
      name: "date",
      summary: "Such as 2026-04-22, yesterday, monday; none for the newest",
      required: false,
      choices: null,
      complete: completeDays,
    },
  ],
  who: "all",
  parse: (text) => whole("date", text),
  async run(desk, _asker, args, offset = 0) {
    const now = feedDay(desk.clock());
    const asked = plainText(args["date"] ?? "");
    const day = asked === "" ? now : parseSpokenDay(asked, now);
    if (day === null) {
      const nearest = (await listDays(desk, now)).before ?? now;
      return say(`“${cutAtSentence(asked, 60)}” is no day.`, `Such as: /papers today ${nearest}`);
    }
    const list = day > now ? null : await dayList(desk, day, offset);
    if (list !== null) return list;
    const { before, after } = await listDays(desk, day);
    const nearest =
      before !== null && (after === null || daysBetween(before, day) <= daysBetween(day, after))
        ? before
        : after;
    if (nearest === null) return say("There is no list here yet.", ...noticesOf(desk));
    const nearestName = before === null ? "oldest here" : "nearest";
    const why = `${whyNoList(day, now)} The ${nearestName} is ${dayForPeople(nearest, now)}`;
    // Without a day asked for, the newest list serves, as on Hugging Face's own page.
    const instead = asked === "" ? await dayList(desk, nearest, offset) : null;
    if (instead !== null) {
      const { message } = instead;
      return { ...instead, message: { ...message, intro: [`${why}:`, ...message.intro] } };
    }
    return {
      to: "asker",
      message: {
        ...sentence(`${why}.`, `/papers today ${nearest}`),
        buttons: [{ label: dayForPeople(nearest, now), id: `v1:today:${nearest}` }],
      },
    };
  },
};

/** Null where that day has no list here. */
async function dayList(desk: Desk, day: Day, offset: number): Promise<Reply | null> {
  const digest = await planDigest(desk, { day, topics: [] });
  const page = pageOf(digest.ranked, offset);
  const { before, after } = await listDays(desk, day);
  const options = { today: feedDay(desk.clock()), top: PAGE, offset: page.offset, notice: desk.notice };
  if (digestMessage(digest, { ...options, pagesId: null }) === null) return null;
  return listReply(desk, { command: "today", args: { date: day } }, page.offset, (pagesId) => {
    const message = digestMessage(digest, { ...options, pagesId }) ?? sentence("");
    const buttons: Button[] = [
      ...(before === null ? [] : [{ label: "Previous day", id: `v1:today:${before}` }]),
      ...(after === null ? [] : [{ label: "Next day", id: `v1:today:${after}` }]),
    ];
    return { ...message, buttons };
  });
}

/** The nearest days with a list before and after one, none after the clock's. */
async function listDays(
  desk: Desk,
  day: Day,
): Promise<{ readonly before: Day | null; readonly after: Day | null }> {
  const now = feedDay(desk.clock());
  const [before, after] = await Promise.all([
    desk.store.days({ to: day > now ? now : addDays(day, -1), limit: 20 }),
    desk.store.days({ from: addDays(day, 1), to: now }),
  ]);
  const listed = ({ count }: { readonly count: number }) => count > 0;
  return { before: before.find(listed)?.day ?? null, after: after.findLast(listed)?.day ?? null };
}

function whyNoList(day: Day, now: Day): string {
  const name = dayForPeople(day, now);
  if (day < FIRST_DAY) return `The daily lists begin on ${dayForPeople(FIRST_DAY, now)}.`;
  if (isWeekend(day)) return `There is no list for ${name}: weekends have none.`;
  if (day > now) return `The list for ${name} is not there yet.`;
  if (day === now) return "Today's list is not there yet.";
  return `There is no list for ${name} here: a holiday, or it was not fetched.`;
}

const SPANS = {
  day: { days: 1, name: "today" },
  week: { days: 7, name: "last 7 days" },
  month: { days: 30, name: "last 30 days" },
} as const;
const PERIODS = ["day", "week", "month"] as const;

export const trending: Command = {
  name: "trending",
  summary: "What is read most: of the day, the last week or month",
  usage: "trending [day|week|month]",
  examples: ["trending", "trending day", "trending month"],
  options: [
    { name: "period", summary: "A week unless told", required: false, choices: PERIODS, complete: null },
  ],
  who: "all",
  parse: (text) => whole("period", text),
  async run(desk, _asker, args, offset = 0) {
    const asked = plainText(args["period"] ?? "").toLowerCase();
    const period =
      asked === "" ? "week" : PERIODS.find((each) => asked.replace(/^(the|this|last) /, "") === each);
    if (period === undefined) {
      return say(
        `“${cutAtSentence(asked, 60)}” is none of day, week and month.`,
        "Such as: /papers trending week",
      );
    }
    const now = feedDay(desk.clock());
    const listed = (await desk.store.days({ to: now, limit: 100 })).filter((each) => each.count > 0);
    const newest = listed[0];
    if (newest === undefined) return say("There is no list here yet.", ...noticesOf(desk));
    const to = period === "day" ? newest.day : now;
    const from = addDays(to, 1 - SPANS[period].days);
    const days = listed.filter(({ day }) => day >= from);
    if (days.length === 0) {
      return say(
        `There is no list of the ${SPANS[period].name} here; the newest is ${dayForPeople(newest.day, now)}.`,
        `/papers today ${newest.day}`,
      );
    }
    const papers = new Map<string, StoredPaper>();
    for (const { day } of days) {
      for (const paper of (await desk.store.list(day))?.papers ?? []) papers.set(paper.id, paper);
    }
    const gains = await gainsSinceYesterday(desk.store, [...papers.values()], newest.seenAt);
    const candidates = mostWanted([...papers.values()], gains).map((paper) => ({
      // Without its day no paper is fresher than another: of a month, every day counts the same.
      paper: { ...paper, submittedOn: null },
      matches: [],
      gain: gains.get(paper.id) ?? null,
    }));
    const ranked = rank(candidates, { day: newest.day, topics: [] }).slice(0, MOST_RESULTS);
    const page = pageOf(ranked, offset);
    const span =
      period === "day"
        ? dayForPeople(newest.day, now)
        : `${shortDate(from, now)} to ${shortDate(newest.day, now)}`;
    return listReply(desk, { command: "trending", args: { period } }, page.offset, (pagesId) =>
      rowsMessage(
        page.shown.map(({ paper }) => {
          const gain = gains.get(paper.id) ?? 0;
          return { paper, facts: [...paperFacts(paper), ...(gain > 0 ? [`+${gain} since yesterday`] : [])] };
        }),
        {
          title: `Trending · ${period === "day" ? span : SPANS[period].name}`,
          intro: [
            `${page.offset + 1} to ${LAST_SHOWN} of ${ranked.length} · ${count(papers.size, "paper")} listed ${period === "day" ? "that day" : span}`,
          ],
          offset: page.offset,
          total: ranked.length,
          pagesId,
        },
        desk,
      ),
    );
  },
};

/** Ranking compares papers pair by pair, so of a month's thousand those with the most votes and growth stand for it. */
function mostWanted(
  papers: readonly StoredPaper[],
  gains: ReadonlyMap<string, number>,
): readonly StoredPaper[] {
  const byVotes = papers.toSorted((one, other) => other.upvotes - one.upvotes);
  const gain = ({ id }: StoredPaper) => gains.get(id) ?? 0;
  const byGain = byVotes.filter((paper) => gain(paper) > 0).sort((one, other) => gain(other) - gain(one));
  return [...new Set([...byVotes.slice(0, MOST_RESULTS), ...byGain.slice(0, PAGE * 2)])];
}

async function completeDays(desk: Desk, _asker: Asker, typed: string): Promise<readonly Choice[]> {
  const now = feedDay(desk.clock());
  const wanted = plainText(typed.slice(0, 60)).toLowerCase();
  const spoken = parseSpokenDay(wanted, now);
  const days = (await desk.store.days({ to: now, limit: 400 })).filter((each) => each.count > 0);
  return days
    .map(({ day }) => ({ label: dayForPeople(day, now), value: day }))
    .filter(
      ({ label, value }) =>
        value === spoken || value.startsWith(wanted) || ` ${label.toLowerCase()}`.includes(` ${wanted}`),
    )
    .slice(0, MOST_CHOICES);
}

function noticesOf({ notice }: Desk): readonly string[] {
  return notice === null ? [] : [notice];
}
