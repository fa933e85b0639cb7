import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { Paper } from "../../../src/core/paper.ts";
import { type PaperSource, SourceError } from "../../../src/core/source.ts";
import { createDesk, NOW, type TestDesk } from "../../contracts/desk.ts";
import { madeUpPaper } from "../../contracts/made-up-paper.ts";
import { checkSlackMessage } from "../../peers/slack-rules.ts";
import { createWorld, type World, type WorldOptions } from "./world.ts";

let library: TestDesk;
let id: string;
let other: string;
let world: World | null = null;
beforeAll(async () => {
  library = await createDesk({ days: 2 });
  const [newest] = await library.store.days({ limit: 1 });
  const list = await library.store.list(newest!.day);
  [id, other] = list!.papers.map((paper) => paper.id) as [string, string];
});
afterAll(() => library.close());
afterEach(async () => {
  await world?.close();
  world = null;
});

async function open(options: WorldOptions = {}): Promise<World> {
  world = await createWorld({ library, isTimeless: true, ...options });
  return world;
}

/** Posts a message with these links, and resolves once the bot is done with it. */
async function post({ slack, channel, ada }: World, links: readonly string[], calls = 1) {
  const unfurls = () => slack.requests.filter(({ method }) => method === "chat.unfurl").length;
  const before = unfurls();
  const seen = await slack.postLink(ada, channel, `See ${links.join(" and ")}`, links);
  await slack.until(() => unfurls() >= before + calls);
  return slack.messages(channel).find(({ ts }) => ts === seen.posted!.ts)!;
}

/** The links with cards at the end: whatever comes does so before the bot has stopped, where its waits are real. */
async function cardsAfter(at: World, ...posts: readonly (readonly string[])[]) {
  for (const links of posts) await at.slack.postLink(at.ada, at.channel, links.join(" "), links);
  await at.bot.stop();
  return at.slack.messages(at.channel).flatMap(({ unfurls }) => Object.keys(unfurls));
}

const later = (minutes: number) => new Date(Date.parse(NOW) + minutes * 60_000).toISOString();
const methods = ({ slack }: World, name: string) => slack.requests.filter(({ method }) => method === name);
const troubles = ({ events }: World) => events.filter(({ kind }) => kind === "trouble");

describe.each(["socket", "http"] as const)("a link to a paper over %s", (over) => {
  test("becomes a card that saves, and that finds similar papers for who presses it", async () => {
    const at = await open({ over });
    const url = `https://arxiv.org/abs/${id}`;
    const message = await post(at, [url]);
    const [paper] = await at.desk.store.papers([id]);
    const text = at.slack.read(message);
    expect(text).toContain(paper!.summary!.text.slice(0, 40));
    expect(text).toContain(`▲ ${paper!.upvotes}`);
    expect(Object.keys(message.unfurls)).toEqual([url]);
    const blocks = message.unfurls[url]!["blocks"] as never;
    expect(checkSlackMessage({ text: "x", blocks, unfurl_links: false, unfurl_media: false })).toEqual([]);
    const saved = await at.slack.press(at.ada, message, "Save");
    await saved.answered();
    expect(saved.ephemerals).toHaveLength(1);
    const person = { platform: "slack", workspace: at.team, person: at.ada } as const;
    expect(await at.desk.channels.saved(person)).toMatchObject([{ paperId: id }]);
    const similar = await at.slack.press(at.ada, message, "Similar");
    await similar.answered();
    expect(similar.text).toContain("Similar · ");
    expect(at.slack.messages(at.channel)).toHaveLength(1);
  });

  test("is acknowledged at once, and Hugging Face asked for four papers at a time", async () => {
    const at = await open({ over, isTimeless: false });
    let tell: (paper: null) => void = () => {};
    const slow = new Promise<null>((resolve) => {
      tell = resolve;
    });
    const asked = answering(at, () => slow);
    for (let index = 0; index < 9; index++) {
      const url = `https://arxiv.org/abs/2503.0000${index}`;
      const seen = await at.slack.postLink(at.ada, at.channel, url, [url]);
      expect(seen.acknowledgedAfterMs).toBeLessThan(1000);
    }
    await post(at, [`https://arxiv.org/abs/${id}`]);
    expect(asked).toHaveLength(4);
    tell(null);
  });
});

describe("a link to a paper", () => {
  test.each([
    (paper: string) => `https://arxiv.org/abs/${paper}v3`,
    (paper: string) => `https://arxiv.org/pdf/${paper}.pdf`,
    (paper: string) => `https://export.arxiv.org/abs/${paper}`,
    (paper: string) => `https://www.arxiv.org/pdf/${paper}v1`,
    (paper: string) => `https://huggingface.co/papers/${paper}`,
    (paper: string) => `https://hf.co/papers/${paper}?x=1&y=2#z`,
    (paper: string) => `https://www.alphaxiv.org/abs/${paper}`,
  ])("is known in each of its forms", async (form) => {
    const at = await open();
    const url = form(id);
    expect(Object.keys((await post(at, [url])).unfurls)).toEqual([url]);
  });

  test("is shown once of two to the same paper, and once each of two papers", async () => {
    const at = await open();
    const [first, same, second] = [
      `https://arxiv.org/abs/${id}`,
      `https://arxiv.org/pdf/${id}`,
      `https://hf.co/papers/${other}`,
    ];
    expect(Object.keys((await post(at, [first, same])).unfurls)).toEqual([first]);
    at.desk.setNow(later(31));
    expect(Object.keys((await post(at, [first, second])).unfurls)).toEqual([first, second]);
  });

  test("stays as it is among three or more, and where it leads to no paper", async () => {
    const at = await open({ isTimeless: false });
    const paper = `https://arxiv.org/abs/${id}`;
    const [model, list] = ["https://huggingface.co/org/model", "https://arxiv.org/list/cs.AI/recent"];
    expect(await cardsAfter(at, [paper, model, list], [model], [list])).toEqual([]);
    expect(methods(at, "chat.unfurl")).toEqual([]);
  });

  test("is not shown again within half an hour in that channel, and after that tells of the last time", async () => {
    const at = await open();
    const url = `https://arxiv.org/abs/${id}`;
    const first = await post(at, [url]);
    expect(at.slack.read(first)).not.toMatch(/discussed here/i);
    at.desk.setNow(later(29));
    const elsewhere = at.slack.addChannel(at.team, { name: "other", members: [at.ada] }).id;
    await at.slack.postLink(at.ada, at.channel, url, [url]);
    await post({ ...at, channel: elsewhere }, [url]);
    const cards = at.slack.messages(at.channel).map(({ unfurls }) => Object.keys(unfurls).length);
    expect(cards).toEqual([1, 0]);
    at.desk.setNow("2026-09-03T20:00:00.000Z");
    const again = await post(at, [url]);
    expect(at.slack.read(again)).toContain("Discussed here on 22 Apr");
    expect(JSON.stringify(again.unfurls)).toContain(`/archives/${at.channel}/p${first.ts.replace(".", "")}`);
  });

  test("tells the day in the channel's zone, and nothing of a message that is deleted", async () => {
    const at = await open();
    const where = { platform: "slack", workspace: at.team, channel: at.channel } as const;
    const asked = await at.slack.command(at.ada, at.channel, "/papers", "subscribe agents");
    await asked.answered();
    await at.slack
      .command(at.ada, at.channel, "/papers", "schedule 09:00 Asia/Tokyo")
      .then((seen) => seen.answered());
    at.desk.setNow("2026-04-22T20:00:00.000Z");
    const url = `https://arxiv.org/abs/${id}`;
    await post(at, [url]);
    at.desk.setNow("2026-05-01T00:00:00.000Z");
    expect(at.slack.read(await post(at, [url]))).toContain("Discussed here on 23 Apr");
    await at.desk.channels.mention(where, { paperId: other, ref: "1.000001", at: NOW }, null);
    const card = await post(at, [`https://arxiv.org/abs/${other}`]);
    expect(at.slack.read(card)).not.toMatch(/discussed here/i);
    expect(Object.keys(card.unfurls)).toHaveLength(1);
  });

  test("tells of the thread that Discuss opened", async () => {
    const at = await open();
    const shown = await at.slack.command(at.ada, at.channel, "/papers", `show ${id}`);
    await shown.answered();
    await (await at.slack.press(at.ada, shown.ephemerals[0]!, "Discuss")).until(
      ({ messages }) => messages.length === 2,
    );
    const thread = at.slack.messages(at.channel)[0]!;
    at.desk.setNow("2026-09-03T20:00:00.000Z");
    const card = await post(at, [`https://arxiv.org/abs/${id}`]);
    expect(at.slack.read(card)).toContain("Discussed here on 22 Apr");
    expect(JSON.stringify(card.unfurls)).toContain(`p${thread.ts.replace(".", "")}`);
  });

  test("is previewed while it is typed, and that is no mention", async () => {
    const at = await open();
    const url = `https://huggingface.co/papers/${id}`;
    await at.slack.typeLinks(at.ada, [url]);
    await at.slack.until(() => methods(at, "chat.unfurl").length === 1);
    expect(methods(at, "chat.unfurl")).toMatchObject([
      { answer: { body: { ok: true } }, args: { source: "composer" } },
    ]);
    expect(Object.keys((await post(at, [url])).unfurls)).toEqual([url]);
  });

  test("to a paper that only Hugging Face knows is shown where it is found in time, and kept", async () => {
    const at = await open();
    const asked = answering(at, async (wanted) => madeUpPaper({ id: wanted, title: "Found in time" }));
    const message = await post(at, ["https://arxiv.org/abs/2501.00001"]);
    expect(at.slack.read(message)).toContain("Found in time");
    at.desk.setNow(later(31));
    await post(at, ["https://arxiv.org/abs/2501.00001"]);
    expect(asked).toEqual(["2501.00001"]);
  });

  test("stays as it is where nobody knows the paper, or Hugging Face cannot be reached", async () => {
    const at = await open({ isTimeless: false });
    const asked = answering(at, async (wanted) => {
      if (wanted.endsWith("2")) throw new SourceError("no answer");
      return null;
    });
    const links = [1, 2].map((number) => [`https://arxiv.org/abs/2502.0000${number}`]);
    expect(await cardsAfter(at, ...links)).toEqual([]);
    expect(asked).toHaveLength(2);
    expect(at.events.filter(({ kind }) => kind === "unexpected")).toEqual([]);
  });

  test("stays as it is where the paper is found too late, and is known the next time", async () => {
    const at = await open({ isTimeless: false });
    let tell: (paper: Paper) => void = () => {};
    const slow = new Promise<Paper>((resolve) => {
      tell = resolve;
    });
    const asked = answering(at, () => slow);
    const url = "https://arxiv.org/abs/2502.00003";
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      await at.slack.postLink(at.ada, at.channel, url, [url]);
      await expect.poll(() => asked).toEqual(["2502.00003"]);
      await vi.advanceTimersByTimeAsync(1500);
    } finally {
      vi.useRealTimers();
    }
    tell(madeUpPaper({ id: "2502.00003" }));
    await at.bot.stop();
    expect(methods(at, "chat.unfurl")).toEqual([]);
    expect(await at.desk.store.papers(["2502.00003"])).toHaveLength(1);
  });

  test("of our own, and an event that comes again, bring no card", async () => {
    const at = await open({ isTimeless: false });
    const url = `https://arxiv.org/abs/${id}`;
    const { botUser } = at.slack.installation(at.team)!;
    const ours = await at.slack.event(at.team, {
      type: "link_shared",
      channel: at.channel,
      user: botUser,
      message_ts: "1.000001",
      links: [{ domain: "arxiv.org", url: `https://arxiv.org/abs/${other}` }],
    });
    expect(ours).toMatchObject({ isAcknowledged: true });
    const sent = await at.slack.event(at.team, {
      type: "link_shared",
      channel: at.channel,
      user: at.ada,
      message_ts: "1.000002",
      links: [{ domain: "arxiv.org", url }],
    });
    await at.slack.resend(sent!.eventId);
    await at.bot.stop();
    expect(methods(at, "chat.unfurl")).toHaveLength(1);
    // The message is gone by now, which is nobody's fault.
    expect(at.events.filter(({ kind }) => kind === "unexpected" || kind === "trouble")).toEqual([]);
  });

  test("is shown without its picture where Slack cannot take the card with it", async () => {
    const at = await open();
    at.slack.fail({ method: "chat.unfurl", how: { error: "cannot_parse_attachment" } });
    const message = await post(at, [`https://arxiv.org/abs/${id}`], 2);
    expect(Object.keys(message.unfurls)).toHaveLength(1);
    expect(JSON.stringify(message.unfurls)).not.toContain("image_url");
  });

  test("stays as it is without the scope to write cards, which is said once", async () => {
    const at = await open({ isTimeless: false, scopes: ["commands", "chat:write", "links:read"] });
    for (const paper of [id, other]) {
      const url = `https://arxiv.org/abs/${paper}`;
      await at.slack.postLink(at.ada, at.channel, url, [url]);
    }
    await at.slack.until(() => methods(at, "chat.unfurl").length === 2);
    await at.bot.stop();
    expect(troubles(at)).toMatchObject([{ detail: expect.stringContaining("links to papers get no card") }]);
    expect(at.events.filter(({ kind }) => kind === "unexpected")).toEqual([]);
  });

  test("gets no card out of the bundled sample", async () => {
    const at = await open({ isTimeless: false });
    Object.assign(at.desk, { notice: "This is a sample." });
    expect(await cardsAfter(at, [`https://arxiv.org/abs/${id}`])).toEqual([]);
  });
});

function answering({ desk }: World, paper: (id: string) => Promise<Paper | null>): readonly string[] {
  const asked: string[] = [];
  const source: Partial<PaperSource> = {
    async paper(wanted) {
      asked.push(wanted);
      return paper(wanted);
    },
  };
  Object.assign(desk, { source: { ...desk.source, ...source } });
  return asked;
}
