import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { renderDiscord } from "../../src/bots/discord/render.ts";
import { renderSlack } from "../../src/bots/slack/render.ts";
import { type Args, type Asker, type Desk, type Reply, sentence } from "../../src/core/command.ts";
import { press as pressButton } from "../../src/core/commands.ts";
import type { Paper } from "../../src/core/paper.ts";
import { paperActions, paperCommands } from "../../src/core/paper-commands.ts";
import { plainText } from "../../src/core/readable.ts";
import { type PaperSource, SourceError } from "../../src/core/source.ts";
import type { Store } from "../../src/core/store.ts";
import { summarize } from "../../src/core/summarize.ts";
import { createChannelStore } from "../../src/storage/channels.ts";
import { openSqlite } from "../../src/storage/database.ts";
import { createStore } from "../../src/storage/store.ts";
import { hostile } from "../bots/any-message.ts";
import { createAsker, createDesk, NOW, type TestDesk } from "../contracts/desk.ts";
import { madeUpPaper } from "../contracts/made-up-paper.ts";
import { checkDiscordMessage } from "../peers/discord-rules.ts";
import { checkSlackMessage } from "../peers/slack-rules.ts";

const SPEX = madeUpPaper({
  id: "2604.13346",
  title: "AgentSPEX: An Agent SPecification and EXecution Language",
  abstract:
    "Workflows of agents are hard to read. We present a language that writes an agent's workflow down.",
  codeUrl: "https://github.com/example/agentspex",
  projectUrl: "https://example.org/agentspex",
  linked: { models: 2, datasets: 1, spaces: 3, modelIds: [], datasetIds: [], spaceIds: [] },
  upvotes: 500,
  aiKeywords: ["workflow", "agent"],
});
const LIKE_SPEX = madeUpPaper({
  id: "2604.13347",
  title: "A Workflow Language for Agent Programs",
  abstract:
    "Programs of agents need a form. This one is a language whose workflows can be checked before they run.",
  organization: { name: "nvidia", fullname: "NVIDIA" },
});
const SPEX_AGAIN = { ...SPEX, id: "2604.19999", upvotes: 3 };

let library: TestDesk;
let desk: Desk;
let store: Store;
/** Each test has a channel and a person of its own. */
let asker: Asker;
let askers = 0;
/** What Hugging Face answers. */
let found: Paper | null | "unreachable";

beforeAll(async () => {
  library = await createDesk({ days: 6, perDay: 12 });
  const source: Partial<PaperSource> = {
    async paper() {
      if (found === "unreachable") throw new SourceError("no answer");
      return found;
    },
  };
  desk = { ...library, source: { ...library.source, ...source } };
  store = library.store;
  await store.saveList({
    day: "2026-04-21",
    seenAt: "2026-04-21T20:00:00.000Z",
    papers: [SPEX, LIKE_SPEX, SPEX_AGAIN].map((paper) => ({ paper, summary: summarize(paper) })),
  });
});

afterAll(() => library.close());

beforeEach(() => {
  askers++;
  found = null;
  asker = createAsker({
    where: { platform: "slack", workspace: "T1", channel: `C${askers}` },
    person: `U${askers}`,
    maySet: false,
  });
});

function run(line: string, offset?: number): Promise<Reply> {
  const [name = "", ...rest] = line.split(" ");
  const command = paperCommands.find((each) => each.name === name);
  if (command === undefined) throw new Error(`no command ${name}`);
  return command.run(desk, asker, command.parse(rest.join(" ")), offset);
}

function press(id: string, value: string | null = null): Promise<Reply> {
  return pressButton(desk, asker, id, value);
}

/** A digest of these papers in the asker's channel. @returns the delivery's id */
async function deliver(paperIds: readonly string[], dueAt = NOW): Promise<string> {
  const content = sentence("A digest");
  const { ledger } = desk;
  await ledger.enter({
    ...asker.where,
    kind: "digest",
    slot: "2026-04-19",
    person: null,
    dueAt,
    content: null,
  });
  const { platform } = asker.where;
  const leaseUntil = "2026-04-22T13:00:00.000Z";
  const by = { owner: "test", now: NOW, leaseUntil, limit: 10, platforms: [platform] };
  const [claimed] = (await ledger.claim(by)).filter(({ channel }) => channel === asker.where.channel);
  const id = claimed!.id;
  await ledger.freeze("test", [{ id, content, paperIds, shown: 5 }]);
  return id;
}

const titles = ({ message }: Reply) => message.items.map(({ title }) => title);
const labels = ({ message }: Reply) => message.buttons.map(({ label }) => label);
const idOf = ({ message }: Reply, label: string): string => {
  const button = message.buttons.find((each) => each.label === label);
  return button !== undefined && "id" in button ? button.id : "";
};
const words = ({ message }: Reply) => [message.title, ...message.intro].join("\n");

function faults({ message }: Reply): string[] {
  return [...checkDiscordMessage(renderDiscord(message)), ...checkSlackMessage(renderSlack(message))];
}

describe("search", () => {
  test("it answers the asker with five rows: opening, makers, date, votes", async () => {
    const reply = await run("search workflows read");
    expect(reply.to).toBe("asker");
    expect(titles(reply)).toHaveLength(5);
    expect(titles(reply)[0]).toBe(SPEX.title);
    expect(reply.message.items[0]?.facts).toEqual(["Example Lab", "20 Apr", "▲ 500", "1 comment"]);
    expect(reply.message.items[0]?.body).toMatch(/^Workflows of agents/);
  });

  test("a page button runs it again further on, in place of the message", async () => {
    const first = await run("search agents");
    const next = await press(`${first.message.pages?.id}:5`);
    expect(next.replaces).toBe(true);
    expect(next.message.items[0]?.rank).toBe(6);
    expect(new Set([...titles(first), ...titles(next)]).size).toBeGreaterThan(5);
    expect(next.message.pages?.id).toBe(first.message.pages?.id);
    const back = await press(`${first.message.pages?.id}:0`);
    expect(titles(back)).toEqual(titles(first));
  });

  test("an offset behind the end is the last page, and one that is none the first", async () => {
    const first = await run("search agents");
    const total = first.message.pages?.total ?? 0;
    const last = await press(`${first.message.pages?.id}:99999`);
    expect(last.message.items.at(-1)?.rank).toBe(total);
    expect((await press(`${first.message.pages?.id}:-3`)).message.title).toContain("no longer");
    expect((await run("search agents", Number.NaN)).message.pages?.offset).toBe(0);
  });

  test("where nothing is found it says what leaving out a part would bring", async () => {
    const reply = await run("search workflow org:nobody");
    expect(words(reply)).toMatch(/^Nothing found for workflow org:nobody\./);
    expect(words(reply)).toMatch(/Without org:nobody: \d+ papers\. \/papers search workflow$/m);
    const again = await run("search workflow");
    expect(again.message.pages?.total).toBe(Number(/(\d+) paper/.exec(words(reply))?.[1]));
    expect(words(await run("search qqqqq"))).toContain("Other words");
    expect(words(await run('search "language workflow zebra"'))).toContain("Without the quotes");
  });

  test("a mistake is answered with a line to copy", async () => {
    expect(words(await run("search agents has:cod"))).toContain("Try: /papers search agents has:code");
    expect(words(await run("search"))).toContain("/papers search agents");
    expect(words(await run("search -robots"))).toContain("/papers search");
  });

  test.each([
    "2604.13346",
    "https://arxiv.org/pdf/2604.13346v2",
    "<https://huggingface.co/papers/2604.13346|x>",
    "“arXiv:2604.13346”",
  ])("%s opens the card", async (text) =>
    expect((await run(`search ${text}`)).message.title).toBe(SPEX.title),
  );

  test("sharing shows the same page to the channel, where paging is the presser's own", async () => {
    const second = await run("search agents", 5);
    const shared = await press(idOf(second, "Share to channel"));
    expect(shared.to).toBe("channel");
    expect(shared.replaces).toBeUndefined();
    expect(titles(shared)).toEqual(titles(second));
    expect(shared.message.footer).toBe("Shared by Ada");
    expect(shared.message.buttons).toEqual([]);
    const own = await press(`${shared.message.pages?.id}:0`);
    expect(own).toMatchObject({ to: "asker" });
    expect(own.replaces).toBeUndefined();
    expect((await press(`${own.message.pages?.id}:5`)).replaces).toBe(true);
  });
});

describe("today", () => {
  test("it is the day's list in the digest's look, five a page", async () => {
    const reply = await run("today");
    expect(reply.message.title).toBe("Daily Papers · Wednesday 22 April");
    expect(titles(reply)).toHaveLength(5);
    expect(reply.message.pages?.total).toBe(12);
    expect(labels(reply)).toEqual(["Previous day", "Share to channel"]);
    const more = await press(`${reply.message.pages?.id}:5`);
    expect(more.message.items.map(({ rank }) => rank)).toEqual([6, 7, 8, 9, 10]);
  });

  test("the day before and after are a press away, across the weekend", async () => {
    const monday = await run("today monday");
    expect(monday.message.title).toContain("Monday 20 April");
    const friday = await press(idOf(monday, "Previous day"));
    expect(friday.message.title).toContain("Friday 17 April");
    expect(friday.replaces).toBe(true);
    expect((await press(idOf(friday, "Next day"))).message.title).toContain("Monday 20 April");
  });

  test.each([
    ["yesterday", "Tuesday 21 April"],
    ["2026-04-20", "Monday 20 April"],
    ["20 April", "Monday 20 April"],
    ["“Apr. 20th, 2026”", "Monday 20 April"],
    ["Last  Friday", "Friday 17 April"],
    ["https://huggingface.co/papers/date/2026-04-20", "Monday 20 April"],
  ])("%s is understood", async (text, day) => {
    expect((await run(`today ${text}`)).message.title).toContain(day);
  });

  test.each([
    ["2026-04-19", "weekends have none", "/papers today 2026-04-20"],
    ["2026-04-18", "weekends have none", "/papers today 2026-04-17"],
    ["tomorrow", "not there yet", "/papers today 2026-04-22"],
    ["2023-05-03", "begin on Thursday 4 May 2023", "/papers today 2026-04-15"],
    ["2025-12-25", "a holiday, or it was not fetched", "/papers today 2026-04-15"],
    ["2026-02-30", "is no day", "/papers today 2026-04-21"],
    ["the other day", "is no day", "/papers today 2026-04-21"],
  ])("%s is answered with the nearest list", async (text, why, line) => {
    const reply = await run(`today ${text}`);
    expect(words(reply)).toContain(why);
    expect(words(reply)).toContain(line);
  });

  test("a day before all that is here is answered with the oldest", async () => {
    expect(words(await run("today 1999-01-01"))).toContain("The oldest here is Wednesday 15 April.");
    expect(words(await run("today 2026-04-19"))).toContain("The nearest is Monday 20 April.");
  });

  test("no list after the clock's day is shown, offered or ranked", async () => {
    const monday = { ...desk, clock: () => new Date("2026-04-20T12:00:00Z") };
    const at = (name: string, args: Args) =>
      paperCommands.find((each) => each.name === name)!.run(monday, asker, args);
    expect(labels(await at("today", {}))).not.toContain("Next day");
    expect(words(await at("today", { date: "2026-04-22" }))).toContain(
      "The list for Wednesday 22 April is not there yet. The nearest is Monday 20 April.",
    );
    expect(words(await at("today", { date: "2026-04-19" }))).toContain("The nearest is Monday 20 April.");
    expect((await at("trending", { period: "day" })).message.title).toBe("Trending · Monday 20 April");
  });

  test("on a weekend it is the newest list, and says so", async () => {
    const sunday = { ...desk, clock: () => new Date("2026-04-26T15:00:00Z") };
    const reply = await paperCommands[1]!.run(sunday, asker, {});
    expect(reply.message.title).toContain("Wednesday 22 April");
    expect(reply.message.intro[0]).toContain("weekends have none. The nearest is Wednesday 22 April");
  });
});

describe("trending", () => {
  test("a week leads with what was voted for most, once each", async () => {
    const reply = await run("trending week");
    expect(titles(reply)[0]).toBe(SPEX.title);
    expect(reply.message.title).toBe("Trending · last 7 days");
    const all = [];
    for (let offset = 0; offset < (reply.message.pages?.total ?? 0); offset += 5) {
      all.push(...(await run("trending week", offset)).message.select!.options.map(({ value }) => value));
    }
    expect(new Set(all).size).toBe(all.length);
    expect(all).toHaveLength(reply.message.pages?.total ?? 0);
  });

  test("a day is the newest list, and another word is refused", async () => {
    const day = await run("trending this day");
    expect(day.message.title).toBe("Trending · Wednesday 22 April");
    expect(day.message.pages?.total).toBe(12);
    expect(words(await run("trending fortnight"))).toContain("/papers trending week");
  });
});

describe("show", () => {
  test("the card has ten buttons: what can be done, and the first links; the others are facts", async () => {
    const reply = await run("show 2604.13346");
    expect(labels(reply)).toEqual([
      "Save",
      "Similar",
      "Discuss",
      "More like this",
      "Less like this",
      "Hugging Face",
      "PDF",
      "Code",
      "Project",
      "2 models",
    ]);
    expect(reply.message.items[0]?.facts).toEqual(expect.arrayContaining(["1 dataset", "3 spaces"]));
  });

  test("a paper unknown here comes from Hugging Face, and is kept", async () => {
    found = madeUpPaper({ id: "2101.00001", title: "An older paper" });
    expect((await run("show 2101.00001")).message.title).toBe("An older paper");
    found = "unreachable";
    expect((await run("show 2101.00001")).message.title).toBe("An older paper");
  });

  test("one that nobody knows, or that cannot be asked for, is a sentence", async () => {
    expect(words(await run("show 9999.99999"))).toContain("knows a paper 9999.99999");
    found = "unreachable";
    expect(words(await run("show hep-th/9901001"))).toContain("cannot be reached");
    expect(words(await run("show"))).toContain("/papers show 2504.06261");
    expect(words(await run("show https://example.org/x"))).toContain("no link to a paper");
  });

  test("words of one title open it, words of several ask which", async () => {
    expect((await run("show agentspex an agent specification and execution language")).message.title).toBe(
      SPEX.title,
    );
    expect((await run("show programs workflow")).message.title).toBe(LIKE_SPEX.title);
    const several = await run("show agent language");
    expect(several.message.select?.options.length).toBeLessThanOrEqual(3);
    expect(several.message.select?.id).toBe("v1:show");
    const opened = await press("v1:show", several.message.select!.options[0]!.value);
    expect(labels(opened)).toContain("Discuss");
    expect(words(await run("show qqqqq zzzzz"))).toContain("No paper here");
  });
});

describe("similar", () => {
  test("the likest comes first, never the paper itself nor its second listing", async () => {
    const reply = await run("similar 2604.13346");
    expect(titles(reply)[0]).toBe(LIKE_SPEX.title);
    const ids = reply.message.select?.options.map(({ value }) => value);
    expect(ids).not.toContain(SPEX.id);
    expect(ids).not.toContain(SPEX_AGAIN.id);
    expect((await press(`${reply.message.pages?.id}:5`)).message.items[0]?.rank).toBe(6);
  });
});

describe("saved", () => {
  test("what was saved is listed, newest first, and exported as a file", async () => {
    await press(idOf(await run("show 2604.13346"), "Save"));
    await press("v1:save:2604.13347");
    const list = await run("saved");
    expect(titles(list)).toEqual([LIKE_SPEX.title, SPEX.title]);
    expect(labels(list)).toEqual(["BibTeX", "Markdown", "CSV"]);
    const exported = await press(idOf(list, "BibTeX"));
    expect(exported.file?.name).toBe("papers.bib");
    expect(words(exported)).toBe("2 papers as BibTeX.");
    expect((await run("saved md")).file?.name).toBe("papers.md");
  });

  test("saving and taking back are the same twice over, and the card knows", async () => {
    expect(words(await press("v1:save:2604.13346"))).toMatch(/^Saved “AgentSPEX/);
    expect(words(await press("v1:save:2604.13346"))).toMatch(/^Already saved/);
    const card = await run("show 2604.13346");
    expect(idOf(card, "Saved ✓")).toBe("v1:unsave:2604.13346");
    expect(words(await press("v1:unsave:2604.13346"))).toMatch(/^No longer saved/);
    expect(words(await press("v1:unsave:2604.13346"))).toContain("was not among");
    expect(words(await run("saved"))).toContain("press Save");
    expect(words(await run("saved pdf"))).toContain("/papers saved bibtex");
  });

  test("it cannot be shared, even by a button that was made up", async () => {
    for (const id of ["2604.13346", "2604.13347"]) await press(`v1:save:${id}`);
    const { pages } = (await run("saved")).message;
    const reply = await press(`${pages?.id.replace("page", "share")}:0`);
    expect(reply.to).toBe("asker");
    expect(words(reply)).toContain("no longer kept");
  });
});

describe("the other buttons", () => {
  test("more and less are a word on the channel's digests", async () => {
    const reply = await press("v1:more:2604.13346");
    expect(reply.to).toBe("asker");
    expect(words(reply)).toContain("/papers profile reset");
    await press("v1:less:2604.13346");
    expect(await desk.channels.feedback(asker.where)).toEqual([{ paperId: "2604.13346", value: -1 }]);
  });

  test("a discussion is a thread in the channel, named after the paper", async () => {
    const reply = await press("v1:discuss:2604.13346");
    expect(reply).toMatchObject({ to: "channel", thread: SPEX.title });
    expect(titles(reply)).toEqual([SPEX.title]);
  });

  test("a page of a delivered digest keeps its order and is the asker's alone", async () => {
    const paperIds = (await store.list("2026-04-20"))!.papers.map(({ id }) => id).reverse();
    const id = await deliver(paperIds);
    const page = await press(`v1:page:${id}:5`);
    expect(page.to).toBe("asker");
    expect(page.replaces).toBeUndefined();
    expect(page.message.select?.options.map(({ value }) => value)).toEqual(paperIds.slice(5, 10));
    expect(page.message.items[0]?.rank).toBe(6);
    const next = await press(`${page.message.pages?.id}:10`);
    expect(next.replaces).toBe(true);
    expect(next.message.select?.options.map(({ value }) => value)).toEqual(paperIds.slice(10));
    const elsewhere = { ...asker, where: { ...asker.where, channel: "C2" } };
    expect(words(await paperActions["page"]!(desk, elsewhere, [id, "5"], null))).toContain("no longer kept");
  });

  test("a page of a delivered digest has its first page's title, also when that is gone", async () => {
    const listed = async (day: string) =>
      (await store.list(day))!.papers.filter(({ listedOn }) => listedOn === day);
    const [friday, monday, later] = [
      await listed("2026-04-17"),
      await listed("2026-04-20"),
      await listed("2026-04-22"),
    ];
    const titleOf = async (papers: readonly { readonly id: string }[]) => {
      asker = { ...asker, where: { ...asker.where, channel: `${asker.where.channel}-` } };
      const id = await deliver(
        papers.map((paper) => paper.id),
        "2026-04-21T00:00:00.000Z",
      );
      expect((await press(`v1:page:${id}:5`)).message.title).toBe("A digest");
      await desk.ledger.settle("test", [
        { id, outcome: "sent", detail: "", ref: "1", at: NOW, readFrom: null, pause: null, notice: null },
      ]);
      return (await press(`v1:page:${id}:5`)).message.title;
    };
    expect(await titleOf(monday)).toBe("Daily Papers · Monday 20 April");
    expect(await titleOf([...monday, ...later])).toBe("Daily Papers · Monday 20 April");
    expect(await titleOf([...monday, ...friday])).toBe("Daily Papers · Friday 17 April to Monday 20 April");
    expect(await titleOf(later)).toBe("Daily Papers · Monday 20 April");
  });

  test.each([
    "v1:page",
    "v1:page:gone:5",
    "v1:share:gone:0",
    "v1:save:",
    "v1:more:x:y",
    "v1:show:",
    "v1:page:old:0",
  ])("%s, from before an upgrade, is a sentence", async (id) => {
    const old = { ...desk, channels: { ...desk.channels, view: async () => '{"kind":"v0"}' } };
    const [, name = "", ...parts] = id.split(":");
    for (const each of [desk, old]) {
      const reply = await paperActions[name]!(each, asker, parts, null);
      expect(reply.to).toBe("asker");
      expect(reply.message.items).toEqual([]);
      expect(words(reply)).not.toBe("");
    }
  });
});

describe("completion", () => {
  const complete = (typed: string) => paperCommands[3]!.options[0]!.complete!(desk, asker, typed);

  test("papers by the beginning of an id or of a title's words", async () => {
    expect((await complete("2604.1334")).map(({ value }) => value)).toEqual(["2604.13346", "2604.13347"]);
    expect((await complete("2604.13346v2")).map(({ value }) => value)).toEqual(["2604.13346"]);
    expect((await complete("agentsp"))[0]).toEqual({ label: SPEX.title, value: SPEX.id });
    expect(await complete("")).toHaveLength(25);
  });

  test("days by what they are called", async () => {
    const days = (typed: string) => paperCommands[1]!.options[0]!.complete!(desk, asker, typed);
    expect(await days("mon")).toEqual([{ label: "Monday 20 April", value: "2026-04-20" }]);
    expect(await days("yesterday")).toEqual([{ label: "Tuesday 21 April", value: "2026-04-21" }]);
    expect((await days(""))[0]?.value).toBe("2026-04-22");
  });

  test("whatever is typed, at most 25 labels of 1 to 100 characters", async () => {
    await fc.assert(
      fc.asyncProperty(hostile(300), async (typed) => {
        for (const option of paperCommands.flatMap(({ options }) => options)) {
          const choices = (await option.complete?.(desk, asker, typed)) ?? [];
          expect(choices.length).toBeLessThanOrEqual(25);
          for (const { label } of choices) expect(label.length >= 1 && label.length <= 100).toBe(true);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe("whatever comes in", () => {
  const odd = fc.oneof(
    hostile(400),
    fc.constantFrom(
      "“agents”",
      "\u202Eagents\u200B\u200F مرحبا",
      "x".repeat(3000),
      "agents ".repeat(430),
      '"'.repeat(3000),
      "-".repeat(50),
      "OR OR",
      "min:5",
      "min:999999 agents -x -y org:z",
      '"min:x" "org:" "a"',
      "0000.00000",
      "[object Object]",
    ),
  );

  test("every command answers in a message that is legal on both platforms", {
    timeout: 60_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...paperCommands),
        odd,
        fc.integer({ min: -2, max: 60 }),
        async (command, text, offset) => {
          const reply = await command.run(desk, asker, command.parse(text), offset);
          expect(faults(reply)).toEqual([]);
          expect(words(reply).trim()).not.toBe("");
          const option = command.options[0]!.name;
          const args: Args = { [option]: text, unknown: text };
          expect(faults(await command.run(desk, asker, args))).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("every button answers too", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.values(paperActions)),
        fc.array(odd, { maxLength: 3 }),
        fc.option(odd),
        async (action, parts, value) => {
          expect(faults(await action(desk, { ...asker, name: parts[0] ?? "" }, parts, value))).toEqual([]);
        },
      ),
      { numRuns: 200 },
    );
  });

  test("papers of hostile text are shown, listed, saved and discussed legally", {
    timeout: 60_000,
  }, async () => {
    const text = hostile(300).map((each) => plainText(each));
    await fc.assert(
      fc.asyncProperty(text, text, fc.array(text, { maxLength: 4 }), async (title, abstract, names) => {
        const paper = madeUpPaper({
          id: "2604.15555",
          title: title || "T",
          abstract,
          authors: names.map((name) => ({ name, username: null })),
          organization: names[0] === undefined ? null : { name: names[0], fullname: names[0] },
          aiKeywords: names,
          publishedOn: null,
        });
        const db = await openSqlite(":memory:");
        const fresh = createStore(db);
        await fresh.savePapers([{ paper, summary: summarize(paper) }], NOW);
        const own = { ...desk, store: fresh, channels: createChannelStore(db) };
        for (const [name, parts] of [
          ["save", [paper.id]],
          ["show", [paper.id]],
          ["saved", ["list"]],
          ["saved", ["csv"]],
          ["saved", ["bibtex"]],
          ["saved", ["markdown"]],
          ["similar", [paper.id]],
          ["discuss", [paper.id]],
          ["less", [paper.id]],
        ] as const) {
          const reply = await paperActions[name]!(own, asker, parts, null);
          expect(faults(reply)).toEqual([]);
          if (reply.thread !== undefined) {
            expect(reply.thread.length >= 1 && reply.thread.length <= 90).toBe(true);
          }
        }
        await fresh.close();
      }),
      { numRuns: 60 },
    );
  });
});

test("the commands fit Discord's limits, and their examples are read by their own parsers", async () => {
  for (const command of paperCommands) {
    expect(command.summary.length).toBeLessThanOrEqual(100);
    for (const option of command.options) expect(option.summary.length).toBeLessThanOrEqual(100);
    for (const example of command.examples) {
      expect(example.startsWith(command.name)).toBe(true);
      await run(example);
    }
  }
});
