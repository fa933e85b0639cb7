import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { renderDiscord } from "../../src/bots/discord/render.ts";
import { renderSlack } from "../../src/bots/slack/render.ts";
import type { ChannelKey } from "../../src/core/channel.ts";
import { changeChannel } from "../../src/core/channel-change.ts";
import type { Asker, Desk, Reply } from "../../src/core/command.ts";
import { press, runCommand, runText } from "../../src/core/commands.ts";
import { type Delivery, OUTCOMES, type Outcome } from "../../src/core/delivery.ts";
import { introLines } from "../../src/core/message.ts";
import { createAsker, createDesk, NOW, type TestDesk } from "../contracts/desk.ts";
import { madeUpPaper } from "../contracts/made-up-paper.ts";

let library: TestDesk;
let desk: TestDesk;
beforeAll(async () => {
  library = await createDesk();
});
afterAll(() => library.close());
beforeEach(async () => {
  desk = await createDesk({ library });
});
afterEach(() => desk.close());

const ADA = createAsker();
const BO = createAsker({ person: "U2", name: "Bo" });
const ELSEWHERE = createAsker({ where: { ...ADA.where, channel: "C2" } });

const say = (text: string, asker: Asker = ADA, at: Desk = desk) => runText(at, asker, text);
const topics = async (asker = ADA) =>
  (await desk.channels.subscriptions(asker.where)).map(({ number, topic }) => `${number} ${topic}`);
const linesOf = ({ message }: Reply) => [message.title, ...introLines(message, message.items.length)];
const textOf = (reply: Reply) => linesOf(reply).join("\n");

function undoOf({ message }: Reply): string {
  const button = message.buttons.find(({ label }) => label === "Undo");
  if (button === undefined || !("id" in button)) throw new Error("There is no Undo.");
  return button.id;
}

describe("subscribe", () => {
  test("tells everybody what it brings, when, and what would be narrower", async () => {
    const reply = await say("subscribe has:code");
    expect(reply.to).toBe("channel");
    const lines = linesOf(reply);
    expect(lines[0]).toBe("Subscribed this channel to 1 has:code.");
    expect(lines[1]).toMatch(/^Last 14 days: \d+ papers, \d+(\.\d)? a day/);
    expect(lines[2]).toBe("Next digest: Thu 23 April, 09:00 UTC (top 5, weekdays).");
    expect(lines[4]).toMatch(/^Narrower: .+ brings \d(\.\d)? a day\.$/);
    expect(lines[5]).toMatch(/^\/papers subscribe has:code/);
    expect(reply.message.items).toHaveLength(2);
    expect(reply.message.buttons.map(({ label }) => label)).toEqual(["Undo", "Preview"]);
  });

  test("without a topic brings the top list", async () => {
    const reply = await say("subscribe");
    expect(reply.message.title).toBe("Subscribed this channel to 1 top list.");
    expect(textOf(reply)).toContain("Last 14 days: 168 papers, 12 a day. A digest shows the best 5.");
    expect(await topics()).toEqual(["1 "]);
  });

  test("takes the asker's zone, and says where it is unknown that it is UTC", async () => {
    expect(textOf(await say("subscribe agents"))).toContain(
      "UTC until you set a zone: /papers schedule 09:00 Europe/Paris weekdays",
    );
    const inParis = createAsker({ where: ELSEWHERE.where, zone: "Europe/Paris" });
    const reply = await say("subscribe agents", inParis);
    expect(textOf(reply)).toContain("Next digest: Thu 23 April, 09:00 Paris (top 5, weekdays).");
    expect(textOf(reply)).not.toContain("UTC");
    const channel = await desk.channels.channel(inParis.where);
    expect(channel).toMatchObject({ next: { at: "2026-04-23T07:00:00.000Z", slot: "2026-04-23" } });
    expect(channel).toMatchObject({ readFrom: "2026-04-22", setUpBy: "U1", top: 5 });
  });

  test("to the same words with other filters edits, and says what changed", async () => {
    await say("subscribe agents");
    const reply = await say("subscribe agents has:code", BO);
    expect(reply.message.title).toBe("Changed 1: agents is now agents has:code.");
    expect(textOf(reply)).toMatch(/\(before: \d\.\d a day\)/);
    expect(await topics()).toEqual(["1 agents has:code"]);
    await say("subscribe org:nvidia");
    await say("subscribe robotics");
    expect(await topics()).toEqual(["1 agents has:code", "2 org:nvidia", "3 robotics"]);
  });

  test("from a form takes the place of the subscription that was edited, whatever its subject", async () => {
    await say("subscribe agents");
    await say("subscribe");
    const edit = (topic: string, replaces: string) => runCommand(desk, ADA, "subscribe", { topic, replaces });
    const reply = await edit("robotics", "1");
    expect(reply.message.title).toBe("Changed 1: agents is now robotics.");
    expect((await edit("org:nvidia", "2")).message.title).toBe("Changed 2: top list is now org:nvidia.");
    expect((await edit("robotics", "2")).message.title).toBe(
      "This channel has 1 robotics already. Nothing changed.",
    );
    const gone = await edit("agents", "7");
    expect(gone.message.title).toBe("There is no subscription 7 here any more, so nothing was changed.");
    expect(gone.to).toBe("asker");
    expect(await topics()).toEqual(["1 robotics", "2 org:nvidia"]);
  });

  test("to the very same topic changes nothing, however it is spelled", async () => {
    await say('subscribe "tool use" agents');
    const before = await desk.channels.channel(ADA.where);
    const reply = await say("  SUBSCRIBE  “Tool  Use”  \u200bAgents\u202e ");
    expect(reply.message.title).toBe('This channel has 1 "tool use" agents already. Nothing changed.');
    expect(reply.to).toBe("asker");
    expect(await desk.channels.channel(ADA.where)).toEqual(before);
  });

  test("reads right-to-left text", async () => {
    expect((await say("subscribe الذكاء \u200fالاصطناعي")).message.title).toContain("الذكاء الاصطناعي");
  });

  test("answers a topic that cannot be read with a line to copy", async () => {
    const reply = await say("subscribe organization:nvidia");
    expect(reply.to).toBe("asker");
    expect(reply.message.intro).toEqual(["Try:", "/papers subscribe org:nvidia"]);
    expect(textOf(await say(`subscribe ${"word ".repeat(400)}`))).toContain("300 characters");
    expect(await topics()).toEqual([]);
  });

  test("stops at 25", async () => {
    for (let i = 1; i <= 25; i++) await say(`subscribe word${i}`);
    const reply = await say("subscribe onemore");
    expect(reply.message.title).toBe("This channel has 25 subscriptions, and no more fit.");
    expect(await topics()).toHaveLength(25);
    expect((await say("subscribe word7 has:code")).message.title).toMatch(/^Changed 7/);
  });

  test("leaves a paused channel paused, and says so", async () => {
    await say("subscribe agents");
    await say("pause");
    expect(textOf(await say("subscribe robotics"))).toContain(
      "Paused: no digest comes until /papers resume.",
    );
    expect(await desk.channels.channel(ADA.where)).toMatchObject({ paused: { until: null }, next: null });
  });

  test("with nothing stored says that there is nothing to count", async () => {
    const empty = await createDesk({ days: 0 });
    expect(textOf(await say("subscribe agents", ADA, empty))).toContain("no list here yet");
    await empty.close();
  });

  test("warns of a topic that nothing matched lately, with Undo first", async () => {
    const warning = "Nothing like it was listed lately: check the spelling, or undo.";
    const reply = await say("subscribe xylophne");
    expect(reply.message.intro.slice(0, 2)).toEqual(["Last 14 days: no paper.", warning]);
    expect(reply.message.buttons[0]?.label).toBe("Undo");
    expect(textOf(await say("subscribe xylophne"))).not.toContain(warning);
    expect(textOf(await say("subscribe agents"))).not.toContain(warning);
    const empty = await createDesk({ days: 0 });
    expect(textOf(await say("subscribe xylophne", ADA, empty))).not.toContain(warning);
    await empty.close();
  });

  test("counts no list after the clock's day", async () => {
    desk.setNow("2026-04-15T12:00:00.000Z");
    const reply = await say("subscribe has:code");
    expect(textOf(reply)).toContain("Last 11 days: ");
    const ids = reply.message.items.map(({ url }) => url?.split("/").at(-1) ?? "");
    expect(ids).toHaveLength(2);
    for (const { listedOn } of await desk.store.papers(ids)) expect(listedOn! <= "2026-04-15").toBe(true);
    expect(textOf(await say("subscriptions"))).toContain(textOf(reply).match(/[\d.]+ a day/)![0]);
  });

  test("by two at once makes one subscription of the same topic", async () => {
    const replies = await Promise.all([say("subscribe agents"), say("subscribe agents", BO)]);
    expect(await topics()).toEqual(["1 agents"]);
    expect(replies.map(({ to }) => to).toSorted()).toEqual(["asker", "channel"]);
  });
});

describe("unsubscribe", () => {
  beforeEach(async () => {
    await say("subscribe agents -robotics");
    await say("subscribe video generation");
    await say("subscribe");
  });

  test.each([
    ["2", "2 video generation"],
    ["#2", "2 video generation"],
    ["2 video generation", "2 video generation"],
    ["Video Generation", "2 video generation"],
    ["agents", "1 agents -robotics"],
    ["top list", "3 top list"],
  ])("by %j ends %s", async (text, name) => {
    const reply = await say(`unsubscribe ${text}`);
    expect(reply.message.title).toBe(`Unsubscribed this channel from ${name}.`);
    expect(reply.to).toBe("channel");
    expect(await topics()).toHaveLength(2);
  });

  test("offers the nearest where there is none", async () => {
    expect(linesOf(await say("unsubscribe agnts"))).toEqual([
      "There is no subscription “agnts” here. The nearest is",
      "1 agents -robotics: /papers unsubscribe 1",
    ]);
    expect(textOf(await say("unsubscribe"))).toContain("2 video generation: /papers unsubscribe 2");
    expect(await topics()).toHaveLength(3);
  });

  test.each(["99", "#99", "quantum chemistry", "xyz"])(
    "offers nothing in particular for %j, which is near nothing",
    async (text) => {
      expect(linesOf(await say(`unsubscribe ${text}`))).toEqual([
        `There is no subscription “${text}” here. These are:`,
        ...linesOf(await say("unsubscribe")).slice(1),
      ]);
      expect(await topics()).toHaveLength(3);
    },
  );

  test("does not see another channel's", async () => {
    await say("subscribe speech", ELSEWHERE);
    expect(textOf(await say("unsubscribe 3", ELSEWHERE))).toContain("no subscription “3”");
    expect(textOf(await say("unsubscribe speech"))).toContain("no subscription “speech”");
    const other: ChannelKey = { ...ADA.where, workspace: "T2" };
    expect(textOf(await say("unsubscribe 1", createAsker({ where: other })))).toContain(
      "Nothing is subscribed",
    );
  });

  test("of the last one leaves no digest to come", async () => {
    await Promise.all([say("unsubscribe 1"), say("unsubscribe 2")]);
    const reply = await say("unsubscribe 3");
    expect(textOf(reply)).toContain("Nothing is subscribed here: no digest will come.");
    expect(await desk.channels.channel(ADA.where)).toMatchObject({ next: null });
  });

  test("by two at once is done once", async () => {
    const replies = await Promise.all([say("unsubscribe 1"), say("unsubscribe 1", BO)]);
    expect(replies.map(({ to }) => to).toSorted()).toEqual(["asker", "channel"]);
    expect(await topics()).toHaveLength(2);
  });
});

describe("Undo", () => {
  test("takes a first subscription back, and its number is not used again", async () => {
    const reply = await say("subscribe agents");
    const undone = await press(desk, BO, undoOf(reply));
    expect(linesOf(undone)).toEqual([
      "Undone.",
      "Taken back: Subscribed this channel to 1 agents.",
      "Nothing is subscribed here: no digest will come.",
    ]);
    expect(undone.to).toBe("channel");
    expect(await topics()).toEqual([]);
    await say("subscribe agents");
    expect(await topics()).toEqual(["2 agents"]);
  });

  test("takes back each kind of change", async () => {
    await say("subscribe agents");
    await say("subscribe robotics");
    for (const line of [
      "subscribe agents has:code",
      "unsubscribe 2",
      "schedule 10:30 paris daily top 9",
      "pause",
      "pause until 2026-05-04",
    ]) {
      const before = await desk.channels.channel(ADA.where);
      await press(desk, ADA, undoOf(await say(line)));
      expect(await desk.channels.channel(ADA.where), line).toEqual({
        ...before,
        version: (before?.version ?? 0) + 2,
      });
      expect(await topics(), line).toEqual(["1 agents", "2 robotics"]);
    }
  });

  test("takes back whether digests are published, also where an older version kept nothing of it", async () => {
    await say("subscribe agents");
    const publish = (to: boolean) =>
      changeChannel(
        desk,
        ADA,
        (now) => ({ to: now && { ...now, channel: { ...now.channel, publish: to } }, told: null }),
        () => "Publishing",
      );
    const isPublishing = async () => (await desk.channels.channel(ADA.where))?.publish;
    const { undo } = await publish(true);
    expect(await isPublishing()).toBe(true);
    const button = undo !== null && "id" in undo ? undo.id : "";
    const kept = JSON.parse((await desk.channels.view(button.slice("v1:undo:".length), NOW)) ?? "");
    delete kept.before.publish;
    const older = await desk.channels.keepView(JSON.stringify(kept), NOW);
    expect((await press(desk, ADA, `v1:undo:${older}`)).message.title).toBe("Undone.");
    expect(await isPublishing()).toBe(false);
    await publish(true);
    const off = await publish(false);
    await press(desk, ADA, off.undo !== null && "id" in off.undo ? off.undo.id : "");
    expect(await isPublishing()).toBe(true);
  });

  test("pressed twice says that it is undone already", async () => {
    const id = undoOf(await say("subscribe agents"));
    await press(desk, ADA, id);
    const again = await press(desk, ADA, id);
    expect(again.message.title).toBe("This is undone already.");
    expect(again.to).toBe("asker");
  });

  test("pressed twice at once undoes once", async () => {
    await say("subscribe agents");
    const id = undoOf(await say("subscribe robotics"));
    const replies = await Promise.all([press(desk, ADA, id), press(desk, BO, id)]);
    expect(replies.map(({ message }) => message.title).toSorted()).toEqual([
      "This is undone already.",
      "Undone.",
    ]);
    expect(await topics()).toEqual(["1 agents"]);
  });

  test("does nothing once somebody changed the channel", async () => {
    const id = undoOf(await say("subscribe agents"));
    await say("subscribe agents has:code", BO);
    const reply = await press(desk, ADA, id);
    expect(reply.message.title).toBe("Not undone: somebody changed this channel's settings since.");
    expect(await topics()).toEqual(["1 agents has:code"]);
  });

  test("of another channel, of an older version or after thirty days does nothing", async () => {
    const id = undoOf(await say("subscribe agents"));
    await say("subscribe agents", ELSEWHERE);
    expect((await press(desk, ELSEWHERE, id)).message.title).toBe("This can no longer be undone here.");
    const view = await desk.channels.keepView('{"kind":"undo","was":[]}', NOW);
    expect((await press(desk, ADA, `v1:undo:${view}`)).message.title).toBe(
      "This can no longer be undone here.",
    );
    desk.setNow("2026-05-23T12:00:00.000Z");
    expect((await press(desk, ADA, id)).message.title).toBe("This can no longer be undone here.");
    expect(await topics()).toEqual(["1 agents"]);
  });
});

describe("subscriptions and preview", () => {
  test("show what would be posted now, and record nothing", async () => {
    await say("subscribe has:code");
    await say("subscribe");
    const [list, preview] = [await say("subscriptions"), await say("preview", BO)];
    expect(list.message.items).toEqual(preview.message.items);
    expect(preview.message.items).toHaveLength(5);
    expect(preview.message.title).toBe("Preview · nothing is posted");
    expect(preview.message.intro[0]).toBe("Daily Papers · Wednesday 22 April");
    expect(preview.to).toBe("asker");
    expect(list.message.title).toBe("2 subscriptions");
    expect(textOf(list)).toMatch(/^1 has:code · \d(\.\d)? a day$/m);
    expect(textOf(list)).toContain("2 top list · 12 a day\nNow 5 of 12 papers would come:");
    expect((await desk.ledger.audit(NOW)).deliveries).toBe(0);
    expect((await press(desk, BO, "v1:preview")).message).toEqual(preview.message);
  });

  test("leave out what the channel has had", async () => {
    await say("subscribe");
    const had = (await say("preview")).message.items[0];
    const ledger: Desk["ledger"] = {
      ...desk.ledger,
      delivered: async (_key, ids) => new Set(ids.filter((id) => had?.url?.endsWith(id))),
    };
    const reply = await say("preview", ADA, { ...desk, ledger });
    expect(reply.message.items.map(({ url }) => url)).not.toContain(had?.url);
    expect(textOf(reply)).toContain("5 of 11 papers");
  });

  test("say so where nothing matches, where no list is new, and where nothing is subscribed", async () => {
    expect(textOf(await say("preview"))).toContain("Nothing is subscribed here yet.");
    expect(textOf(await say("subscriptions"))).toContain("/papers subscribe agents");
    await say("subscribe xylophone");
    expect(textOf(await say("preview"))).toContain("None of 12 papers matched");
    const history = async () => [delivery({ outcome: "sent" })];
    const reply = await say("preview", ADA, { ...desk, ledger: { ...desk.ledger, history } });
    expect(textOf(reply)).toContain("No list is new since the last digest");
  });

  test("have room for 25 subscriptions on both platforms", async () => {
    await say("subscribe");
    for (let i = 2; i <= 25; i++) {
      await say(`subscribe subject${i} of considerable length -"something else" org:example_lab`);
    }
    const { message } = await say("subscriptions");
    const drawn = [JSON.stringify(renderDiscord(message)), JSON.stringify(renderSlack(message))];
    expect(message.items).toHaveLength(5);
    for (const text of drawn) for (let i = 2; i <= 25; i++) expect(text).toContain(`${i} subject${i}`);
  });
});

function delivery(changes: Partial<Delivery>): Delivery {
  return {
    ...ADA.where,
    id: "d1",
    kind: "digest",
    slot: "2026-04-22",
    person: null,
    uncertain: false,
    dueAt: "2026-04-22T09:00:00.000Z",
    outcome: "pending",
    detail: "",
    attempts: 0,
    failures: 0,
    nextAttemptAt: "2026-04-22T10:30:00.000Z",
    content: null,
    paperIds: [],
    shown: 5,
    ref: null,
    settledAt: null,
    ...changes,
  };
}

describe("status", () => {
  const statusWith = (deliveries: readonly Delivery[]) =>
    say("status", ADA, { ...desk, ledger: { ...desk.ledger, history: async () => deliveries } });

  test("says what does not work as it is set up", async () => {
    await say("subscribe agents");
    const remarks = ["The summary model does not answer (status 503); sentences of the abstracts serve."];
    expect(linesOf(await say("status", ADA, { ...desk, remarks }))).toContain(remarks[0]);
  });

  test("tells the next digest and how fresh the list is", async () => {
    expect(textOf(await say("status"))).toContain("Nothing is subscribed here yet.");
    await say("subscribe agents");
    desk.setNow("2026-04-22T12:12:00.000Z");
    expect(linesOf(await say("status"))).toEqual([
      "Status",
      "Next digest: Thu 23 April, 09:00 UTC (top 5, weekdays).",
      "Newest list: Wednesday 22 April, 12 papers, looked at 12 minutes ago.",
      "No digest was due yet.",
    ]);
  });

  test("has a sentence for each outcome", async () => {
    await say("subscribe agents");
    const said = new Map<Outcome, string>();
    for (const outcome of OUTCOMES) {
      const lines = linesOf(await statusWith([delivery({ outcome })]));
      expect(lines.at(-1)).toMatch(/^Wednesday 22 April: .+\.$/);
      said.set(outcome, lines.at(-1) ?? "");
    }
    expect(new Set(said.values()).size).toBe(OUTCOMES.length);
    expect(said.get("sent")).toBe("Wednesday 22 April: sent, 5 papers.");
    expect(said.get("waiting")).toBe("Wednesday 22 April: waiting. Next try 10:30 UTC.");
  });

  test("has room for seven slots and the hint on both platforms, whatever their details", async () => {
    await say("subscribe agents");
    const listed = Array.from({ length: 25 }, (_, i) => `subject${i} of considerable length`).join(", ");
    for (const outcome of OUTCOMES) {
      const detail = `0 of 23 papers · topics ${listed}`;
      const slots = Array.from({ length: 7 }, (_, i) =>
        delivery({ id: `d${i}`, slot: `2026-04-${22 - i}`, outcome: i < 3 ? "quiet" : outcome, detail }),
      );
      const reply = await statusWith(slots);
      for (const drawn of [renderDiscord(reply.message), renderSlack(reply.message)].map((each) =>
        JSON.stringify(each),
      )) {
        for (let i = 0; i < 7; i++) expect(drawn).toContain(` ${22 - i} April: `);
        expect(drawn).toContain("times in a row. Fewer words find more");
        expect(drawn).toContain("/papers subscriptions");
      }
      const last = linesOf(reply).find((line) => line.includes("16 April"));
      if (outcome === "sent") expect(last).toBe("Thursday 16 April: sent, 5 papers. 0 of 23 papers.");
      if (outcome === "quiet") expect(last).toMatch(/^Thursday 16 April: .{120,150}…$/);
    }
  });

  test("of a clock that was set back tells the newest list of its day, and no age below none", async () => {
    await say("subscribe agents");
    desk.setNow("2026-04-15T12:00:00.000Z");
    expect(linesOf(await say("status"))).toContain(
      "Newest list: Wednesday 15 April, 12 papers, looked at just now.",
    );
  });

  test("gives the ledger's own detail", async () => {
    await say("subscribe agents");
    const reply = await statusWith([delivery({ outcome: "quiet", detail: "0 of 23 papers matched" })]);
    expect(textOf(reply)).toContain("Wednesday 22 April: quiet, nothing matched. 0 of 23 papers matched.");
  });

  test("shows seven slots, and names three quiet ones in a row", async () => {
    await say("subscribe agents");
    const quiet = Array.from({ length: 9 }, (_, i) =>
      delivery({ id: `d${i}`, slot: `2026-04-${20 - i}`, outcome: i < 3 ? "quiet" : "sent" }),
    );
    const lines = linesOf(await statusWith(quiet));
    expect(lines.filter((line) => / April: /.test(line))).toHaveLength(7);
    expect(lines.join("\n")).toContain("Nothing matched 3 times in a row.");
    expect(textOf(await statusWith(quiet.slice(1)))).not.toContain("in a row");
  });

  test("says why a channel was paused", async () => {
    await say("subscribe agents");
    await desk.channels.change(
      ADA.where,
      (now) =>
        now && {
          ...now,
          channel: { ...now.channel, paused: { until: null, reason: "Invite me: /invite @Paperboy" } },
        },
    );
    expect(textOf(await say("status"))).toContain("Invite me: /invite @Paperboy");
  });
});

describe("schedule", () => {
  test("shows itself with a line to copy", async () => {
    expect(linesOf(await say("schedule"))).toEqual([
      "Weekdays at 09:00 UTC, top 5.",
      "To change it:",
      "/papers schedule 09:00 UTC weekdays top 5",
    ]);
  });

  test("answers a change with the next three digests", async () => {
    await say("subscribe agents");
    const reply = await say("schedule 08:30 paris mon,thu top 3");
    expect(reply.to).toBe("channel");
    expect(linesOf(reply)).toEqual([
      "Schedule set: Mon, Thu at 08:30 Paris, top 3.",
      "Next digests:",
      "Thu 23 April, 08:30 Paris",
      "Mon 27 April, 08:30 Paris",
      "Thu 30 April, 08:30 Paris",
    ]);
    expect(textOf(await say("schedule 8:30"))).toContain("It is so already");
  });

  test("takes Discord's options", async () => {
    await say("subscribe agents");
    const reply = await runCommand(desk, ADA, "schedule", {
      time: "5pm",
      zone: "Asia/Tokyo",
      days: "friday",
      every: "week",
      top: "7",
    });
    expect(reply.message.title).toBe("Schedule set: Fridays at 17:00 Tokyo, top 7.");
  });

  test.each(["25:00", "top 99", "09:00 EST", "Pariss", "whenever", "weekly mon tue"])(
    "%j is refused with a line that works",
    async (text) => {
      await say("subscribe agents");
      const before = await desk.channels.channel(ADA.where);
      const reply = await say(`schedule ${text}`);
      expect(reply.to).toBe("asker");
      expect(reply.message.intro).toEqual(["Did you mean:", expect.stringMatching(/^\/papers schedule /)]);
      expect(await desk.channels.channel(ADA.where)).toEqual(before);
      expect(textOf(await say(reply.message.intro[1] ?? ""))).not.toContain("Did you mean");
    },
  );

  test("can be set before the first subscription", async () => {
    await say("schedule 07:00 tokyo daily");
    expect(await desk.channels.channel(ADA.where)).toMatchObject({ next: null });
    expect(textOf(await say("subscribe agents"))).toContain("Thu 23 April, 07:00 Tokyo (top 5, daily)");
  });

  test("promises no second digest for a day that has had one", async () => {
    await say("subscribe agents");
    const history = async () => [delivery({ outcome: "sent" })];
    const reply = await say("schedule 18:00", ADA, { ...desk, ledger: { ...desk.ledger, history } });
    expect(reply.message.intro[1]).toBe("Thu 23 April, 18:00 UTC");
  });

  test("promises no second digest however many slots stand after it, as with a clock set back", async () => {
    await say("subscribe agents");
    const slots = Array.from({ length: 60 }, (_, i) => new Date(Date.UTC(2026, 3, 22 + i)).toISOString())
      .map((at) => delivery({ slot: at.slice(0, 10), outcome: "sent" }))
      .filter(({ slot }) => slot !== "2026-04-27")
      .toReversed();
    const history: Desk["ledger"]["history"] = async (_key, limit) => slots.slice(0, limit);
    const reply = await say("schedule 18:00", ADA, { ...desk, ledger: { ...desk.ledger, history } });
    expect(reply.message.intro[1]).toBe("Mon 27 April, 18:00 UTC");
  });
});

describe("pause and resume", () => {
  beforeEach(async () => {
    await say("subscribe agents");
  });
  const pausedUntil = async () => (await desk.channels.channel(ADA.where))?.paused?.until;

  test.each([
    ["2026-05-04", "2026-05-04"],
    ["until 2026-05-04", "2026-05-04"],
    ["until 4 May", "2026-05-04"],
    ["until monday", "2026-04-27"],
    ["wednesday", "2026-04-22"],
    ["Until Tomorrow", "2026-04-23"],
    ["until 4 July", "2026-07-04"],
    ["until 4 January", "2027-01-04"],
  ])("%j pauses up to and with %s", async (text, until) => {
    const reply = await say(`pause ${text}`);
    expect(reply.to).toBe("channel");
    expect(await pausedUntil()).toBe(until);
    const next = (await desk.channels.channel(ADA.where))?.next;
    expect(next?.slot.localeCompare(until)).toBe(1);
  });

  test.each([
    ["yesterday", "Tuesday 21 April is past."],
    ["2026-04-01", "Wednesday 1 April is past."],
    ["2019-01-01", "Tuesday 1 January 2019 is past."],
    ["20 April", "Monday 20 April is past."],
    ["2999-01-01", "A pause up to a day lasts a year at most; one without a day lasts until /papers resume."],
    ["whenever", "“whenever” is no day."],
    ["2026-02-30", "“2026-02-30” is no day."],
  ])("until %j is refused", async (text, title) => {
    const reply = await say(`pause until ${text}`);
    expect(reply.message.title).toBe(title);
    expect(reply.message.intro).toContain("/papers pause until 2026-04-29");
    expect(await pausedUntil()).toBeUndefined();
  });

  test("a pause without end lasts until resume", async () => {
    expect(linesOf(await say("pause"))).toEqual([
      "Paused this channel's digests.",
      "Paused: no digest comes until /papers resume.",
    ]);
    expect((await say("pause")).message.title).toBe("It is paused already.");
    const reply = await say("resume");
    expect(linesOf(reply)).toEqual([
      "Resumed this channel's digests.",
      "Next digest: Thu 23 April, 09:00 UTC (top 5, weekdays).",
    ]);
    expect((await say("resume")).message.title).toBe("It is not paused.");
  });

  test("a pause with an end is over by itself", async () => {
    expect(linesOf(await say("pause until 4 May"))).toEqual([
      "Paused this channel's digests.",
      "Paused up to and with Monday 4 May. Next digest: Tue 5 May, 09:00 UTC (top 5, weekdays).",
      "They come back by themselves; sooner with /papers resume.",
    ]);
    desk.setNow("2026-05-05T08:00:00.000Z");
    expect(textOf(await say("status"))).toContain("\nNext digest: Tue 5 May, 09:00 UTC");
    expect((await say("resume")).message.title).toBe("It is not paused.");
  });

  test("there is nothing to pause or resume where nothing is subscribed", async () => {
    expect(textOf(await say("pause", ELSEWHERE))).toContain("There is nothing to pause");
    expect(textOf(await say("resume", ELSEWHERE))).toContain("There is nothing to resume");
    expect(await desk.channels.channel(ELSEWHERE.where)).toBeNull();
  });
});

describe("profile and forget", () => {
  test("name nothing where three papers share nothing", async () => {
    for (const [i, title] of ["Grasping", "Vocoders", "Proteins"].entries()) {
      const organization = { name: title, fullname: title };
      const paper = madeUpPaper({ id: `2604.9990${i}`, title, organization, aiKeywords: [] });
      await desk.store.savePapers([{ paper, summary: null }], NOW);
      await press(desk, ADA, `v1:${i === 2 ? "less" : "more"}:${paper.id}`);
    }
    expect((await say("profile")).message.intro).toEqual([
      "From 2 papers with more and 1 with less like this:",
      "They share nothing that tells yet. To begin anew:",
      "/papers profile reset",
    ]);
  });

  test("explain what moved, take it back, and delete what is one's own", async () => {
    const paper = madeUpPaper({ id: "2604.99999", title: "Grasping Robots" });
    await desk.store.savePapers([{ paper, summary: null }], NOW);
    expect(textOf(await say("profile"))).toContain("Nobody here has said");
    await press(desk, ADA, "v1:more:2604.99999");
    await press(desk, BO, "v1:more:2604.99999");
    await press(desk, ADA, "v1:save:2604.99999");
    const lines = linesOf(await say("profile"));
    expect(lines[0]).toBe("What this channel likes");
    expect(lines[1]).toBe("From 1 paper with more and 0 with less like this:");
    expect(lines[2]).toBe("More: Example Lab +0.5, grasping +0.5, robots +0.5");
    expect(textOf(await say("profile", ELSEWHERE))).toContain("Nobody here has said");
    expect(textOf(await say("profile everything"))).toContain("neither explain nor reset");

    const forgotten = await say("forget");
    expect(forgotten.to).toBe("asker");
    expect(textOf(forgotten)).toContain("1 saved paper and 1 word on papers");
    expect(forgotten.message.intro.at(-1)).toBe(
      "That you set channels up or subscribed them stays with those channels.",
    );
    expect((await say("forget")).message.title).toBe("There was nothing to delete.");

    const reset = await say("profile reset");
    expect(reset.to).toBe("channel");
    expect(textOf(reset)).toContain("1 word on papers was taken back");
    expect((await say("profile reset")).message.title).toBe("There was nothing to take back.");
  });
});
