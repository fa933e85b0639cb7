import { completeTopic } from "./frequent-topics.ts";
import {
  cardMessage,
  looserSearches,
  paperFacts,
  paperItem,
  paperSelect,
  rowsMessage,
  searchMessage,
  searchPapers,
  similarPapers,
} from "./answer.ts";
import type { PersonKey } from "./channel.ts";
import { type Asker, type Command, type Desk, type Reply, sentence } from "./command.ts";
import { dayForPeople, feedDay, shortDate } from "./day.ts";
import { today, trending } from "./day-commands.ts";
import type { Delivery } from "./delivery.ts";
import { EXPORT_FORMATS, exportPapers } from "./export.ts";
import { LAST_SHOWN, type Button } from "./message.ts";
import { count } from "./numbers.ts";
import { paperIdIn, paperOption, quoted, seek, seekId, titleOf } from "./paper-sought.ts";
import { cutAtSentence, plainText, readable } from "./readable.ts";
import { gone, keepView, listReply, MOST_RESULTS, pageOf, pagePlace, readView, say, whole } from "./reply.ts";
import type { StoredPaper } from "./store.ts";
import { parseSearch, TopicError } from "./topic.ts";

/**
 * What a button or menu does. Its id is `v1:<name>` and more parts after colons.
 * @param parts what follows the name in the id, split at its colons
 * @param value what was chosen in a menu; null for a button
 */
export type Action = (
  desk: Desk,
  asker: Asker,
  parts: readonly string[],
  value: string | null,
) => Promise<Reply>;

const search: Command = {
  name: "search",
  summary: "Finds papers by words, authors, organizations and what they come with",
  usage: "search <topic>",
  examples: [
    "search efficient inference has:code",
    'search author:"Song Han"',
    'search "world model" -robotics',
  ],
  options: [
    {
      name: "query",
      summary: "Words, org:, author:, has:, min:",
      required: true,
      choices: null,
      complete: (desk, _asker, typed) => completeTopic(desk.frequent, typed),
    },
  ],
  who: "all",
  parse: (text) => whole("query", text),
  async run(desk, asker, args, offset = 0) {
    const query = plainText(args["query"] ?? "");
    if (query === "") return say("Search for what?", "Such as: /papers search agents has:code");
    const id = paperIdIn(query);
    if (id !== null) return showCard(desk, asker, id);
    try {
      const found = await searchPapers(desk, query, MOST_RESULTS);
      if (found.length === 0) return await nothingFound(desk, query);
      const page = pageOf(found, offset);
      return await listReply(desk, { command: "search", args: { query } }, page.offset, (pagesId) =>
        searchMessage(page.shown, { query, offset: page.offset, total: found.length, pagesId }, desk),
      );
    } catch (error) {
      if (!(error instanceof TopicError)) throw error;
      return say(
        error.message,
        ...(error.suggestion === null ? [] : [`Try: /papers search ${error.suggestion}`]),
      );
    }
  },
};

async function nothingFound(desk: Desk, query: string): Promise<Reply> {
  const looser = await looserSearches(desk.index, parseSearch(query));
  const title = `Nothing found for ${cutAtSentence(query, 100)}.`;
  if (looser.length === 0) return say(title, desk.notice ?? "Other words may help, or fewer.");
  return say(
    title,
    ...looser.map(
      ({ how, query: other, total }) =>
        `${capitalized(how)}: ${total === 500 ? "500 papers or more" : count(total, "paper")}. /papers search ${other}`,
    ),
  );
}

const show: Command = {
  name: "show",
  summary: "A paper's card: summary, abstract, code, links",
  usage: "show <arXiv id, link or title>",
  examples: ["show 2504.06261", "show https://arxiv.org/abs/2504.06261"],
  options: [paperOption()],
  who: "all",
  parse: (text) => whole("paper", text),
  async run(desk, asker, args) {
    const { paper, reply } = await seek(desk, "show", args["paper"] ?? "");
    return paper === null ? reply : cardReply(desk, asker, paper);
  },
};

const similar: Command = {
  name: "similar",
  summary: "Papers most like one",
  usage: "similar <arXiv id, link or title>",
  examples: ["similar 2504.06261"],
  options: [paperOption()],
  who: "all",
  parse: (text) => whole("paper", text),
  async run(desk, _asker, args, offset = 0) {
    const { paper, reply } = await seek(desk, "similar", args["paper"] ?? "");
    if (paper === null) return reply;
    const found = await similarPapers(desk, paper, MOST_RESULTS);
    if (found.length === 0) return say(`Nothing here is like ${quoted(paper)}.`, `/papers show ${paper.id}`);
    const page = pageOf(found, offset);
    const now = feedDay(desk.clock());
    return listReply(desk, { command: "similar", args: { paper: paper.id } }, page.offset, (pagesId) =>
      rowsMessage(
        page.shown.map((each) => ({
          paper: each,
          facts: [
            ...paperFacts(each),
            ...(each.publishedOn === null ? [] : [shortDate(each.publishedOn, now)]),
          ],
        })),
        {
          title: `Similar · ${cutAtSentence(readable(paper.title), 100)}`,
          intro: [`${page.offset + 1} to ${LAST_SHOWN} of ${found.length}, most alike first`],
          offset: page.offset,
          total: found.length,
          pagesId,
        },
        desk,
      ),
    );
  },
};

const FORMATS = ["list", ...EXPORT_FORMATS] as const;
const FORMAT_NAMES = { bibtex: "BibTeX", markdown: "Markdown", csv: "CSV" } as const;
const SHORT_FORMATS: Readonly<Partial<Record<string, (typeof FORMATS)[number]>>> = {
  bib: "bibtex",
  md: "markdown",
};

const saved: Command = {
  name: "saved",
  summary: "The papers that you saved, to read or to export",
  usage: "saved [list|bibtex|markdown|csv]",
  examples: ["saved", "saved bibtex"],
  options: [
    { name: "format", summary: "A list unless told", required: false, choices: FORMATS, complete: null },
  ],
  who: "own",
  parse: (text) => whole("format", text),
  async run(desk, asker, args, offset = 0) {
    const asked = plainText(args["format"] ?? "").toLowerCase() || "list";
    const format = SHORT_FORMATS[asked] ?? FORMATS.find((each) => each === asked);
    if (format === undefined) {
      return say(
        `“${cutAtSentence(asked, 60)}” is none of list, bibtex, markdown and csv.`,
        "Such as: /papers saved bibtex",
      );
    }
    const own = await desk.channels.saved(personOf(asker));
    const papers = await desk.store.papers(own.map(({ paperId }) => paperId));
    if (papers.length === 0) {
      return say(
        "You saved no paper yet.",
        "Open one, such as with /papers show 2504.06261, and press Save.",
      );
    }
    if (format !== "list") {
      const file = exportPapers(papers, format);
      return { ...say(`${count(papers.length, "paper")} as ${FORMAT_NAMES[format]}.`), file };
    }
    const savedAt = new Map(own.map(({ paperId, savedAt: at }) => [paperId, at]));
    const page = pageOf(papers, offset);
    const now = feedDay(desk.clock());
    const view = await keepView(desk, { command: "saved", args: {} });
    const message = rowsMessage(
      page.shown.map((paper) => ({
        paper,
        facts: [...paperFacts(paper), `saved ${shortDate((savedAt.get(paper.id) ?? "").slice(0, 10), now)}`],
      })),
      {
        title: "Saved papers",
        intro: [
          papers.length > page.shown.length
            ? `${page.offset + 1} to ${LAST_SHOWN} of ${papers.length}, newest first`
            : `${count(papers.length, "paper")}, newest first`,
        ],
        offset: page.offset,
        total: papers.length,
        pagesId: `v1:page:${view}`,
      },
      desk,
    );
    const exports = EXPORT_FORMATS.map((each) => ({ label: FORMAT_NAMES[each], id: `v1:saved:${each}` }));
    return { to: "asker", message: { ...message, buttons: exports } };
  },
};

/** The commands about papers, in the order of their help. */
export const paperCommands: readonly Command[] = [search, today, trending, show, similar, saved];

/** What the buttons and menus under papers do, by the name in their ids. */
export const paperActions: Readonly<Record<string, Action>> = {
  show: (desk, asker, parts, value) => show.run(desk, asker, { paper: chosen(parts, value) }),
  similar: (desk, asker, parts, value) => similar.run(desk, asker, { paper: chosen(parts, value) }),
  async today(desk, asker, parts, value) {
    return { ...(await today.run(desk, asker, { date: chosen(parts, value) })), replaces: true };
  },
  saved: (desk, asker, parts, value) => saved.run(desk, asker, { format: chosen(parts, value) }),

  save: withPaper(async (desk, asker, paper) => {
    const isNew = await desk.channels.save(personOf(asker), paper.id, desk.clock().toISOString());
    return {
      to: "asker",
      message: {
        ...sentence(
          `${isNew ? "Saved" : "Already saved:"} ${quoted(paper)}.`,
          "/papers saved lists your papers.",
        ),
        buttons: [{ label: "Unsave", id: `v1:unsave:${paper.id}` }],
      },
    };
  }),
  unsave: withPaper(async (desk, asker, paper) => {
    const was = await desk.channels.unsave(personOf(asker), paper.id);
    return say(
      was ? `No longer saved: ${quoted(paper)}.` : `${quoted(paper)} was not among your saved papers.`,
    );
  }),
  discuss: withPaper(async (_desk, asker, paper) => ({
    to: "channel",
    thread: cutAtSentence(titleOf(paper), 90),
    about: paper.id,
    message: {
      ...sentence("Discussion", `Opened by ${cutAtSentence(plainText(asker.name) || "somebody", 80)}`),
      items: [{ ...paperItem(paper), facts: paperFacts(paper) }],
      select: paperSelect([paper]),
    },
  })),
  more: withPaper((desk, asker, paper) => giveWord(desk, asker, paper, 1)),
  less: withPaper((desk, asker, paper) => giveWord(desk, asker, paper, -1)),

  async page(desk, asker, parts) {
    const { id, offset } = pagePlace(parts);
    const view = await readView(desk, id);
    if (view === null) return deliveryPage(desk, asker, id, offset);
    if ("delivery" in view) {
      return { ...(await deliveryPage(desk, asker, view.delivery, offset)), replaces: true };
    }
    const reply = await commandOf(view).run(desk, asker, view.args, offset);
    // What was shared stays as it is for the others.
    return view.shared === true ? reply : { ...reply, replaces: true };
  },

  async share(desk, asker, parts) {
    const { id, offset } = pagePlace(parts);
    const view = await readView(desk, id);
    if (view === null || "delivery" in view) return gone();
    const command = commandOf(view);
    if (command.who === "own") return gone();
    const reply = await command.run(desk, asker, view.args, offset);
    const { message } = reply;
    if (message.pages === null) return reply;
    const shared = await keepView(desk, { command: view.command, args: view.args, shared: true });
    return {
      to: "channel",
      message: {
        ...message,
        buttons: [],
        pages: { ...message.pages, id: `v1:page:${shared}` },
        footer: [message.footer, `Shared by ${cutAtSentence(plainText(asker.name) || "somebody", 80)}`]
          .filter((line) => line !== null)
          .join(" · "),
      },
    };
  },
};

/** The command that a view runs again; one that is no more answers that the list is gone. */
function commandOf({ command }: { readonly command: string }): Pick<Command, "who" | "run"> {
  return paperCommands.find(({ name }) => name === command) ?? { who: "own", run: async () => gone() };
}

async function giveWord(desk: Desk, asker: Asker, paper: StoredPaper, value: 1 | -1): Promise<Reply> {
  const at = desk.clock().toISOString();
  await desk.channels.giveFeedback(asker.where, asker.person, { paperId: paper.id, value }, at);
  return say(
    `${value === 1 ? "More" : "Less"} like ${quoted(paper)}: this moves this channel's digests.`,
    "/papers profile reset takes all such words back.",
  );
}

/** A page of a digest that was delivered, in the order it had. Only in the channel that got it. */
async function deliveryPage(desk: Desk, asker: Asker, id: string, offset: number): Promise<Reply> {
  const delivery = id === "" ? null : await desk.ledger.delivery(id);
  const { platform, workspace, channel } = asker.where;
  if (
    delivery === null ||
    delivery.platform !== platform ||
    delivery.workspace !== workspace ||
    delivery.channel !== channel
  ) {
    return gone();
  }
  const page = pageOf(delivery.paperIds, offset);
  const papers = await desk.store.papers(page.shown);
  if (papers.length === 0) return gone();
  const view = await keepView(desk, { delivery: id });
  const message = rowsMessage(
    papers.map((paper) => ({ paper, facts: paperFacts(paper) })),
    {
      title: delivery.content?.title ?? (await deliveryTitle(desk, delivery)),
      intro: [`${page.offset + 1} to ${LAST_SHOWN} of ${count(delivery.paperIds.length, "paper")}`],
      offset: page.offset,
      total: delivery.paperIds.length,
      pagesId: `v1:page:${view}`,
    },
    desk,
  );
  return { to: "asker", message };
}

/**
 * The first page's title, once that is gone: the list days that the digest was about. A paper that was listed again
 * since does not count, nor one whose list came later.
 */
async function deliveryTitle(desk: Desk, { dueAt, paperIds }: Delivery): Promise<string> {
  const today = feedDay(desk.clock());
  const last = feedDay(new Date(dueAt));
  const days = (await desk.store.papers(paperIds))
    .flatMap(({ listedOn }) => listedOn ?? [])
    .filter((day) => day <= last)
    .toSorted();
  const [first = last, newest = last] = [days[0], days.at(-1)];
  const from = first === newest ? "" : `${dayForPeople(first, today)} to `;
  return `Daily Papers · ${from}${dayForPeople(newest, today)}`;
}

async function showCard(desk: Desk, asker: Asker, id: string): Promise<Reply> {
  const { paper, reply } = await seekId(desk, id);
  return paper === null ? reply : cardReply(desk, asker, paper);
}

async function cardReply(desk: Desk, asker: Asker, paper: StoredPaper): Promise<Reply> {
  const own = await desk.channels.saved(personOf(asker));
  const isSaved = own.some(({ paperId }) => paperId === paper.id);
  const actions: readonly Button[] = [
    isSaved
      ? { label: "Saved ✓", id: `v1:unsave:${paper.id}` }
      : { label: "Save", id: `v1:save:${paper.id}`, style: "primary" },
    { label: "Similar", id: `v1:similar:${paper.id}` },
    { label: "Discuss", id: `v1:discuss:${paper.id}` },
    { label: "More like this", id: `v1:more:${paper.id}` },
    { label: "Less like this", id: `v1:less:${paper.id}` },
  ];
  return { to: "asker", message: cardMessage(paper, actions, desk) };
}

function withPaper(act: (desk: Desk, asker: Asker, paper: StoredPaper) => Promise<Reply>): Action {
  return async (desk, asker, parts, value) => {
    const id = paperIdIn(chosen(parts, value));
    if (id === null)
      return say("This button's paper cannot be read.", "/papers show 2504.06261 opens a card anew.");
    const { paper, reply } = await seekId(desk, id);
    return paper === null ? reply : act(desk, asker, paper);
  };
}

function chosen(parts: readonly string[], value: string | null): string {
  return value ?? parts.join(":");
}

function personOf({ where, person }: Asker): PersonKey {
  return { platform: where.platform, workspace: where.workspace, person };
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
