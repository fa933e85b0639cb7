import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Json, SlackView } from "../../peers/slack-state.ts";
import { createDesk, type TestDesk } from "../../contracts/desk.ts";
import { createWorld, type WorldOptions } from "./world.ts";

let library: TestDesk;
beforeAll(async () => {
  library = await createDesk();
});
afterAll(() => library.close());

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

/** A world in which the channel gets agents, and a second member. */
async function world(options: WorldOptions = {}) {
  const limits = { channelPerSecond: 1000, channelBurst: 1000, workspacePerMinute: 100_000 };
  const made = await createWorld({ library, limits, ...options });
  closers.push(made.close);
  const { slack, team, channel, ada, desk, events } = made;
  const bo = slack.addUser(team, { name: "bo", tz: "Europe/Berlin" }).id;
  await slack.invite(channel, bo);
  const where = { platform: "slack", workspace: team, channel } as const;

  async function say(who: string, text: string, at = channel) {
    const seen = await slack.command(who, at, "/papers", text);
    return seen.answered();
  }
  /** The newest message with a button of that label that they see. */
  function withButton(who: string, label: string, at = channel) {
    const all = [...slack.messages(at), ...slack.ephemerals(who)];
    return all.findLast(({ blocks }) => JSON.stringify(blocks).includes(`"text":"${label}"`))!;
  }
  async function pressed(who: string, label: string, at = channel) {
    const seen = await slack.press(who, withButton(who, label, at), label);
    await seen.until(({ views }) => views.some((view) => !slack.read(view).includes("One moment")));
    return slack.openView(who)!;
  }
  return {
    ...made,
    bo,
    where,
    say,
    pressed,
    openSettings: (who: string = ada) => pressed(who, "Settings"),
    /** Presses in the view on top, and gives what is on top once something is shown. */
    async pressIn(who: string, button: string) {
      const seen = await slack.press(who, slack.openView(who)!, button);
      await seen.until(({ views }) => views.some((view) => !slack.read(view).includes("One moment")));
      return slack.openView(who)!;
    },
    async chooseIn(who: string, actionId: string, value: string) {
      const seen = await slack.choose(who, slack.openView(who)!, actionId, value);
      await seen.until(({ views }) => views.some((view) => !slack.read(view).includes("One moment")));
      return slack.openView(who)!;
    },
    submit: (who: string, values: Parameters<typeof slack.submit>[2] = {}) =>
      slack.submit(who, slack.openView(who)!, values),
    read: () => slack.read(slack.openView(ada)!),
    channelTexts: () => slack.messages(channel).map((message) => slack.read(message)),
    topics: async () =>
      (await desk.channels.subscriptions(where)).map(({ number, topic }) => `${number} ${topic}`),
    kept: async () => (await desk.channels.channel(where))!,
    wentWrong: () => events.filter(({ kind }) => kind === "unexpected"),
  };
}

const ADA_OPENS = "subscribe agents";

/** What an input is filled with, by its action id. */
function initial(view: SlackView): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    view.blocks.flatMap((block) => {
      const element = (block["element"] ?? {}) as Json;
      if (typeof element["action_id"] !== "string") return [];
      const option = element["initial_option"] as Json | undefined;
      const options = element["initial_options"] as readonly Json[] | undefined;
      const value =
        element["initial_time"] ??
        element["initial_date"] ??
        element["initial_value"] ??
        option?.["value"] ??
        options?.map(({ value: each }) => each);
      return [[element["action_id"].split(":")[2], value]];
    }),
  );
}

function blockOf(view: SlackView, field: string): string {
  const block = view.blocks.find(({ block_id }) => String(block_id).startsWith(`${field}:`));
  return String(block?.["block_id"]);
}

for (const over of ["socket", "http"] as const) {
  describe(`the settings over ${over}`, () => {
    test("open from the button under a change, with what stands", async () => {
      const { say, ada, openSettings, read, wentWrong } = await world({ over });
      await say(ada, ADA_OPENS);
      const view = await openSettings();
      expect(read()).toContain("Next digest: Thu 23 April, 09:00 Paris (top 5, weekdays).");
      expect(read()).toContain("1 agents");
      expect(initial(view)).toEqual({
        time: "09:00",
        zone: "Europe/Paris",
        days: ["1", "2", "3", "4", "5"],
        every: "day",
        top: "5",
        digests: "on",
        until: undefined,
      });
      expect(wentWrong()).toEqual([]);
    });

    test("change by the command, and the channel hears of it with who did it, Undo and Settings", async () => {
      const { slack, channel, say, ada, openSettings, submit, kept, channelTexts, wentWrong } = await world({
        over,
      });
      await say(ada, ADA_OPENS);
      const view = await openSettings();
      await slack.suggest(ada, view, "v1:settings:zone", "tok");
      const seen = await submit(ada, {
        "v1:settings:time": "17:30",
        "v1:settings:zone": "Asia/Tokyo",
        "v1:settings:days": ["1", "3"],
        "v1:settings:top": "10",
      });
      expect(seen.error).toBeNull();
      expect(slack.openView(ada)).toBeNull();
      expect(await kept()).toMatchObject({
        schedule: { time: "17:30", zone: "Asia/Tokyo", weekdays: [1, 3] },
        top: 10,
        paused: null,
      });
      expect(channelTexts()).toHaveLength(2);
      expect(channelTexts()[1]).toMatch(/^\*Schedule set: Mon, Wed at 17:30 Tokyo, top 10\..*by ada/s);
      expect(channelTexts()[1]).toMatch(/Undo.*Settings/s);
      await (await slack.press(ada, slack.messages(channel)[1]!, "Undo")).answered();
      expect(await kept()).toMatchObject({ schedule: { time: "09:00", zone: "Europe/Paris" }, top: 5 });
      expect(wentWrong()).toEqual([]);
    });

    test("say at its field what is wrong, in the command's own words, and change nothing", async () => {
      const { slack, say, ada, openSettings, submit, kept, channelTexts } = await world({ over });
      await say(ada, ADA_OPENS);
      const view = await openSettings();
      const weekly = await submit(ada, { "v1:settings:every": "week" });
      expect(weekly.error).toBeNull();
      expect(weekly.ack).toEqual({
        response_action: "errors",
        errors: { [blockOf(view, "days")]: "A weekly digest has one day." },
      });
      const past = await submit(ada, {
        "v1:settings:every": "day",
        "v1:settings:digests": "paused",
        "v1:settings:until": "2026-04-01",
        "v1:settings:top": "7",
      });
      expect(past.ack).toMatchObject({ errors: { [blockOf(view, "until")]: "Wednesday 1 April is past." } });
      const unpaused = await submit(ada, { "v1:settings:digests": "on" });
      expect(unpaused.ack).toMatchObject({
        errors: { [blockOf(view, "until")]: expect.stringContaining("choose “Are paused” too") },
      });
      expect(slack.openView(ada)).not.toBeNull();
      expect(await kept()).toMatchObject({ top: 5, paused: null });
      expect(channelTexts()).toHaveLength(1);
      const fine = await submit(ada, { "v1:settings:digests": "paused", "v1:settings:until": "2026-05-04" });
      expect(fine.ack).toBeNull();
      expect(await kept()).toMatchObject({ top: 7, paused: { until: "2026-05-04" } });
      expect(
        channelTexts()
          .slice(1)
          .map((text) => text.split("\n")[0]),
      ).toEqual(["*Paused this channel's digests.*", "*Schedule set: weekdays at 09:00 Paris, top 7.*"]);
    });

    test("show a pause, end it, and make one day a week a weekly digest", async () => {
      const { say, ada, openSettings, submit, kept } = await world({ over });
      await say(ada, ADA_OPENS);
      await say(ada, "pause until 2026-05-04");
      const view = await openSettings();
      expect(initial(view)).toMatchObject({ digests: "paused", until: "2026-05-04" });
      await submit(ada, {
        "v1:settings:digests": "on",
        "v1:settings:days": ["5"],
        "v1:settings:every": "week",
      });
      expect(await kept()).toMatchObject({ paused: null, schedule: { weekdays: [5] } });
    });

    test("complete a zone by the name or the city, and begin with one's own", async () => {
      const { slack, say, ada, openSettings } = await world({ over });
      await say(ada, ADA_OPENS);
      const view = await openSettings();
      const offered = async (typed: string) => {
        const seen = await slack.suggest(ada, view, "v1:settings:zone", typed);
        expect(seen.error).toBeNull();
        return seen.options.map(({ value }) => value);
      };
      expect((await offered(""))[0]).toBe("Europe/Paris");
      expect((await offered("munich"))[0]).toBe("Europe/Berlin");
      expect(await offered("<!channel>")).toEqual([]);
    });

    test("remove a subscription at once, keep what was typed, and tell the channel", async () => {
      const { say, ada, openSettings, chooseIn, submit, topics, kept, channelTexts, read } = await world({
        over,
      });
      await say(ada, ADA_OPENS);
      await say(ada, "subscribe robotics");
      await openSettings();
      await submit(ada, { "v1:settings:top": "9", "v1:settings:every": "week" });
      await chooseIn(ada, "v1:settings:subscription:1", "remove:1");
      expect(await topics()).toEqual(["2 robotics"]);
      expect(channelTexts().at(-1)).toContain("Unsubscribed this channel from 1 agents.");
      expect(channelTexts().at(-1)).toContain("by ada");
      expect(read()).not.toContain("1 agents");
      await submit(ada, { "v1:settings:every": "day" });
      expect(await kept()).toMatchObject({ top: 9 });
    });
  });

  describe(`the topic builder over ${over}`, () => {
    test("puts its fields into one line, subscribes to it, and shows the settings anew", async () => {
      const { slack, say, ada, openSettings, pressIn, submit, topics, channelTexts, read, wentWrong } =
        await world({ over });
      await say(ada, ADA_OPENS);
      const settings = await openSettings();
      await pressIn(ada, "Add a topic");
      const seen = await submit(ada, {
        "v1:topic:words": "efficient “tool use” OR",
        "v1:topic:without": "robotics, computer vision",
        "v1:topic:org": "nvidia, ai2 lab",
        "v1:topic:author": "Song Han",
        "v1:topic:has": ["code", "model"],
        "v1:topic:min": "5",
      });
      expect(seen.error).toBeNull();
      expect((await topics())[1]).toBe(
        '2 efficient "tool use" org:nvidia OR org:"ai2 lab" author:"song han" has:code has:model -robotics -"computer vision" min:5',
      );
      expect(channelTexts().at(-1)).toMatch(/^\*Subscribed this channel to 2 efficient.*by ada/s);
      expect(slack.openView(ada)?.id).toBe(settings.id);
      await seen.until(() => read().includes("2 subscriptions"));
      expect(wentWrong()).toEqual([]);
    });

    test("shows what a topic would bring as it is typed, and takes a narrower one by a press", async () => {
      const { slack, say, ada, openSettings, pressIn, topics, submit, read } = await world({
        over,
        isTimeless: true,
      });
      await say(ada, "subscribe robotics");
      await openSettings();
      await pressIn(ada, "Add a topic");
      expect(read()).toContain("The day's top list");
      const typed = await slack.choose(ada, slack.openView(ada)!, "v1:topic:words", "agents");
      await typed.until(() => read().includes("\nagents\n"));
      expect(read()).toMatch(/Last 14 days: \d+ papers, \d+\.?\d* a day/);
      expect(read()).toMatch(/The latest:\n• \w/);
      const next = await slack.choose(ada, slack.openView(ada)!, "v1:topic:words", "language models");
      await next.until(() => read().includes("\nlanguage models\n"));
      const instead = /(Narrower|Wider): (.*) brings/.exec(read())?.[2];
      expect(instead).toBeTypeOf("string");
      await (await slack.press(ada, slack.openView(ada)!, "Use it")).until(() =>
        read().includes(`\n${instead}\n`),
      );
      await submit(ada);
      expect(await topics()).toEqual(["1 robotics", `2 ${instead}`]);
    });

    test("says at the field what cannot be read, and offers what can", async () => {
      const { say, ada, openSettings, pressIn, submit, topics, read, slack } = await world({ over });
      await say(ada, ADA_OPENS);
      await openSettings();
      const view = await pressIn(ada, "Add a topic");
      const min = await submit(ada, { "v1:topic:words": "robots", "v1:topic:min": "many" });
      expect(min.ack).toEqual({
        response_action: "errors",
        errors: {
          [blockOf(view, "min")]: expect.stringMatching(/^"min:" takes a whole number.*Try: robots min:10$/),
        },
      });
      const words = await submit(ada, { "v1:topic:words": "robots orgs:nvidia", "v1:topic:min": "" });
      expect(words.ack).toMatchObject({
        errors: { [blockOf(view, "words")]: expect.stringContaining('did you mean "org:"?') },
      });
      const typed = await slack.choose(ada, view, "v1:topic:min", "x");
      await typed.until(() => read().includes("Try: "));
      const same = await submit(ada, { "v1:topic:words": "agents", "v1:topic:min": "" });
      expect(same.ack).toMatchObject({
        errors: { [blockOf(view, "words")]: "This channel has 1 agents already. Nothing changed." },
      });
      expect(await topics()).toEqual(["1 agents"]);
    });

    test("edits a subscription in place, whatever becomes of its words", async () => {
      const { say, ada, openSettings, chooseIn, submit, topics, channelTexts } = await world({ over });
      await say(ada, 'subscribe agents -"web search" has:code min:3');
      await openSettings();
      const view = await chooseIn(ada, "v1:settings:subscription:1", "edit:1");
      expect(initial(view)).toEqual({
        words: "agents",
        without: '"web search"',
        org: undefined,
        author: undefined,
        has: ["code"],
        min: "3",
      });
      await submit(ada, { "v1:topic:words": "robotics", "v1:topic:without": "", "v1:topic:min": "" });
      expect(await topics()).toEqual(["1 robotics has:code"]);
      expect(channelTexts().at(-1)).toMatch(
        /^Changed 1: agents has:code -"web search" min:3 is now robotics has:code\./,
      );
    });
  });
}

describe("the settings", () => {
  test("open from what shows them, also where nothing is subscribed yet", async () => {
    const { slack, say, ada, pressed, submit, kept, channel, read, topics, pressIn } = await world();
    await say(ada, "status");
    await pressed(ada, "Settings");
    expect(read()).toContain("Nothing is subscribed here: no digest will come.");
    expect(initial(slack.openView(ada)!)).not.toHaveProperty("digests");
    await submit(ada, { "v1:settings:time": "07:15" });
    expect(await kept()).toMatchObject({ schedule: { time: "07:15", zone: "Europe/Paris" } });
    await say(ada, "subscriptions");
    await pressed(ada, "Settings");
    await pressIn(ada, "Add a topic");
    await submit(ada, { "v1:topic:words": "agents" });
    expect(await topics()).toEqual(["1 agents"]);
    expect(slack.messages(channel)).toHaveLength(2);
  });

  test("close without a word where nothing was changed", async () => {
    const { slack, say, ada, openSettings, submit, kept, channelTexts } = await world();
    await say(ada, ADA_OPENS);
    const before = await kept();
    await openSettings();
    const seen = await submit(ada);
    expect([seen.ack, slack.openView(ada)]).toEqual([null, null]);
    expect(channelTexts()).toHaveLength(1);
    expect(await kept()).toEqual(before);
  });

  test("submitted twice change once", async () => {
    const { slack, say, ada, openSettings, channelTexts, topics, pressIn } = await world();
    await say(ada, ADA_OPENS);
    const view = await openSettings();
    const values = { "v1:settings:top": "7" };
    const both = await Promise.all([slack.submit(ada, view, values), slack.submit(ada, view, values)]);
    expect(both.map(({ ack }) => ack)).toEqual([null, null]);
    expect(channelTexts()).toHaveLength(2);
    await openSettings();
    const builder = await pressIn(ada, "Add a topic");
    const words = { "v1:topic:words": "robotics" };
    const twice = await Promise.all([slack.submit(ada, builder, words), slack.submit(ada, builder, words)]);
    expect(twice.map(({ ack }) => ack)).toEqual([null, null]);
    expect(await topics()).toEqual(["1 agents", "2 robotics"]);
    expect(channelTexts()).toHaveLength(3);
  });

  test("say so where somebody else changed them meanwhile, and keep what was typed", async () => {
    const { say, ada, bo, openSettings, submit, kept, read, channelTexts, slack } = await world();
    await say(ada, ADA_OPENS);
    await openSettings();
    await openSettings(bo);
    await submit(bo, { "v1:settings:time": "10:00", "v1:settings:days": ["1"] });
    const seen = await submit(ada, { "v1:settings:top": "8" });
    expect(seen.ack).toMatchObject({ response_action: "update" });
    expect(seen.error).toBeNull();
    expect(read()).toContain(
      "Somebody changed this channel while you had this open: now it is Mondays at 10:00",
    );
    expect(initial(slack.openView(ada)!)).toMatchObject({
      time: "10:00",
      days: ["1"],
      every: "week",
      top: "8",
    });
    expect(await kept()).toMatchObject({ top: 5 });
    expect(channelTexts()).toHaveLength(2);
    await submit(ada);
    expect(await kept()).toMatchObject({ top: 8, schedule: { time: "10:00", weekdays: [1] } });
  });

  test("remove nothing from a list that changed meanwhile, and show it as it is", async () => {
    const { say, ada, openSettings, chooseIn, topics, read } = await world();
    await say(ada, ADA_OPENS);
    await openSettings();
    await say(ada, "subscribe robotics");
    await chooseIn(ada, "v1:settings:subscription:1", "remove:1");
    expect(await topics()).toEqual(["1 agents", "2 robotics"]);
    expect(read()).toContain("so nothing was removed");
    expect(read()).toContain("2 robotics");
    await chooseIn(ada, "v1:settings:subscription:1", "remove:1");
    expect(await topics()).toEqual(["2 robotics"]);
  });

  test("are text for a guest", async () => {
    const { slack, say, ada, gus, openSettings, wentWrong } = await world();
    await say(ada, ADA_OPENS);
    const view = await openSettings(gus);
    expect(slack.read(view)).toContain("Only full members of this channel can change this.");
    expect(slack.read(view)).toContain("Digests: weekdays at 09:00 Paris, top 5.");
    expect(slack.read(view)).toContain("1 agents");
    expect(view.blocks.every(({ type }) => type === "section" || type === "context")).toBe(true);
    expect(view.body["submit"]).toBeUndefined();
    expect(wentWrong()).toEqual([]);
  });

  test("take nothing from a guest who was not known as one when the form opened", async () => {
    const { slack, say, ada, gus, openSettings, submit, kept } = await world();
    await say(ada, ADA_OPENS);
    slack.fail({ method: "users.info", how: { error: "internal_error" } });
    const view = await openSettings(gus);
    await submit(gus, { "v1:settings:top": "6" });
    expect(await kept()).toMatchObject({ top: 5 });
    expect(slack.read(slack.openView(gus)!)).toContain("Only full members");
    expect(slack.openView(gus)?.id).toBe(view.id);
  });

  test("answer an expired trigger with lines to copy", async () => {
    const { slack, say, ada, channel, wentWrong } = await world();
    await say(ada, ADA_OPENS);
    slack.fail({ method: "views.open", how: { error: "expired_trigger_id" } });
    const [message] = slack.messages(channel);
    const seen = await (await slack.press(ada, message!, "Settings")).answered();
    expect(slack.openView(ada)).toBeNull();
    expect(seen.ephemerals).toHaveLength(1);
    expect(seen.text).toContain("Slack opens a form only within three seconds of a press");
    expect(seen.text).toContain("/papers schedule 09:00 Europe/Paris weekdays top 5");
    expect(wentWrong()).toEqual([]);
  });

  test("stay open where the trigger to the builder expired, and say what to type", async () => {
    const { slack, say, ada, openSettings, pressIn, read } = await world();
    await say(ada, ADA_OPENS);
    const view = await openSettings();
    slack.fail({ method: "views.push", how: { error: "expired_trigger_id" } });
    expect((await pressIn(ada, "Add a topic")).id).toBe(view.id);
    expect(read()).toContain("type it: /papers subscribe agents");
  });

  test("wait in a view where reading takes long, so that the trigger is used in time", async () => {
    const { slack, say, ada, channel, read } = await world();
    slack.fail({ method: "users.info", how: { error: "internal_error" } });
    await say(ada, ADA_OPENS);
    slack.fail({ method: "users.info", how: { slowMs: 600 } });
    const seen = await slack.press(ada, slack.messages(channel)[0]!, "Settings");
    await seen.until(({ views }) => views.length > 0);
    expect(read()).toContain("One moment…");
    await seen.until(() => read().includes("1 agents"));
    expect(
      slack.requests.filter(({ method }) => method.startsWith("views.")).map(({ method }) => method),
    ).toEqual(["views.open", "views.update"]);
  });

  test("answer a submission in time however slow Slack is, and say in the form how it ended", async () => {
    const { slack, say, ada, openSettings, submit, kept, read, channelTexts } = await world();
    await say(ada, ADA_OPENS);
    await openSettings();
    slack.fail({ method: "chat.postMessage", how: { slowMs: 2300 } });
    const seen = await submit(ada, { "v1:settings:top": "6" });
    expect(seen.acknowledgedAfterMs).toBeLessThan(2800);
    expect(read()).toContain("Saving");
    await seen.until(() => read().includes("Done."));
    expect(await kept()).toMatchObject({ top: 6 });
    expect(channelTexts()).toHaveLength(2);
  });

  test("take a change back where the channel cannot be told, and say how to let Paperboy in", async () => {
    const { slack, ada, channel, say, openSettings, pressIn, submit, kept, topics, wentWrong } = await world({
      scopes: ["commands", "chat:write", "users:read"],
    });
    await say(ada, ADA_OPENS);
    await slack.kick(channel);
    await openSettings();
    const seen = await submit(ada, { "v1:settings:top": "6" });
    expect(seen.error).toBeNull();
    const text = slack.read(slack.openView(ada)!);
    expect(text).toContain("Nothing was changed.");
    expect(text).toContain("/invite @Paperboy");
    expect(text).toContain("/papers schedule 09:00 Europe/Paris weekdays top 6");
    expect(await kept()).toMatchObject({ top: 5 });
    await say(ada, "status");
    await openSettings();
    await pressIn(ada, "Add a topic");
    await submit(ada, { "v1:topic:words": "robotics" });
    expect(slack.read(slack.openView(ada)!)).toContain("/papers subscribe robotics");
    expect(await topics()).toEqual(["1 agents"]);
    expect(slack.messages(channel)).toHaveLength(1);
    expect(wentWrong()).toEqual([]);
  });

  test("confirm in the thread of the pressed message, and never beyond it", async () => {
    const { slack, say, ada, team, channel, submit } = await world();
    await say(ada, ADA_OPENS);
    const [first] = slack.messages(channel);
    await fetch(`${slack.apiUrl}chat.postMessage`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${slack.installation(team)?.token}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({ channel, thread_ts: first!.ts, text: "Changed.", blocks: first!.blocks }),
    });
    const inThread = slack.messages(channel).at(-1)!;
    const seen = await slack.press(ada, inThread, "Settings");
    await seen.until(({ views }) => views.length > 0);
    await submit(ada, { "v1:settings:top": "6" });
    const [, , confirmed, ...others] = slack.messages(channel);
    expect(confirmed).toMatchObject({ threadTs: first!.ts, text: expect.stringContaining("top 6") });
    expect(others).toEqual([]);
  });

  test("open once for a double click", async () => {
    const { slack, say, ada, channel } = await world();
    await say(ada, ADA_OPENS);
    const [message] = slack.messages(channel);
    const [one] = await Promise.all([
      slack.press(ada, message!, "Settings"),
      slack.press(ada, message!, "Settings"),
    ]);
    await one.until(({ views }) => views.length > 0);
    await slack.command(ada, channel, "/papers", "status");
    expect(slack.requests.filter(({ method }) => method === "views.open")).toHaveLength(1);
  });

  test("keep what was typed by whom is held up for pressing too often", async () => {
    const { slack, say, ada, openSettings, submit, kept } = await world({ flood: { perPerson: 2 } });
    await say(ada, ADA_OPENS);
    const view = await openSettings();
    const seen = await submit(ada, { "v1:settings:top": "6" });
    expect(seen.ack).toEqual({
      response_action: "errors",
      errors: {
        [blockOf(view, "time")]: expect.stringMatching(/^That was a lot at once: try again in \d+ seconds/),
      },
    });
    expect(await kept()).toMatchObject({ top: 5 });
    expect(slack.openView(ada)?.id).toBe(view.id);
  });

  test("name no other workspace's channel, whatever a view says", async () => {
    const { slack, say, ada, team, bo, openSettings, kept, desk, where } = await world();
    await say(ada, ADA_OPENS);
    await desk.channels.change({ ...where, workspace: "T0OTHER" }, () => null);
    const view = await openSettings();
    const memo = { ...JSON.parse(String(view.body["private_metadata"])), workspace: "T0OTHER" };
    await fetch(`${slack.apiUrl}views.update`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${slack.installation(team)?.token}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({
        view_id: view.id,
        view: { ...view.body, private_metadata: JSON.stringify(memo) },
      }),
    });
    const seen = await slack.submit(ada, slack.openView(ada)!, { "v1:settings:top": "6" });
    expect(seen.text).toContain("older version");
    expect(await kept()).toMatchObject({ top: 5 });
    expect(await desk.channels.channel({ ...where, workspace: "T0OTHER" })).toBeNull();
    expect(bo).not.toBe(ada);
  });
});

describe("the topic builder", () => {
  test("opens from the help on topics, and from a line that cannot be read with that line", async () => {
    const { slack, say, ada, gus, pressed, submit, topics, read } = await world();
    await say(ada, "help subscribe");
    expect(initial(await pressed(ada, "Build a topic"))).not.toHaveProperty("line");
    await say(ada, "subscribe agents organization:nvidia");
    expect(initial(await pressed(ada, "Build a topic"))).toEqual({ line: "agents organization:nvidia" });
    expect(read()).toContain('There is no filter "organization:"; did you mean "org:"?');
    await (await slack.press(ada, slack.openView(ada)!, "Use it")).until(() =>
      read().includes("\nagents org:nvidia\n"),
    );
    await submit(ada);
    expect(await topics()).toEqual(["1 agents org:nvidia"]);
    await say(ada, "subscribe agents org:nvidia");
    expect(JSON.stringify(slack.ephemerals(ada).at(-1)?.blocks)).not.toContain("Build a topic");
    await say(gus, "help subscribe");
    expect(JSON.stringify(slack.ephemerals(gus).at(-1)?.blocks)).not.toContain("Build a topic");
  });

  test("goes from fields to one line and back, and stays a line where fields cannot say it", async () => {
    const { slack, say, ada, pressed, chooseIn, pressIn, read, submit, topics } = await world({
      isTimeless: true,
    });
    await say(ada, "help subscribe");
    await pressed(ada, "Build a topic");
    await chooseIn(ada, "v1:topic:words", "robots");
    await chooseIn(ada, "v1:topic:has", "code");
    expect(initial(await pressIn(ada, "Write it as one line instead"))).toEqual({ line: "robots has:code" });
    await chooseIn(ada, "v1:topic:line", "robots OR org:nvidia");
    expect(initial(await pressIn(ada, "Use fields instead"))).toEqual({ line: "robots OR org:nvidia" });
    expect(read()).toContain("The fields cannot say all of this, so it stays one line.");
    await chooseIn(ada, "v1:topic:line", "robots org:nvidia");
    expect(initial(await pressIn(ada, "Use fields instead"))).toMatchObject({
      words: "robots",
      org: "nvidia",
    });
    await submit(ada, { "v1:topic:org": "google" });
    expect(await topics()).toEqual(["1 robots org:google"]);
    expect(slack.openView(ada)).toBeNull();
  });

  test("left empty is the top list, and says so before", async () => {
    const { say, ada, pressed, submit, topics, read } = await world();
    await say(ada, "help subscribe");
    await pressed(ada, "Build a topic");
    expect(read()).toContain("The day's top list");
    await submit(ada);
    expect(await topics()).toEqual(["1 "]);
  });

  test("shows only what was typed last, once a second at most", async () => {
    const { slack, say, ada, pressed, read, wentWrong } = await world({ isTimeless: true });
    await say(ada, "help subscribe");
    const view = await pressed(ada, "Build a topic");
    const updates = () => slack.requests.filter(({ method }) => method === "views.update");
    slack.setLatency(20);
    const words = "agents that plan".split("").map((_, at, all) => all.slice(0, at + 1).join(""));
    const seen = await Promise.all(words.map((typed) => slack.choose(ada, view, "v1:topic:words", typed)));
    await seen.at(-1)!.until(() => read().includes("\nagents that plan\n"));
    expect(updates().length).toBeLessThan(words.length / 2);
    expect(updates().every(({ args }) => typeof args["hash"] === "string")).toBe(true);
    expect(wentWrong()).toEqual([]);
  });

  test("shows nothing over a form that was filled anew meanwhile, nor over one that was closed", async () => {
    const { slack, say, ada, pressed, read, wentWrong } = await world();
    await say(ada, "help subscribe");
    const view = await pressed(ada, "Build a topic");
    const [, turned] = await Promise.all([
      slack.choose(ada, view, "v1:topic:words", "agents"),
      slack.press(ada, view, "Write it as one line instead"),
      slack.choose(ada, view, "v1:topic:words", "robots"),
    ]);
    await turned.until(() => read().includes("Use fields instead"));
    await slack.until(() => slack.requests.at(-1)?.method === "views.update");
    expect(read()).toContain("Use fields instead");
    const typing = slack.choose(ada, slack.openView(ada)!, "v1:topic:line", "robots");
    await slack.dismiss(ada, slack.openView(ada)!);
    await typing;
    expect(slack.openView(ada)).toBeNull();
    expect(wentWrong()).toEqual([]);
  });

  test("leaves Slack alone for as long as it asks, and goes on then", async () => {
    const { slack, say, ada, pressed, read, wentWrong } = await world({ isTimeless: true });
    await say(ada, "help subscribe");
    const view = await pressed(ada, "Build a topic");
    slack.fail({ method: "views.update", how: { retryAfterSeconds: 30 } });
    await slack.choose(ada, view, "v1:topic:words", "robots");
    await slack.until(() => slack.requests.some(({ fault }) => fault !== null));
    const seen = await slack.choose(ada, view, "v1:topic:words", "agents");
    await seen.until(() => read().includes("\nagents\n"));
    expect(wentWrong()).toEqual([]);
  });

  test("says so where somebody else changed the same subscription meanwhile", async () => {
    const { say, ada, bo, openSettings, chooseIn, submit, topics, read } = await world();
    await say(ada, ADA_OPENS);
    for (const who of [ada, bo]) {
      await openSettings(who);
      await chooseIn(who, "v1:settings:subscription:1", "edit:1");
    }
    await submit(bo, { "v1:topic:words": "robotics" });
    await submit(ada, { "v1:topic:words": "diffusion" });
    expect(await topics()).toEqual(["1 robotics"]);
    expect(read()).toContain("Somebody changed 1 while you had this open: it is now “robotics”.");
    await submit(ada);
    expect(await topics()).toEqual(["1 diffusion"]);
  });

  test("says so where somebody else removed what is being edited", async () => {
    const { say, ada, openSettings, chooseIn, submit } = await world();
    await say(ada, ADA_OPENS);
    await openSettings();
    const view = await chooseIn(ada, "v1:settings:subscription:1", "edit:1");
    await say(ada, "unsubscribe 1");
    const seen = await submit(ada, { "v1:topic:words": "diffusion" });
    expect(seen.ack).toMatchObject({
      errors: {
        [blockOf(view, "words")]: "There is no subscription 1 here any more, so nothing was changed.",
      },
    });
  });

  test("says where 25 subscriptions are all that fit", async () => {
    const { say, ada, openSettings, pressIn, submit, where, desk } = await world();
    await say(ada, ADA_OPENS);
    await desk.channels.change(where, (now) => ({
      channel: { ...now!.channel, lastNumber: 25 },
      subscriptions: Array.from({ length: 25 }, (_, at) => ({
        ...now!.subscriptions[0]!,
        number: at + 1,
        topic: `word${at} ${"long ".repeat(50)}`.trim(),
      })),
    }));
    await openSettings();
    const view = await pressIn(ada, "Add a topic");
    const seen = await submit(ada, { "v1:topic:words": "diffusion" });
    expect(seen.ack).toMatchObject({
      errors: { [blockOf(view, "words")]: "This channel has 25 subscriptions, and no more fit." },
    });
  });
});
