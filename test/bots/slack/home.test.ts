import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ChannelState } from "../../../src/core/channel.ts";
import { madeUpState } from "../../contracts/channel-store.ts";
import { createDesk, type TestDesk } from "../../contracts/desk.ts";
import { createWorld, type World, type WorldOptions } from "./world.ts";

let library: TestDesk;
let ids: readonly string[];
let world: World | null = null;
beforeAll(async () => {
  library = await createDesk({ days: 4 });
  const days = await library.store.days({ limit: 4 });
  const lists = await Promise.all(days.map(({ day }) => library.store.list(day)));
  ids = lists.flatMap((list) => list!.papers.map(({ id }) => id));
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

/** Opens it, and reads it once it is there. */
async function read({ slack, ada }: World, who = ada): Promise<string> {
  await (await slack.openHome(who)).answered();
  return slack.read(slack.home(who)!);
}

async function pressAt({ slack, ada }: World, button: string): Promise<string> {
  await (await slack.press(ada, slack.home(ada)!, button)).answered();
  return slack.read(slack.home(ada)!);
}

function channelOf(
  { team, ada }: World,
  channel: string,
  topics: readonly string[],
  fields: Partial<ChannelState["channel"]> = {},
): ChannelState {
  const made = madeUpState({ platform: "slack", workspace: team, channel }, topics, {
    setUpBy: ada,
    next: { at: "2026-04-23T07:00:00.000Z", slot: "2026-04-23" },
    ...fields,
  });
  return { ...made, subscriptions: made.subscriptions.map((each) => ({ ...each, createdBy: ada })) };
}

const person = ({ team, ada }: World) => ({ platform: "slack" as const, workspace: team, person: ada });

describe.each(["socket", "http"] as const)("the home over %s", (over) => {
  test("shows a newcomer three steps and a search, and answers both", async () => {
    const at = await open({ over });
    const text = await read(at);
    expect(text).toContain("Search papers");
    expect(text).toContain("Three steps to begin");
    expect(text).toContain("`/papers subscribe agents`");
    const today = await pressAt(at, "Today's papers");
    expect(today).toContain("Choose a paper");
    expect(today).not.toContain("Share to channel");
    const seen = await at.slack.choose(at.ada, at.slack.home(at.ada)!, "v1:home:search", "agents");
    await seen.answered();
    expect(at.slack.read(at.slack.home(at.ada)!)).toContain("Search · agents");
    expect(await pressAt(at, "Back")).toContain("Three steps to begin");
    expect(at.slack.messages(at.channel)).toEqual([]);
  });

  test("opens a card, saves it there, and shows it among the saved ones with the ways to export", async () => {
    const at = await open({ over });
    await read(at);
    await pressAt(at, "Today's papers");
    const { slack, ada } = at;
    await (await slack.choose(ada, slack.home(ada)!, "v1:home:show", ids[0]!)).answered();
    const card = slack.read(slack.home(ada)!);
    expect(card).toContain(`arXiv ${ids[0]}`);
    for (const absent of ["Discuss", "More like this", "Less like this"]) expect(card).not.toContain(absent);
    expect(await pressAt(at, "Save")).toContain("Saved ✓");
    expect(await at.desk.channels.saved(person(at))).toMatchObject([{ paperId: ids[0] }]);
    expect(await pressAt(at, "Saved ✓")).toContain("Save\n");
    expect(await at.desk.channels.saved(person(at))).toEqual([]);
  });
});

describe("the home", () => {
  test("shows one's digests with topics, the next one in one's own zone, and why one is paused", async () => {
    const at = await open();
    const { desk, gus } = at;
    const make = (state: ChannelState) => desk.channels.change(state.channel, () => state);
    await make(channelOf(at, at.channel, ["agents", "org:nvidia <!channel> *x*"]));
    await make(
      channelOf(at, "C0LATER", ["speech"], {
        next: { at: "2026-04-24T07:00:00.000Z", slot: "2026-04-24" },
        schedule: { time: "16:00", zone: "Asia/Tokyo", weekdays: [5] },
        top: 3,
      }),
    );
    await make(
      channelOf(at, "C0PAUSED", ["vision"], {
        next: null,
        paused: { until: null, reason: "Paperboy is not in this channel: /invite @Paperboy" },
      }),
    );
    await make(
      channelOf(at, "D0DIRECT", [""], {
        paused: { until: "2026-05-04", reason: null },
        next: { at: "2026-05-05T07:00:00.000Z", slot: "2026-05-05" },
      }),
    );
    const shared = channelOf(at, "C0SHARED", ["robots", "music"], { setUpBy: gus });
    const [robots, music] = shared.subscriptions;
    await make({ ...shared, subscriptions: [{ ...robots!, createdBy: gus }, music!] });
    await make(channelOf({ ...at, team: "T0OTHER" }, "C0OTHER", ["secret"]));

    const text = await read(at);
    expect(text).toContain(
      `Next: Thu 23 April, 09:00 Paris in <#${at.channel}> · Thu 23 April, 09:00 Paris in <#C0SHARED> · Fri 24 April, 09:00 Paris in <#C0LATER>`,
    );
    expect(text).toContain(
      `*<#${at.channel}>*  1 agents · 2 org:nvidia &lt;!channel&gt; ∗x∗\nNext: Thu 23 April`,
    );
    expect(text).toContain("*<#C0LATER>*  1 speech\nNext: Fri 24 April, 09:00 Paris · top 3, Fridays");
    expect(text).toContain(
      "*<#C0PAUSED>*  1 vision\nPaused: type `/papers resume` there. Paperboy is not in this channel: /invite @Paperboy",
    );
    expect(text).toContain(
      "*Direct messages*  1 top list\nPaused up to and with Monday 4 May, then Tue 5 May, 09:00 Paris.",
    );
    expect(text).toContain("*<#C0SHARED>*  2 music · 1 of others");
    expect(text).not.toContain("secret");
    expect(await read(at, gus)).toContain("*<#C0SHARED>*  1 robots · 2 music");
  });

  test("shows the newest ten saved papers; what is unsaved there goes at once and can be saved again", async () => {
    const at = await open();
    for (const [index, id] of ids.slice(0, 12).entries()) {
      await at.desk.channels.save(person(at), id, new Date(Date.UTC(2026, 3, 1 + index)).toISOString());
    }
    const text = await read(at);
    expect(text.match(/huggingface\.co\/papers\//g)).toHaveLength(10);
    expect(text).toContain(`papers/${ids[11]}|`);
    expect(text).toContain("All 12");
    const after = await pressAt(at, `v1:home:drop:${ids[11]}`);
    expect(after).toContain("No longer saved: ");
    expect(after).not.toContain(`papers/${ids[11]}|`);
    expect(after).toContain("All 11");
    expect(await at.desk.channels.saved(person(at))).toHaveLength(11);
    expect(await pressAt(at, "Save again")).toContain(`papers/${ids[11]}|`);
    expect(await pressAt(at, "All 12")).toContain("1 to 5 of 12, newest first");
    expect(await pressAt(at, "Next page · 7 more")).toContain("6 to 10 of 12");
  });

  test("gives an export in parts, to copy", async () => {
    const at = await open();
    for (const id of ids.slice(0, 40))
      await at.desk.channels.save(person(at), id, "2026-04-01T00:00:00.000Z");
    await read(at);
    const first = await pressAt(at, "BibTeX");
    expect(first).toContain("40 papers as BibTeX.");
    const next = /Part 2 of \d+/.exec(first)?.[0];
    expect(next).toBeDefined();
    const second = await pressAt(at, next!);
    expect(second).not.toContain("40 papers as BibTeX.");
    expect(second).toMatch(/Part 3 of \d+/);
  });

  test("fits whatever somebody subscribed and saved", async () => {
    const at = await open();
    for (let index = 0; index < 40; index++) {
      const state = channelOf(at, `C0MANY${index}`, Array(25).fill(`${"<&>*_".repeat(60)}`));
      await at.desk.channels.change(state.channel, () => ({
        ...state,
        subscriptions: state.subscriptions.map((each, number) => ({ ...each, number })),
      }));
    }
    for (const id of ids) await at.desk.channels.save(person(at), id, "2026-04-01T00:00:00.000Z");
    const text = await read(at);
    expect(text).toContain("and 25 channels more");
    expect(at.events.filter(({ kind }) => kind === "unexpected")).toEqual([]);
    expect(at.slack.home(at.ada)!.blocks.length).toBeLessThan(40);
    expect(text.length).toBeLessThan(10_000);
  });

  test("is published once for an event that Slack sends again, and not for the messages tab", async () => {
    const at = await open({ isTimeless: false });
    const { slack, team, ada } = at;
    const sent = await slack.event(team, { type: "app_home_opened", user: ada, channel: "D0", tab: "home" });
    await slack.until(() => slack.home(ada) !== null);
    await slack.resend(sent!.eventId);
    await slack.event(team, { type: "app_home_opened", user: ada, channel: "D0", tab: "messages" });
    await at.bot.stop();
    expect(slack.requests.filter(({ method }) => method === "views.publish")).toHaveLength(1);
  });

  test("is in the channel's zone where nobody may know the person's, which is said once", async () => {
    const at = await open({ scopes: ["commands", "chat:write", "im:write"] });
    const state = channelOf(at, at.channel, ["agents"], {
      schedule: { time: "16:00", zone: "Asia/Tokyo", weekdays: [4] },
    });
    await at.desk.channels.change(state.channel, () => state);
    expect(await read(at)).toContain("Next: Thu 23 April, 16:00 Tokyo");
    await read(at, at.gus);
    const said = at.events.flatMap((event) => (event.kind === "trouble" ? [event.detail] : []));
    expect(said).toEqual([
      `Workspace ${at.team} on Slack has not granted users:read, so times are UTC until a zone is given: install Paperboy there again with it, or leave it so.`,
    ]);
  });

  test("says on the page that something went wrong", async () => {
    const at = await open();
    await read(at);
    Object.assign(at.desk, { index: { search: () => Promise.reject(new Error("the index is gone")) } });
    const seen = await at.slack.choose(at.ada, at.slack.home(at.ada)!, "v1:home:search", "agents");
    await seen.answered();
    expect(at.slack.read(at.slack.home(at.ada)!)).toContain("Something went wrong here");
    expect(at.events).toContainEqual(expect.objectContaining({ kind: "unexpected" }));
  });
});
