import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { ChannelKey } from "../../../src/core/channel.ts";
import { runText } from "../../../src/core/commands.ts";
import { createSender, type Sender, type SenderEvent } from "../../../src/core/sender.ts";
import { createAsker, createDesk, NOW, type TestDesk } from "../../contracts/desk.ts";
import type { SlackFault } from "../../peers/slack.ts";
import { createWorld, type World, type WorldOptions } from "./world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = "2026-04-22";

let library: TestDesk;
beforeAll(async () => {
  library = await createDesk({ days: 3 });
});
afterAll(() => library.close());

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

type Rig = World & {
  readonly sender: Sender;
  readonly sent: SenderEvent[];
  /** A channel with Paperboy in it whose digest is due now, set up by Ada. */
  due(): Promise<ChannelKey>;
  /** Enters what is due and sends it, time going by until nothing is owed or so many hours have passed. */
  run(hours?: number): Promise<void>;
  advance(ms: number): void;
  /** A sender of another process on the same store. */
  another(): Sender;
  outcomes(): Promise<readonly string[]>;
  status(key: ChannelKey): Promise<string>;
  audit(): Promise<Awaited<ReturnType<TestDesk["ledger"]["audit"]>>>;
};

/** The real sender, ledger and bot before a local Slack, on a clock that only they and the test move. */
async function setUp(options: WorldOptions = {}): Promise<Rig> {
  const world = await createWorld({ library, isTimeless: true, ...options });
  open.push(world.close);
  const { desk, bot, slack, team, ada } = world;
  const sent: SenderEvent[] = [];
  const another = () =>
    createSender({
      store: desk.store,
      index: desk.index,
      channels: desk.channels,
      ledger: desk.ledger,
      bots: new Map([["slack", bot]]),
      clock: desk.clock,
      random: () => 0.5,
      // Nothing but an abort ends it: time goes by in `run`.
      wait: (_ms, signal) =>
        new Promise((resolve) => {
          if (signal.aborted) resolve();
          signal.addEventListener("abort", () => resolve());
        }),
      breathe: () => new Promise((resolve) => setImmediate(resolve)),
      owner: randomUUID(),
      report: (event) => sent.push(event),
      freshness: () => ({ state: "settled", detail: "" }),
    });
  const sender = another();
  const all: ChannelKey[] = [];
  const advance = (ms: number) => desk.setNow(new Date(desk.clock().getTime() + ms).toISOString());
  return {
    ...world,
    sender,
    sent,
    another,
    advance,
    async due() {
      const { id } = slack.addChannel(team, { members: [ada] });
      if (slack.installation(team) !== null) await slack.invite(id);
      const key = { platform: "slack", workspace: team, channel: id } as const;
      all.push(key);
      await makeDue(desk, key, ada);
      return key;
    },
    async run(hours = 48) {
      const until = desk.clock().getTime() + hours * HOUR;
      await sender.tick();
      for (;;) {
        await sender.deliver();
        const next = await desk.ledger.nextAttemptAt(["slack"]);
        if (next === null || Date.parse(next) > until) return;
        if (Date.parse(next) > desk.clock().getTime()) desk.setNow(next);
      }
    },
    async outcomes() {
      const histories = await Promise.all(all.map((key) => desk.ledger.history(key, 20)));
      return histories.flat().flatMap(({ kind, outcome }) => (kind === "digest" ? [outcome] : []));
    },
    async status(key) {
      const { message } = await runText(desk, createAsker({ where: key, person: ada }), "status");
      return [message.title, ...message.intro].join("\n");
    },
    audit: () => desk.ledger.audit(new Date(Date.parse(NOW) + 48 * HOUR).toISOString()),
  };
}

/** Subscribes a channel to the top list, whose digest of today is due now. */
async function makeDue(desk: TestDesk, key: ChannelKey, person: string): Promise<void> {
  await runText(desk, createAsker({ where: key, person }), "subscribe");
  await desk.channels.change(key, (state) => ({
    ...state!,
    channel: { ...state!.channel, next: { at: desk.clock().toISOString(), slot: DAY } },
  }));
}

/** An event is acknowledged before it is acted on. */
async function departedAre({ desk }: World, workspaces: readonly string[]): Promise<void> {
  await vi.waitFor(async () => expect(await desk.channels.departed("slack")).toEqual(workspaces));
}

const postsOf = (rig: World) => rig.slack.requests.filter(({ method }) => method === "chat.postMessage");
const refusals = (rig: World) => rig.events.flatMap((each) => (each.kind === "refused" ? [each.detail] : []));

describe("a digest on Slack", () => {
  test("stands once, as it should look, with nothing unfurled, and its page opens for the asker alone", async () => {
    const rig = await setUp();
    const key = await rig.due();
    await rig.run(1);
    const [message] = rig.slack.messages(key.channel);
    expect(rig.slack.messages(key.channel)).toHaveLength(1);
    expect(await rig.outcomes()).toEqual(["sent"]);
    expect(rig.slack.read(message!)).toContain("Daily Papers · Wednesday 22 April");
    expect(postsOf(rig)[0]!.args).toMatchObject({ unfurl_links: "false", unfurl_media: "false" });
    const next = /Next page · \d+ more/.exec(rig.slack.read(message!))![0];
    const seen = await (await rig.slack.press(rig.ada, message!, next)).answered();
    expect([seen.messages.length, seen.ephemerals.length]).toEqual([0, 1]);
  });

  test("keeps within Slack's pace: a message a second in a channel, 300 a minute in a workspace", async () => {
    const rig = await setUp({ limits: { channelPerSecond: 1, channelBurst: 1, workspacePerMinute: 300 } });
    const keys: ChannelKey[] = [];
    for (let index = 0; index < 40; index++) keys.push(await rig.due());
    await rig.run(1);
    expect(rig.slack.posts.filter(({ isAccepted }) => !isAccepted)).toEqual([]);
    for (const { channel } of keys) expect(rig.slack.messages(channel)).toHaveLength(1);
    expect(await rig.audit()).toMatchObject({ lost: 0, doubled: 0, uncertain: 0 });
  });
});

describe("what Slack says when it does not post", () => {
  test.each<[string, SlackFault["how"]]>([
    ["429", { retryAfterSeconds: 30 }],
    ["ratelimited", { error: "ratelimited" }],
  ])("%s: waited out, in that channel alone", async (_name, how) => {
    const rig = await setUp();
    const keys = [await rig.due(), await rig.due(), await rig.due()];
    rig.slack.fail({ method: "chat.postMessage", how });
    await rig.run(1);
    const instants = keys.map(
      ({ channel }) => Number(rig.slack.messages(channel)[0]!.ts) - Date.parse(NOW) / 1000,
    );
    expect(instants.filter((at) => at >= 30)).toHaveLength(1);
    expect(instants.filter((at) => at < 5)).toHaveLength(2);
    expect(await rig.outcomes()).toEqual(["sent", "sent", "sent"]);
    expect(postsOf(rig)).toHaveLength(4);
  });

  test.each([
    ["not_in_channel", "/invite @Paperboy, then /papers resume"],
    ["channel_not_found", "it is private or gone"],
    ["is_archived", "unarchive it, then /papers resume"],
    ["restricted_action", "An admin restricts who may post"],
    ["restricted_action_read_only_channel", "read-only"],
    ["restricted_action_non_threadable_channel", "An admin restricts who may post"],
    ["missing_scope", "lacks a permission"],
  ])(
    "%s: the channel pauses, and who set it up is told in a direct message which one it is",
    async (error, fix) => {
      const rig = await setUp();
      const key = await rig.due();
      const needed =
        error === "missing_scope" ? { needed: "chat:write.customize", provided: "commands" } : {};
      rig.slack.fail({ method: "chat.postMessage", how: { error, ...needed } });
      await rig.run();
      expect(await rig.outcomes()).toEqual(["rejected"]);
      expect(rig.slack.messages(key.channel)).toEqual([]);
      const [told] = rig.slack.messages(rig.slack.directMessages(rig.ada).id);
      expect(rig.slack.read(told!)).toContain(fix);
      expect(rig.slack.read(told!)).toContain(`<#${key.channel}>`);
      expect(told!.text).toContain(`<#${key.channel}>`);
      expect((await rig.desk.channels.channel(key))?.paused).toMatchObject({
        reason: expect.stringContaining(fix),
      });
      expect(postsOf(rig)).toHaveLength(2);
      if (error === "missing_scope") {
        expect(refusals(rig)).toEqual([
          expect.stringMatching(/lacks chat:write\.customize in workspace \w+ and has commands/),
        ]);
      }
    },
  );

  test.each(["invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long", "no_text"])(
    "%s: once more without pictures, then as plain text, and the log hears of it",
    async (error) => {
      for (const times of [1, 2]) {
        const rig = await setUp();
        const key = await rig.due();
        rig.slack.fail({ method: "chat.postMessage", times, how: { error } });
        await rig.run(1);
        const [message] = rig.slack.messages(key.channel);
        const pictures = JSON.stringify(message!.blocks).includes("image_url");
        expect([pictures, message!.blocks.length > 0]).toEqual([false, times === 1]);
        expect(rig.slack.read(message!)).toContain("Daily Papers");
        expect(rig.events.filter(({ kind }) => kind === "unexpected")).toHaveLength(times);
        expect(await rig.outcomes()).toEqual(["sent"]);
      }
    },
  );

  test.each(["org_login_required", "team_access_not_granted", "ekm_access_denied"])(
    "%s: asked again every two hours, then the channel pauses",
    async (error) => {
      const rig = await setUp();
      await rig.due();
      rig.slack.fail({ method: "chat.postMessage", times: 100, how: { error } });
      await rig.run();
      const at = rig.slack.requests
        .filter(({ method }) => method === "chat.postMessage")
        .map((each) => each.at);
      const hours = at.map((each) => Math.round((each - Date.parse(NOW)) / HOUR));
      expect(hours.slice(0, 4)).toEqual([0, 2, 4, 6]);
      expect(await rig.outcomes()).toEqual(["rejected"]);
    },
  );

  test("an error that is in no table is a definite failure: tried again, and not for ever", async () => {
    const rig = await setUp();
    const key = await rig.due();
    rig.slack.fail({ method: "chat.postMessage", times: 3, how: { error: "brand_new_error" } });
    await rig.run(1);
    expect(rig.slack.messages(key.channel)).toHaveLength(1);
    expect(await rig.outcomes()).toEqual(["sent"]);
    await rig.due();
    rig.slack.fail({ method: "chat.postMessage", times: 1000, how: { error: "brand_new_error" } });
    await rig.run();
    expect(await rig.outcomes()).toEqual(["sent", "failed"]);
  });

  test("what a proxy turns away and what never arrives is no uncertain post", async () => {
    const rig = await setUp();
    const key = await rig.due();
    rig.slack.fail({ method: "chat.postMessage", how: { status: 403 } });
    await rig.run(1);
    expect(rig.slack.messages(key.channel)).toHaveLength(1);
    const other = await rig.due();
    await rig.slack.close();
    await rig.sender.tick();
    await rig.sender.deliver();
    expect(await rig.status(other)).toContain("Slack cannot be reached");
    expect(await rig.audit()).toMatchObject({ uncertain: 0 });
  });
});

describe("after a post of which nobody knows whether it was made", () => {
  const before: readonly SlackFault["how"][] = [
    { status: 500 },
    { status: 503 },
    { reset: "before" },
    { hang: "before" },
    { error: "internal_error" },
    { error: "fatal_error" },
    { error: "service_unavailable" },
    { error: "request_timeout" },
  ];
  const after: readonly SlackFault["how"][] = [
    { status: 500, after: true },
    { reset: "after" },
    { hang: "after" },
  ];
  const all = [...before.map((how) => [how, 0] as const), ...after.map((how) => [how, 1] as const)];

  test.each(all)("resend-once (%o): one more, and what may stand twice is counted", async (how, stood) => {
    const rig = await setUp({ uncertain: "resend-once", timeoutMs: 300 });
    const key = await rig.due();
    rig.slack.fail({ method: "chat.postMessage", how });
    await rig.run(1);
    expect(rig.slack.messages(key.channel)).toHaveLength(1 + stood);
    expect(await rig.outcomes()).toEqual(["uncertain"]);
    expect(await rig.audit()).toMatchObject({ deliveries: 1, lost: 0, doubled: 0, uncertain: 1 });
    expect(await rig.status(key)).toContain("sent, perhaps twice");
  });

  test.each(all)("skip (%o): none more, and what may be missing is counted", async (how, stood) => {
    const rig = await setUp({ uncertain: "skip", timeoutMs: 300 });
    const key = await rig.due();
    rig.slack.fail({ method: "chat.postMessage", how });
    await rig.run(1);
    expect(rig.slack.messages(key.channel)).toHaveLength(stood);
    expect(await rig.outcomes()).toEqual(["uncertain"]);
    expect(await rig.audit()).toMatchObject({ deliveries: 1, lost: 0, doubled: 0, uncertain: 1 });
    expect(await rig.status(key)).toContain("perhaps sent, since the chat did not answer");
  });

  const reading = ["commands", "chat:write", "channels:history"];

  test.each(all)("probe (%o): looked for, so that it stands once and nothing is uncertain", async (how) => {
    const rig = await setUp({ uncertain: "probe", timeoutMs: 300, scopes: reading });
    const key = await rig.due();
    rig.slack.fail({ method: "chat.postMessage", how });
    await rig.run(1);
    expect(rig.slack.messages(key.channel)).toHaveLength(1);
    expect(await rig.outcomes()).toEqual(["sent"]);
    expect(await rig.audit()).toMatchObject({ deliveries: 1, lost: 0, doubled: 0, uncertain: 0 });
  });

  test("probe looks past what others wrote since, and only where something is in doubt", async () => {
    const rig = await setUp({
      uncertain: "probe",
      scopes: reading,
      limits: { channelPerSecond: 1000, channelBurst: 1000, workspacePerMinute: 10_000, tiers: LOOSE },
    });
    const [key, other] = [await rig.due(), await rig.due()];
    rig.slack.fail({ method: "chat.postMessage", how: { status: 500, after: true } });
    rig.slack.fail({ method: "conversations.history", how: { status: 502 } });
    await rig.sender.tick();
    await rig.sender.deliver();
    for (let index = 0; index < 150; index++) {
      for (const { channel } of [key, other])
        await rig.slack.postLink(rig.ada, channel, `chatter ${index}`, []);
    }
    await rig.run(1);
    const own = (channel: string) => rig.slack.messages(channel).filter(({ botId }) => botId !== null).length;
    expect([own(key.channel), own(other.channel)]).toEqual([1, 1]);
    expect(await rig.outcomes()).toEqual(["sent", "sent"]);
    const looks = rig.slack.requests.filter(({ method }) => method === "conversations.history");
    expect(new Set(looks.map(({ args }) => args["channel"])).size).toBe(1);
    expect(looks.length).toBeGreaterThan(2);
  });

  test.each([
    ["the scope is lacking", { scopes: ["commands", "chat:write"] }],
    [
      "Paperboy is no member",
      { scopes: ["commands", "chat:write", "chat:write.public", "channels:history"] },
    ],
  ] as const)("probe sends once more and counts it where %s", async (why, { scopes }) => {
    for (const twice of [false, true]) {
      const rig = await setUp({ uncertain: "probe", scopes });
      const key = await rig.due();
      if (why === "Paperboy is no member") await rig.slack.kick(key.channel);
      rig.slack.fail({
        method: "chat.postMessage",
        times: twice ? 2 : 1,
        how: { status: 500, after: true },
      });
      await rig.run(1);
      expect(rig.slack.messages(key.channel)).toHaveLength(2);
      expect(await rig.outcomes()).toEqual(["uncertain"]);
      expect(await rig.audit()).toMatchObject({ lost: 0, uncertain: 1 });
      expect((await rig.desk.channels.channel(key))?.paused).toBeNull();
    }
  });

  test("probe obeys the limit of reading histories, one a minute", async () => {
    const rig = await setUp({
      uncertain: "probe",
      scopes: reading,
      limits: { channelPerSecond: 1000, channelBurst: 1000, workspacePerMinute: 10_000, historyPerMinute: 1 },
    });
    const keys = [await rig.due(), await rig.due(), await rig.due()];
    rig.slack.fail({ method: "chat.postMessage", times: 3, how: { status: 500, after: true } });
    await rig.run(1);
    for (const { channel } of keys) expect(rig.slack.messages(channel)).toHaveLength(1);
    expect(await rig.outcomes()).toEqual(["sent", "sent", "sent"]);
  });

  test.each([
    ["resend-once", 2, "uncertain"],
    ["skip", 1, "uncertain"],
    ["probe", 1, "sent"],
  ] as const)("a process that died after Slack took it, by %s", async (uncertain, messages, outcome) => {
    const rig = await setUp({ uncertain, scopes: reading });
    const key = await rig.due();
    rig.slack.fail({ method: "chat.postMessage", how: { hang: "after" } });
    await rig.sender.tick();
    // Its answer never comes: the next process finds the lease over.
    rig.sender.deliver().catch(() => {});
    await rig.slack.until(() => rig.slack.messages(key.channel).length === 1);
    rig.advance(2 * MINUTE);
    const next = rig.another();
    for (let turn = 0; turn < 3; turn++) {
      await next.deliver();
      rig.advance(MINUTE);
    }
    expect(rig.slack.messages(key.channel)).toHaveLength(messages);
    expect(await rig.outcomes()).toEqual([outcome]);
  });

  test("a doubt that could not be looked into at once is not forgotten", async () => {
    const rig = await setUp({ uncertain: "probe", scopes: reading });
    const key = await rig.due();
    rig.slack.fail({ method: "chat.postMessage", how: { hang: "after" } });
    await rig.sender.tick();
    rig.sender.deliver().catch(() => {});
    await rig.slack.until(() => rig.slack.messages(key.channel).length === 1);
    rig.advance(2 * MINUTE);
    rig.slack.fail({ method: "conversations.history", times: 2, how: { status: 502 } });
    const next = rig.another();
    for (let turn = 0; turn < 4; turn++) {
      await next.deliver();
      rig.advance(MINUTE);
    }
    expect(rig.slack.messages(key.channel)).toHaveLength(1);
    expect(await rig.outcomes()).toEqual(["sent"]);
  });

  test("what may stand is uncertain, however definitely the later attempts failed", async () => {
    const rig = await setUp();
    const key = await rig.due();
    rig.slack.fail({ method: "chat.postMessage", how: { status: 500, after: true } });
    rig.slack.fail({ method: "chat.postMessage", times: 1000, how: { error: "brand_new_error" } });
    await rig.run();
    expect(rig.slack.messages(key.channel)).toHaveLength(1);
    expect(await rig.outcomes()).toEqual(["uncertain"]);
  });

  test("whatever befalls the posts, each promise of delivery is kept", async () => {
    const how = fc.constantFrom<SlackFault["how"]>(
      { status: 500 },
      { status: 500, after: true },
      { reset: "before" },
      { reset: "after" },
      { retryAfterSeconds: 2 },
      { error: "internal_error" },
      { error: "brand_new_error" },
      { status: 404 },
    );
    const faults = fc.array(fc.record({ how, times: fc.integer({ min: 1, max: 3 }) }), { maxLength: 6 });
    const policy = fc.constantFrom("resend-once" as const, "skip" as const, "probe" as const);
    await fc.assert(
      fc.asyncProperty(policy, faults, async (uncertain, armed) => {
        const rig = await setUp({ uncertain, scopes: reading });
        const keys: ChannelKey[] = [];
        for (let index = 0; index < 4; index++) keys.push(await rig.due());
        for (const fault of armed) rig.slack.fail({ method: "chat.postMessage", ...fault });
        await rig.run();
        const counts = keys.map(({ channel }) => rig.slack.messages(channel).length);
        const audit = await rig.audit();
        expect(audit).toMatchObject({ deliveries: 4, lost: 0, doubled: 0 });
        const missing = counts.filter((each) => each === 0).length;
        const extra = counts.reduce((sum, each) => sum + Math.max(0, each - 1), 0);
        if (uncertain === "probe") expect([missing, extra, audit.uncertain]).toEqual([0, 0, 0]);
        if (uncertain === "skip") expect([extra, missing <= audit.uncertain]).toEqual([0, true]);
        if (uncertain === "resend-once") {
          expect(Math.max(...counts)).toBeLessThanOrEqual(2);
          expect(missing + extra).toBeLessThanOrEqual(audit.uncertain);
        }
        for (const close of open.splice(0)) await close();
      }),
      { numRuns: 15 },
    );
  });
});

const LOOSE = { "1": 1000, "2": 1000, "3": 1000, "4": 1000, "auth.test": 1000, none: 1000 };

describe("an installation that ends", () => {
  test.each(["account_inactive", "token_revoked", "invalid_auth", "not_authed", "token_expired"])(
    "%s: the workspace is left, said once however many channels it has, and goes on when it is let in again",
    async (error) => {
      const rig = await setUp();
      const keys = [await rig.due(), await rig.due(), await rig.due()];
      rig.slack.fail({ method: /^chat\.postMessage$|^auth\.test$/, times: 1000, how: { error } });
      await rig.sender.tick();
      await rig.sender.deliver();
      expect(refusals(rig)).toEqual([expect.stringMatching(new RegExp(`no longer takes .*${error}`))]);
      expect(await rig.desk.channels.departed("slack")).toEqual([rig.team]);
      rig.advance(5 * HOUR);
      const posts = postsOf(rig).length;
      await rig.sender.deliver();
      expect(postsOf(rig)).toHaveLength(posts);
      rig.slack.heal();
      await (await rig.slack.command(rig.ada, rig.channel, "/papers", "help")).answered();
      await rig.run();
      for (const { channel } of keys) expect(rig.slack.messages(channel)).toHaveLength(1);
      expect(await rig.audit()).toMatchObject({ lost: 0, doubled: 0, uncertain: 0 });
    },
  );

  test("a token that Slack refused for once costs a retry, and no workspace", async () => {
    const rig = await setUp();
    const key = await rig.due();
    rig.slack.fail({ method: "chat.postMessage", how: { error: "invalid_auth" } });
    await rig.run(1);
    expect(rig.slack.messages(key.channel)).toHaveLength(1);
    expect(await rig.desk.channels.departed("slack")).toEqual([]);
    expect(refusals(rig)).toEqual([]);
  });

  test.each([false, true])(
    "removed and installed again (tokens_revoked first: %s), all that is kept goes on",
    async (tokensFirst) => {
      const rig = await setUp({ isForMany: true, over: "http" });
      await rig.slack.installFrom(rig.installUrl!, rig.ada);
      const key = await rig.due();
      rig.advance(2000);
      await rig.slack.uninstall(rig.team, { tokensFirst });
      await departedAre(rig, [rig.team]);
      expect(await rig.db.selectFrom("installations").selectAll().execute()).toEqual([]);
      await rig.run(3);
      expect(rig.slack.messages(key.channel)).toEqual([]);
      rig.advance(2000);
      await rig.slack.installFrom(rig.installUrl!, rig.ada);
      await rig.slack.invite(key.channel);
      expect(await rig.desk.channels.departed("slack")).toEqual([]);
      await rig.run(24);
      expect(rig.slack.messages(key.channel)).toHaveLength(1);
      expect((await rig.desk.channels.subscriptions(key)).map(({ number }) => number)).toEqual([1]);
    },
  );

  test("word of the removal that comes late or twice harms no new installation", async () => {
    const rig = await setUp({ isForMany: true, over: "http" });
    await rig.slack.installFrom(rig.installUrl!, rig.ada);
    rig.advance(2000);
    const events = await rig.slack.uninstall(rig.team);
    await departedAre(rig, [rig.team]);
    rig.advance(5000);
    await rig.slack.installFrom(rig.installUrl!, rig.ada);
    for (const { eventId } of events) await rig.slack.resend(eventId);
    expect(await rig.desk.channels.departed("slack")).toEqual([]);
    const seen = await rig.slack.command(rig.ada, rig.channel, "/papers", "help");
    expect((await seen.answered()).text).toContain("/papers search");
  });

  test("an organization's installation serves its workspaces, and brings them back", async () => {
    const rig = await setUp({ isForMany: true, over: "http" });
    const enterprise = { id: "E0LAB", name: "Lab" };
    const teams = [1, 2].map((number) => rig.slack.addTeam({ name: `Lab ${number}`, enterprise }).id);
    const people = teams.map((team) => rig.slack.addUser(team, { name: "bo" }).id);
    await rig.slack.installFrom(rig.installUrl!, people[0]!, { forOrganization: true });
    const channels = teams.map((team, index) => rig.slack.addChannel(team, { members: [people[index]!] }).id);
    for (const channel of channels) await rig.slack.invite(channel);
    for (const [index, channel] of channels.entries()) {
      await (await rig.slack.command(people[index]!, channel, "/papers", "help")).answered();
      const key = { platform: "slack", workspace: teams[index]!, channel } as const;
      await makeDue(rig.desk, key, people[index]!);
    }
    rig.advance(2000);
    await rig.slack.uninstall(enterprise.id);
    await departedAre(rig, teams.toSorted());
    rig.advance(2000);
    await rig.slack.installFrom(rig.installUrl!, people[0]!, { forOrganization: true });
    expect(await rig.desk.channels.departed("slack")).toEqual([]);
    for (const channel of channels) await rig.slack.invite(channel);
    await rig.run(24);
    for (const channel of channels) expect(rig.slack.messages(channel)).toHaveLength(1);
  });
});
