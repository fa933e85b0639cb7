import { createServer } from "node:http";
import {
  App,
  HTTPReceiver,
  SocketModeReceiver,
  type Installation,
  type InstallationQuery,
  webApi,
} from "@slack/bolt";
import { afterEach, describe, expect, it } from "vitest";
import { mostWithin } from "./slack-pace.ts";
import { startSlack, type SlackOptions, type SlackPeer } from "./slack.ts";

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const SCOPES = ["commands", "chat:write"];

/** A local Slack with one workspace: Ada and Noor in #papers with the bot. */
async function world(options: SlackOptions & { readonly scopes?: readonly string[] } = {}) {
  const { scopes = SCOPES, ...slackOptions } = options;
  const slack = await startSlack({ timing: { retryDelaysMs: [0, 5, 10] }, ...slackOptions });
  closers.push(slack.close);
  const team = slack.addTeam({ domain: "north-lab", name: "North Lab" });
  const ada = slack.addUser(team.id, { name: "ada", tz: "America/New_York" });
  const noor = slack.addUser(team.id, { name: "noor" });
  const channel = slack.addChannel(team.id, { name: "papers", members: [ada.id, noor.id] });
  const installation = slack.install({ team: team.id }, { scopes, by: ada.id });
  await slack.invite(channel.id);
  const client = clientOf(slack, installation.token);
  return { slack, team, ada, noor, channel, installation, client };
}

function clientOf(slack: SlackPeer, token: string | undefined): webApi.WebClient {
  return new webApi.WebClient(token, {
    slackApiUrl: slack.apiUrl,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    logger: SILENT,
  });
}

const SILENT = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  setLevel() {},
  getLevel: () => "error" as never,
  setName() {},
};

/** An app on unmodified Bolt, connected to the local Slack. */
async function startApp(
  slack: SlackPeer,
  over: "socket" | "http",
  register: (app: App) => void,
  /** How long Bolt waits for a pong, and before it connects anew. */
  clientPingTimeout = 5000,
) {
  const authorize = async ({ teamId, enterpriseId }: InstallationQuery<boolean> | Source) => {
    const found = slack.installation(teamId ?? "") ?? slack.installation(enterpriseId ?? "");
    if (found === null) throw new Error("not installed");
    return { botToken: found.token, botId: found.botId, botUserId: found.botUser };
  };
  const receiver =
    over === "http"
      ? new HTTPReceiver({ signingSecret: slack.signingSecret, logger: SILENT })
      : new SocketModeReceiver({
          appToken: slack.appToken,
          logger: SILENT,
          clientPingTimeout,
          installerOptions: { clientOptions: { slackApiUrl: slack.apiUrl } },
        });
  const app = new App({
    receiver,
    authorize,
    logger: SILENT,
    clientOptions: { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 } },
  });
  app.error(async () => {});
  register(app);
  if (receiver instanceof HTTPReceiver) {
    const url = urlOf(await receiver.start({ port: 0, host: "127.0.0.1" }));
    slack.deliverTo(`${url}/slack/events`);
    closers.push(() => app.stop());
    return url;
  }
  await receiver.start();
  await slack.until(() => slack.connections() > 0);
  closers.push(() => app.stop());
  return "";
}

function urlOf(server: { address(): unknown }): string {
  const { port } = server.address() as { port: number };
  return `http://127.0.0.1:${port}`;
}

type Source = { readonly teamId?: string | undefined; readonly enterpriseId?: string | undefined };

const mrkdwn = (text: string) => ({ type: "mrkdwn" as const, text });
const plain = (text: string) => ({ type: "plain_text" as const, text });
const section = (text: string) => ({ type: "section" as const, text: mrkdwn(text) });
const button = (label: string, actionId: string, value = "1") => ({
  type: "button" as const,
  text: plain(label),
  action_id: actionId,
  value,
});
const modal = {
  type: "modal" as const,
  callback_id: "settings",
  title: plain("Settings"),
  submit: plain("Save"),
  blocks: [
    {
      type: "input" as const,
      block_id: "topic",
      label: plain("Topic"),
      element: { type: "plain_text_input" as const, action_id: "words" },
    },
    {
      type: "input" as const,
      block_id: "paper",
      optional: true,
      label: plain("Paper"),
      element: { type: "external_select" as const, action_id: "pick", min_query_length: 2 },
    },
  ],
};

async function errorOf(call: Promise<unknown>): Promise<Record<string, unknown>> {
  try {
    await call;
  } catch (error) {
    const { data, code, retryAfter, statusCode } = error as Record<string, unknown>;
    return (data as Record<string, unknown>) ?? { code, retryAfter, statusCode };
  }
  throw new Error("the call went well");
}

describe.each(["socket", "http"] as const)("an unmodified Bolt app over %s", (over) => {
  it("acknowledges a command, answers in private over its response_url and in the channel by the API", async () => {
    const { slack, ada, noor, channel } = await world();
    await startApp(slack, over, (app) =>
      app.command("/papers", async ({ ack, command, respond, say }) => {
        await ack();
        await respond({ text: `You asked for ${command.text} in ${command.channel_name}` });
        await say(`${command.user_name} subscribed`);
      }),
    );
    const seen = await slack.command(ada.id, channel.id, "/papers", "subscribe agents");
    expect(seen).toMatchObject({ ack: null, error: null });
    expect(seen.acknowledgedAfterMs).toBeLessThan(3000);
    await seen.until(({ messages, ephemerals }) => messages.length === 1 && ephemerals.length === 1);
    expect(seen.text).toBe("ada subscribed\nYou asked for subscribe agents in papers");
    expect(seen.responses.map(({ status }) => status)).toEqual([200]);
    expect(slack.messages(channel.id).map(({ text }) => text)).toEqual(["ada subscribed"]);
    expect(slack.ephemerals(noor.id)).toEqual([]);
  });

  it("answers with its acknowledgement, in words or in a message for all", async () => {
    const { slack, ada, channel } = await world();
    await startApp(slack, over, (app) =>
      app.command("/papers", async ({ ack, command }) => {
        if (command.text === "broken") await ack({ blocks: [{ type: "header", text: plain("") }] });
        else if (command.text === "all") await ack({ response_type: "in_channel", text: "For all" });
        else await ack("Only you see this");
      }),
    );
    expect((await slack.command(ada.id, channel.id, "/papers")).ephemerals).toHaveLength(1);
    await slack.command(ada.id, channel.id, "/papers", "all");
    expect(slack.messages(channel.id).map(({ text, via }) => [text, via])).toEqual([["For all", "ack"]]);
    expect((await slack.command(ada.id, channel.id, "/papers", "broken")).error).toContain("invalid_blocks");
  });

  it("hears buttons and menus, and replaces, adds to and deletes their message without being in the channel", async () => {
    const { slack, ada, channel, client } = await world();
    await startApp(slack, over, (app) => {
      app.action("v1:undo", async ({ ack, respond, body, action }) => {
        await ack();
        const value = "value" in action ? action.value : "";
        const ts = "message" in body ? body.message?.ts : "";
        await respond({ replace_original: true, text: `Undone ${value} of ${ts}` });
      });
      app.action("v1:open", async ({ ack, respond, action }) => {
        await ack();
        const chosen = "selected_option" in action ? (action.selected_option?.value ?? "") : "";
        await respond({ replace_original: false, text: `Opened ${chosen}` });
      });
      app.action("v1:gone", async ({ ack, respond }) => {
        await ack();
        await respond({ delete_original: true });
      });
    });
    const { ts = "" } = await client.chat.postMessage({
      channel: channel.id,
      text: "Digest",
      blocks: [
        section("Digest"),
        {
          type: "actions",
          elements: [
            {
              type: "static_select",
              action_id: "v1:open",
              options: [{ text: plain("1 AgentSPEX"), value: "2504.1" }],
            },
            button("Undo", "v1:undo", "7"),
          ],
        },
      ],
    });
    await slack.kick(channel.id);
    const [message] = slack.messages(channel.id);
    const opened = await slack.choose(ada.id, message!, "v1:open", "2504.1");
    await opened.answered();
    expect(opened.ephemerals.map(({ text }) => text)).toEqual(["Opened 2504.1"]);
    const undone = await slack.press(ada.id, message!, "Undo");
    await undone.answered();
    expect(slack.messages(channel.id).map(({ text }) => text)).toEqual([`Undone 7 of ${ts}`]);
    expect(slack.messages(channel.id)[0]?.blocks).toEqual([]);
    await slack.invite(channel.id);
    const blocks = [{ type: "actions" as const, elements: [button("Go away", "v1:gone")] }];
    const gone = await client.chat.postMessage({ channel: channel.id, text: "More", blocks });
    const last = slack.messages(channel.id).find((each) => each.ts === gone.ts)!;
    await (await slack.press(ada.id, last, "v1:gone")).until(({ responses }) => responses.length === 1);
    expect(slack.messages(channel.id)).toHaveLength(1);
    await expect(slack.press(ada.id, last, "v1:gone")).rejects.toThrow("is deleted");
  });

  it("opens a modal, offers options, refuses an answer, takes a submission and shows another view", async () => {
    const { slack, ada, channel } = await world();
    await startApp(slack, over, (app) => {
      app.command("/papers", async ({ ack, client, body }) => {
        await ack();
        await client.views.open({ trigger_id: body.trigger_id, view: modal });
      });
      app.options("pick", async ({ ack, options }) => {
        await ack({ options: [{ text: plain(`${options.value}!`), value: options.value }] });
      });
      app.view("settings", async ({ ack, view }) => {
        const words = view.state.values["topic"]?.["words"]?.value ?? "";
        const picked = view.state.values["paper"]?.["pick"]?.selected_option?.value ?? "none";
        if (words === "bad") await ack({ response_action: "errors", errors: { topic: "Not a topic" } });
        else if (words === "next")
          await ack({ response_action: "push", view: { ...modal, title: plain(picked) } });
        else await ack();
      });
    });
    const seen = await slack.command(ada.id, channel.id, "/papers");
    await seen.until(({ views }) => views.length === 1);
    const view = slack.openView(ada.id)!;
    expect(seen.text).toContain("Settings");
    expect((await slack.suggest(ada.id, view, "pick", "agent")).options).toEqual([
      { text: plain("agent!"), value: "agent" },
    ]);
    await slack.choose(ada.id, view, "pick", "agent").catch(() => {});
    await expect(slack.submit(ada.id, view)).rejects.toThrow("it is not optional");
    const refused = await slack.submit(ada.id, view, { words: "bad" });
    expect(refused.ack).toEqual({ response_action: "errors", errors: { topic: "Not a topic" } });
    expect(refused.error).toBeNull();
    expect(slack.openView(ada.id)?.id).toBe(view.id);
    const pushed = await slack.submit(ada.id, view, { words: "next", pick: "agent" });
    expect(pushed.views.map(({ body, previousId }) => [body["title"], previousId])).toEqual([
      [plain("agent"), view.id],
    ]);
    await slack.submit(ada.id, slack.openView(ada.id)!, { words: "fine" });
    expect(slack.openView(ada.id)?.id).toBe(view.id);
  });

  it("hears every kind of menu, and what was closed, updated or cleared in a modal", async () => {
    const { slack, ada, channel, client } = await world();
    const heard: unknown[] = [];
    const asked = { ...modal, blocks: modal.blocks.slice(0, 1), notify_on_close: true };
    await startApp(slack, over, (app) => {
      app.action(/.*/, async ({ ack, action, body, client: own }) => {
        await ack();
        const { type, selected_option: one, selected_options: many, selected_time: time } = Object(action);
        heard.push([type, one?.value ?? many?.map(({ value }: { value: string }) => value) ?? time]);
        if (type === "overflow" && "trigger_id" in body)
          await own.views.open({ trigger_id: body.trigger_id, view: asked });
      });
      app.view("settings", async ({ ack, view }) => {
        if (view.state.values["topic"]?.["words"]?.value === "clear") await ack({ response_action: "clear" });
        else await ack({ response_action: "update", view: { ...asked, title: plain("Again") } });
      });
      app.view({ callback_id: "settings", type: "view_closed" }, async ({ ack }) => {
        await ack();
        heard.push("closed");
      });
    });
    const options = ["a", "b"].map((value) => ({ text: plain(value.toUpperCase()), value }));
    await client.chat.postMessage({
      channel: channel.id,
      text: "Menus",
      blocks: [
        {
          type: "actions",
          elements: [
            { type: "overflow", action_id: "more", options },
            { type: "checkboxes", action_id: "boxes", options },
            { type: "radio_buttons", action_id: "radio", options },
            { type: "timepicker", action_id: "time" },
          ],
        },
        { ...section("Many"), accessory: { type: "multi_static_select", action_id: "many", options } },
      ],
    });
    const [message] = slack.messages(channel.id);
    await slack.choose(ada.id, message!, "boxes", ["a", "b"]);
    await slack.choose(ada.id, message!, "radio", "B");
    await slack.choose(ada.id, message!, "time", "09:00");
    await slack.choose(ada.id, message!, "many", ["b"]);
    await (await slack.choose(ada.id, message!, "more", "a")).until(({ views }) => views.length === 1);
    expect(heard).toEqual([
      ["checkboxes", ["a", "b"]],
      ["radio_buttons", "b"],
      ["timepicker", "09:00"],
      ["multi_static_select", ["b"]],
      ["overflow", "a"],
    ]);
    await expect(slack.choose(ada.id, message!, "more", "z")).rejects.toThrow("no option z in more");
    const updated = await slack.submit(ada.id, slack.openView(ada.id)!, { words: "more" });
    expect(updated.text).toContain("Again");
    await slack.submit(ada.id, slack.openView(ada.id)!, { words: "clear" });
    expect(slack.openView(ada.id)).toBeNull();
    await (await slack.choose(ada.id, message!, "more", "b")).until(({ views }) => views.length === 1);
    await slack.dismiss(ada.id, slack.openView(ada.id)!);
    expect(heard.at(-1)).toBe("closed");
  });

  it("tells with each press all that a modal holds, and keeps what was typed through an update", async () => {
    const { slack, ada, channel } = await world();
    const heard: unknown[] = [];
    const typing = (words: string, blockId = "topic") => ({
      ...modal,
      blocks: [
        {
          ...modal.blocks[0]!,
          block_id: blockId,
          dispatch_action: true,
          element: { type: "plain_text_input" as const, action_id: "words", initial_value: words },
        },
        { type: "actions" as const, elements: [button("Look", "look")] },
      ],
    });
    await startApp(slack, over, (app) => {
      app.command("/papers", async ({ ack, client, body }) => {
        await ack();
        await client.views.open({ trigger_id: body.trigger_id, view: typing("agents") });
      });
      app.action(/.*/, async ({ ack, body }) => {
        await ack();
        heard.push("view" in body && body.view?.state.values);
      });
      app.view("settings", async ({ ack }) => {
        await ack({ response_action: "update", view: typing("other", heard.length > 2 ? "new" : "topic") });
      });
    });
    const seen = await slack.command(ada.id, channel.id, "/papers");
    await seen.until(({ views }) => views.length === 1);
    const look = () => slack.press(ada.id, slack.openView(ada.id)!, "look");
    await look();
    await slack.choose(ada.id, slack.openView(ada.id)!, "words", "robots");
    await slack.submit(ada.id, slack.openView(ada.id)!);
    await look();
    await slack.submit(ada.id, slack.openView(ada.id)!);
    await look();
    const holds = (value: string, blockId = "topic") => ({
      [blockId]: { words: { type: "plain_text_input", value } },
    });
    expect(heard).toEqual([holds("agents"), holds("robots"), holds("robots"), holds("other", "new")]);
  });

  it("publishes a home, runs a shortcut on a message and unfurls a link", async () => {
    const { slack, ada, channel } = await world({ scopes: [...SCOPES, "links:read", "links:write"] });
    await startApp(slack, over, (app) => {
      app.event("app_home_opened", async ({ event, client }) => {
        const actions = { type: "actions" as const, elements: [button("Pause", "v1:pause")] };
        const view = { type: "home" as const, blocks: [section(`Home of ${event.user}`), actions] };
        await client.views.publish({ user_id: event.user, view });
      });
      app.action("v1:pause", async ({ ack, body, client }) => {
        await ack();
        const hash = body.type === "block_actions" ? (body.view?.hash ?? "") : "";
        const view = { type: "home" as const, blocks: [section("Paused")] };
        await client.views.publish({ user_id: body.user.id, view, hash });
      });
      app.shortcut("similar", async ({ ack, shortcut, respond }) => {
        await ack();
        const text = "message" in shortcut ? shortcut.message.text : "";
        await respond(`Similar to ${text}`);
      });
      app.event("link_shared", async ({ event, client }) => {
        const unfurls = { [event.links[0]!.url]: { blocks: [section("AgentSPEX")] } };
        await client.chat.unfurl({ channel: event.channel, ts: event.message_ts, unfurls });
      });
    });
    const home = await slack.openHome(ada.id);
    await home.answered();
    expect(home.text).toBe(`Home of ${ada.id}\nPause`);
    await (await slack.press(ada.id, slack.home(ada.id)!, "Pause")).answered();
    expect(slack.read(slack.home(ada.id)!)).toBe("Paused");
    const url = "https://huggingface.co/papers/2504.06261";
    const seen = await slack.postLink(ada.id, channel.id, `See ${url}`, [url]);
    await seen.until(({ messages }) => messages[0]?.unfurls[url] !== undefined);
    const similar = await slack.shortcut(ada.id, seen.posted, "similar");
    await similar.answered();
    expect(similar.text).toBe(`Similar to See ${url}`);
  });

  it("unfurls a link that is typed and not yet sent, by its id", async () => {
    const { slack, ada } = await world({ scopes: [...SCOPES, "links:read", "links:write"] });
    const answers: unknown[] = [];
    await startApp(slack, over, (app) => {
      app.event("link_shared", async ({ event, client }) => {
        const unfurls = { [event.links[0]!.url]: { blocks: [section("AgentSPEX")] } };
        const { unfurl_id: id = "" } = event;
        for (const how of [
          { unfurl_id: id, source: "composer" as const },
          { unfurl_id: id, source: "conversations_history" as const },
          { unfurl_id: "other", source: "composer" as const },
          { channel: "C0", ts: event.message_ts },
        ]) {
          await client.chat.unfurl({ ...how, unfurls }).then(
            () => answers.push("ok"),
            (error: { data?: { error?: string } }) => answers.push(error.data?.error),
          );
        }
      });
    });
    await slack.typeLinks(ada.id, ["https://example.com", "https://huggingface.co/papers/2504.06261"]);
    await expect
      .poll(() => answers)
      .toEqual(["ok", "invalid_source", "invalid_unfurl_id", "cannot_find_channel"]);
  });

  it("gets an event again until it acknowledges it, with the same id", async () => {
    const { slack, team, ada } = await world();
    const heard: unknown[] = [];
    await startApp(slack, over, (app) =>
      app.event("app_home_opened", async ({ body, context }) => {
        heard.push([body.event_id, context.retryNum ?? 0]);
      }),
    );
    const sent = await slack.event(team.id, { type: "app_home_opened", user: ada.id, tab: "home" });
    const id = sent?.eventId ?? "";
    expect(sent).toMatchObject({ isAcknowledged: true, attempts: [{ error: null }] });
    await slack.resend(id);
    expect(heard).toEqual([
      [id, 0],
      [id, 1],
    ]);
  });

  it("fails the person where it does not acknowledge in time", async () => {
    const { slack, ada, channel } = await world({ timing: { ackMs: 30 } });
    await startApp(slack, over, (app) => app.command("/papers", async () => {}));
    const seen = await slack.command(ada.id, channel.id, "/papers");
    expect(seen).toMatchObject({ acknowledgedAfterMs: null, error: "operation_timeout" });
  });
});

describe("Socket Mode", () => {
  it("connects anew after Slack says goodbye and after the network breaks", async () => {
    const { slack, ada, channel } = await world();
    await startApp(slack, "socket", (app) => app.command("/papers", ({ ack }) => ack("Here")), 500);
    for (const breakOff of [() => slack.disconnect("refresh_requested"), slack.dropConnections]) {
      breakOff();
      await slack.until(() => slack.connections() === 0);
      expect((await slack.command(ada.id, channel.id, "/papers")).error).toBe("dispatch_failed");
      await slack.until(() => slack.connections() === 1);
      expect((await slack.command(ada.id, channel.id, "/papers")).text).toBe("Here");
    }
  });

  it("sends what a broken connection left unacknowledged over another one", async () => {
    const { slack, team, ada } = await world({ timing: { ackMs: 60_000, retryDelaysMs: [0] } });
    const heard: unknown[] = [];
    const url = await clientOf(slack, slack.appToken).apps.connections.open({});
    const mute = new WebSocket(url.url ?? "");
    await slack.until(() => slack.connections() === 1);
    const sending = slack.event(team.id, { type: "app_home_opened", user: ada.id, tab: "home" });
    await new Promise((resolve) =>
      mute.addEventListener("message", ({ data }) => {
        if (String(data).includes("events_api")) resolve(null);
      }),
    );
    await startApp(slack, "socket", (app) =>
      app.event("app_home_opened", async ({ context }) => void heard.push(context.retryNum)),
    );
    mute.close();
    expect((await sending)?.attempts.map(({ error }) => error)).toEqual(["operation_timeout", null]);
    expect(heard).toEqual([1]);
  });

  it("gives each socket address out once, ten at a time, to the app token alone", async () => {
    const { slack, client } = await world();
    expect(await errorOf(client.apps.connections.open({}))).toMatchObject({
      error: "not_allowed_token_type",
    });
    const body = new URLSearchParams({ token: slack.appToken });
    const inForm = await fetch(`${slack.apiUrl}apps.connections.open`, { method: "POST", body });
    expect(await inForm.json()).toEqual({ ok: false, error: "missing_args" });
    slack.setLimits({ tiers: { "1": 20, "2": 20, "3": 50, "4": 100, "auth.test": 600, none: 100 } });
    const newUrl = async () => (await clientOf(slack, slack.appToken).apps.connections.open({})).url ?? "";
    const url = await newUrl();
    const sockets = [new WebSocket(url)];
    await slack.until(() => slack.connections() === 1);
    const second = new WebSocket(url);
    await new Promise((resolve) => second.addEventListener("error", resolve));
    for (let more = 0; more < 9; more++) sockets.push(new WebSocket(await newUrl()));
    await slack.until(() => slack.connections() === 10);
    const eleventh = new WebSocket(await newUrl());
    const said = await new Promise((resolve) =>
      eleventh.addEventListener("message", ({ data }) => resolve(JSON.parse(String(data)))),
    );
    expect(said).toMatchObject({ type: "disconnect", reason: "too_many_websockets" });
    expect(slack.connections()).toBe(10);
    for (const socket of sockets) socket.close();
  });

  it("spreads what it sends over all connections", async () => {
    const { slack, ada, channel } = await world();
    const heard: string[] = [];
    for (const name of ["one", "other"]) {
      await startApp(slack, "socket", (app) =>
        app.command("/papers", async ({ ack }) => {
          heard.push(name);
          await ack();
        }),
      );
    }
    for (let time = 0; time < 4; time++) await slack.command(ada.id, channel.id, "/papers");
    expect(heard.sort()).toEqual(["one", "one", "other", "other"]);
  });
});

describe("HTTP delivery", () => {
  it("proves an address by its challenge", async () => {
    const { slack } = await world();
    const url = await startApp(slack, "http", () => {});
    expect(await slack.verifyUrl(`${url}/slack/events`)).toBe(true);
    expect(await slack.verifyUrl(`${url}/elsewhere`)).toBe(false);
  });

  it("is refused by the app where it is forged, unsigned, stale or changed on the way", async () => {
    const { slack, ada, channel } = await world();
    await startApp(slack, "http", (app) => app.command("/papers", ({ ack }) => ack("Here")));
    for (const how of ["forged", "missing", "stale", "replaced-body"] as const) {
      slack.setSigning(how);
      const seen = await slack.command(ada.id, channel.id, "/papers");
      expect([how, seen.status, seen.error]).toEqual([how, 401, "dispatch_failed"]);
    }
    slack.setSigning("right");
    expect((await slack.command(ada.id, channel.id, "/papers")).text).toBe("Here");
  });

  it("tries an event four times, and says which try it is and why", async () => {
    const { slack, team, ada } = await world();
    const heard: unknown[] = [];
    const server = createServer((request, response) => {
      heard.push([request.headers["x-slack-retry-num"], request.headers["x-slack-retry-reason"]]);
      response.writeHead(500).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closers.push(async () => server.close());
    slack.deliverTo(urlOf(server));
    const sent = await slack.event(team.id, { type: "app_home_opened", user: ada.id });
    expect(sent?.isAcknowledged).toBe(false);
    expect(heard).toEqual([
      [undefined, undefined],
      ["1", "http_error"],
      ["2", "http_error"],
      ["3", "http_error"],
    ]);
  });
});

describe("the Web API", () => {
  it("knows a form from JSON, and a token in the header from one in the form", async () => {
    const { slack, installation, channel } = await world();
    const call = async (method: string, init: RequestInit) => {
      const response = await fetch(`${slack.apiUrl}${method}`, { method: "POST", ...init });
      return (await response.json()) as Record<string, unknown>;
    };
    const json = { "content-type": "application/json; charset=utf-8" };
    const bearer = { authorization: `Bearer ${installation.token}` };
    const body = JSON.stringify({ channel: channel.id, text: "Hi", token: installation.token });
    expect(await call("chat.postMessage", { headers: json, body })).toEqual({
      ok: false,
      error: "not_authed",
    });
    expect(await call("chat.postMessage", { headers: { ...json, ...bearer }, body })).toMatchObject({
      ok: true,
      message: { text: "Hi", bot_id: installation.botId },
    });
    expect(await call("chat.postMessage", { body: new URLSearchParams(JSON.parse(body)) })).toMatchObject({
      ok: true,
    });
    expect(await call("chat.postMessage", { headers: { ...json, ...bearer }, body: "{" })).toMatchObject({
      error: "invalid_json",
    });
    expect(await call("chat.shout", {})).toEqual({
      ok: false,
      error: "unknown_method",
      req_method: "chat.shout",
    });
    const test = await fetch(`${slack.apiUrl}auth.test`, { method: "POST", headers: bearer });
    expect(test.headers.get("x-oauth-scopes")).toBe("commands,chat:write");
  });

  it("refuses tokens that are unknown, missing, revoked, expired or of a removed app", async () => {
    const { slack, team, client } = await world({ rotatesTokens: true });
    expect((await client.auth.test()).team_id).toBe(team.id);
    expect(await errorOf(clientOf(slack, "xoxb-none").auth.test())).toMatchObject({ error: "invalid_auth" });
    expect(await errorOf(clientOf(slack, undefined).auth.test())).toMatchObject({ error: "not_authed" });
    slack.expireTokens(team.id);
    expect(await errorOf(client.auth.test())).toMatchObject({ error: "token_expired" });
    const again = clientOf(slack, slack.install({ team: team.id }).token);
    expect((await again.auth.revoke()).ok).toBe(true);
    expect(await errorOf(again.auth.test())).toMatchObject({ error: "token_revoked" });
    const third = clientOf(slack, slack.install({ team: team.id }).token);
    slack.deliverTo(`${slack.url}/nowhere`);
    await slack.uninstall(team.id);
    expect(await errorOf(third.auth.test())).toMatchObject({ error: "account_inactive" });
  });

  it("lets the bot write where it may, and says what is in the way elsewhere", async () => {
    const { slack, team, ada, channel, client, installation } = await world();
    const post = (to: string) => errorOf(client.chat.postMessage({ channel: to, text: "Hi" }));
    const secret = slack.addChannel(team.id, { kind: "private", members: [ada.id] });
    const open = slack.addChannel(team.id, { name: "open", members: [ada.id] });
    const elsewhere = slack.addChannel(slack.addTeam().id);
    const between = slack.addChannel(team.id, { kind: "im", members: [ada.id] });
    expect(await post("C0NOWHERE")).toMatchObject({ error: "channel_not_found" });
    for (const { id } of [secret, elsewhere, between])
      expect(await post(id)).toMatchObject({ error: "channel_not_found" });
    expect(await post(open.id)).toMatchObject({ error: "not_in_channel" });
    slack.restrict(channel.id, "restricted");
    expect(await post(channel.id)).toMatchObject({ error: "restricted_action" });
    slack.restrict(channel.id, "everyone");
    await slack.archive(channel.id);
    expect(await post(channel.id)).toMatchObject({ error: "is_archived" });
    await slack.unarchive(channel.id);
    await slack.rename(channel.id, "daily-papers");
    expect((await client.chat.postMessage({ channel: "#daily-papers", text: "Hi" })).channel).toBe(
      channel.id,
    );
    const direct = await client.chat.postMessage({ channel: ada.id, text: "Hi" });
    expect(direct.channel).toBe(slack.directMessages(ada.id).id);
    slack.install({ team: team.id }, { scopes: ["chat:write", "chat:write.public"] });
    const { token } = slack.installation(team.id)!;
    expect((await clientOf(slack, token).chat.postMessage({ channel: open.id, text: "Hi" })).ok).toBe(true);
    expect(installation.token).not.toBe(token);
  });

  it("refuses messages in the shape that Slack does", async () => {
    const { client, channel } = await world();
    const post = (content: object) =>
      errorOf(client.chat.postMessage({ channel: channel.id, text: "", ...content } as never));
    expect(await post({})).toMatchObject({ ok: false, error: "no_text" });
    expect(await post({ text: "x", blocks: [section("x".repeat(3001))] })).toMatchObject({
      ok: false,
      error: "invalid_blocks",
      errors: ["must be less than 3001 characters [json-pointer:/blocks/0/text/text]"],
      response_metadata: {
        messages: ["[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"],
      },
    });
    expect(await post({ blocks: "[oh no" })).toMatchObject({ error: "invalid_blocks_format" });
    const many = Array.from({ length: 6 }, () => section("x".repeat(2500)));
    expect(await post({ text: "x", blocks: many })).toMatchObject({ error: "msg_blocks_too_long" });
    expect(await post({ text: "x", unfurl_link: false })).toMatchObject({ error: "invalid_arguments" });
    expect(await post({ text: "x", thread_ts: "1.1" })).toMatchObject({ error: "cannot_reply_to_message" });
  });

  it("changes and deletes what the bot wrote, and nothing else", async () => {
    const { slack, ada, channel, client } = await world();
    const { ts = "" } = await client.chat.postMessage({
      channel: channel.id,
      text: "one",
      blocks: [section("one")],
    });
    await client.chat.update({ channel: channel.id, ts, text: "two" });
    expect(slack.messages(channel.id)[0]).toMatchObject({ text: "two", blocks: [section("one")] });
    const at = { channel: channel.id, ts };
    expect(await errorOf(client.chat.update({ ...at, text: "x".repeat(4001) }))).toMatchObject({
      error: "msg_too_long",
    });
    const { posted } = await slack.postLink(ada.id, channel.id, "Mine", []);
    const theirs = { channel: channel.id, ts: posted!.ts };
    expect(await errorOf(client.chat.update({ ...theirs, text: "x" }))).toMatchObject({
      error: "cant_update_message",
    });
    expect(await errorOf(client.chat.delete(theirs))).toMatchObject({ error: "cant_delete_message" });
    await client.chat.delete(at);
    expect(await errorOf(client.chat.delete(at))).toMatchObject({ error: "message_not_found" });
    const secret = client.chat.postEphemeral({ channel: channel.id, user: "U0NOBODY", text: "Psst" });
    expect(await errorOf(secret)).toMatchObject({ error: "user_not_in_channel" });
    await client.chat.postEphemeral({ channel: channel.id, user: ada.id, text: "Psst" });
    expect(slack.ephemerals(ada.id).map(({ text }) => text)).toEqual(["Psst"]);
  });

  it("answers what a scope allows, and names the scope that is missing", async () => {
    const { slack, team, ada, channel, client } = await world();
    expect(await errorOf(client.users.info({ user: ada.id }))).toMatchObject({
      error: "missing_scope",
      needed: "users:read",
      provided: "commands,chat:write",
    });
    const scopes = ["users:read", "channels:read", "channels:history", "im:write", "team:read", "chat:write"];
    const more = clientOf(slack, slack.install({ team: team.id }, { scopes }).token);
    expect((await more.users.info({ user: ada.id })).user).toMatchObject({
      tz: "America/New_York",
      is_restricted: false,
    });
    expect(await errorOf(more.users.info({ user: "U0NOBODY" }))).toMatchObject({ error: "user_not_found" });
    const guest = slack.addUser(team.id, { isUltraRestricted: true, isRestricted: true });
    expect((await more.users.info({ user: guest.id })).user?.is_ultra_restricted).toBe(true);
    expect((await more.conversations.info({ channel: channel.id })).channel?.name).toBe("papers");
    expect((await more.conversations.members({ channel: channel.id })).members).toHaveLength(3);
    expect((await more.conversations.list({ limit: 1 })).channels).toHaveLength(1);
    expect((await more.team.info()).team?.domain).toBe("north-lab");
    expect((await more.conversations.open({ users: ada.id })).channel?.id).toMatch(/^D/);
    await more.chat.postMessage({ channel: channel.id, text: "one" });
    await more.chat.postMessage({ channel: channel.id, text: "two" });
    const page = await more.conversations.history({ channel: channel.id, limit: 1 });
    expect(page).toMatchObject({ has_more: true, messages: [{ text: "two" }] });
    const cursor = page.response_metadata?.next_cursor ?? "";
    expect((await more.conversations.history({ channel: channel.id, cursor })).messages).toMatchObject([
      { text: "one" },
    ]);
    slack.setLimits({ historyPerMinute: 1 });
    await more.conversations.history({ channel: channel.id });
    expect(await errorOf(more.conversations.history({ channel: channel.id }))).toMatchObject({
      retryAfter: 60,
    });
  });
});

describe("triggers, views and response URLs", () => {
  it("a trigger opens one modal within three seconds", async () => {
    let instant = Date.UTC(2026, 3, 22, 12);
    const { slack, ada, channel, client } = await world({ now: () => instant });
    const triggers: string[] = [];
    await startApp(slack, "socket", (app) =>
      app.command("/papers", async ({ ack, body }) => {
        await ack();
        triggers.push(body.trigger_id);
      }),
    );
    const open = (trigger_id: string | undefined, view: object = modal) =>
      client.views.open({ trigger_id: trigger_id ?? "", view: view as typeof modal });
    await slack.command(ada.id, channel.id, "/papers");
    await slack.until(() => triggers.length === 1);
    expect(await errorOf(open(triggers[0], { ...modal, title: plain("x".repeat(25)) }))).toMatchObject({
      error: "invalid_arguments",
      response_metadata: {
        messages: ["[ERROR] must be less than 25 characters [json-pointer:/view/title/text]"],
      },
    });
    const { view } = await open(triggers[0], { ...modal, external_id: "one" });
    expect(await errorOf(open(triggers[0]))).toMatchObject({ error: "exchanged_trigger_id" });
    expect(await errorOf(open("1.2.3"))).toMatchObject({ error: "invalid_trigger_id" });
    await slack.command(ada.id, channel.id, "/papers");
    await slack.until(() => triggers.length === 2);
    instant += 3001;
    expect(await errorOf(open(triggers[1]))).toMatchObject({ error: "expired_trigger_id" });
    expect(await errorOf(open(triggers[1], { ...modal, external_id: "one" }))).toMatchObject({
      error: "duplicate_external_id",
    });
    const update = (hash: string | undefined, view_id = view?.id ?? "") =>
      client.views.update({ view_id, view: modal, ...(hash === undefined ? {} : { hash }) });
    expect(await errorOf(update("another"))).toMatchObject({ error: "hash_conflict" });
    expect((await update(view?.hash)).view?.hash).not.toBe(view?.hash);
    expect(await errorOf(update(undefined, "V0NONE"))).toMatchObject({ error: "not_found" });
  });

  it("a response URL takes five posts within half an hour", async () => {
    let instant = Date.UTC(2026, 3, 22, 12);
    const { slack, ada, channel } = await world({ now: () => instant });
    const urls: string[] = [];
    await startApp(slack, "socket", (app) =>
      app.command("/papers", async ({ ack, body }) => {
        await ack();
        urls.push(body.response_url);
      }),
    );
    const post = async (url: string, body: object) => {
      const response = await fetch(url, { method: "POST", body: JSON.stringify(body) });
      return [response.status, ((await response.json()) as { error?: string }).error];
    };
    const seen = await slack.command(ada.id, channel.id, "/papers");
    await slack.until(() => urls.length === 1);
    expect(await post(urls[0]!, { blocks: [{ type: "header" }] })).toEqual([400, "invalid_blocks"]);
    for (let use = 0; use < 5; use++) expect(await post(urls[0]!, { text: "Hi" })).toEqual([200, undefined]);
    expect(await post(urls[0]!, { text: "Hi" })).toEqual([404, "used_url"]);
    expect(seen.responses).toHaveLength(7);
    expect(seen.ephemerals).toHaveLength(5);
    await slack.command(ada.id, channel.id, "/papers");
    await slack.until(() => urls.length === 2);
    instant += 30 * 60_000 + 1;
    expect(await post(urls[1]!, { text: "Hi" })).toEqual([404, "expired_url"]);
  });
});

describe("limits and faults", () => {
  it("lets one message a second into a channel after a small burst, and so many a minute into a workspace", async () => {
    let instant = 1_000_000;
    const { slack, team, channel, client } = await world({
      now: () => instant,
      limits: { workspacePerMinute: 6 },
    });
    const post = (to = channel.id) => client.chat.postMessage({ channel: to, text: "Hi" });
    for (let burst = 0; burst < 3; burst++) await post();
    expect(await errorOf(post())).toMatchObject({ retryAfter: 1 });
    instant += 1000;
    await post();
    expect(await errorOf(post())).toMatchObject({ retryAfter: 1 });
    const other = slack.addChannel(team.id);
    await slack.invite(other.id);
    await post(other.id);
    await post(other.id);
    expect(await errorOf(post(other.id))).toMatchObject({ retryAfter: 59 });
    const response = await fetch(`${slack.apiUrl}chat.postMessage`, {
      method: "POST",
      body: new URLSearchParams({ channel: other.id, text: "Hi", token: slack.installation(team.id)!.token }),
    });
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "59"]);
    expect(await response.json()).toEqual({ ok: false, error: "ratelimited" });
    const accepted = slack.posts.filter(({ isAccepted }) => isAccepted).map(({ at }) => at);
    expect([accepted.length, mostWithin(accepted, 1000), mostWithin(accepted, 60_000)]).toEqual([6, 3, 6]);
  });

  it("limits every other method by its tier", async () => {
    const { client, slack } = await world({ now: () => 1_000_000 });
    slack.setLimits({ tiers: { "1": 1, "2": 1, "3": 1, "4": 1, "auth.test": 2, none: 1 } });
    await client.auth.test();
    await client.auth.test();
    expect(await errorOf(client.auth.test())).toMatchObject({ retryAfter: 60 });
  });

  it("fails before or after it did what was asked", async () => {
    const { slack, channel, client } = await world({ limits: { channelBurst: 100 } });
    const post = () => errorOf(client.chat.postMessage({ channel: channel.id, text: "Hi" }));
    const count = () => slack.messages(channel.id).length;
    slack.fail({ method: "chat.postMessage", how: { status: 500 } });
    expect(await post()).toMatchObject({ statusCode: 500 });
    expect(count()).toBe(0);
    slack.fail({ method: /^chat\./, how: { status: 503, after: true } });
    expect(await post()).toMatchObject({ statusCode: 503 });
    expect(count()).toBe(1);
    slack.fail({ how: { reset: "before" } });
    expect(await post()).toMatchObject({ code: "slack_webapi_request_error" });
    expect(count()).toBe(1);
    slack.fail({ how: { reset: "after" } });
    expect(await post()).toMatchObject({ code: "slack_webapi_request_error" });
    expect(count()).toBe(2);
    slack.fail({ times: 2, how: { error: "fatal_error" } });
    expect(await post()).toMatchObject({ error: "fatal_error" });
    expect(await post()).toMatchObject({ error: "fatal_error" });
    slack.fail({ how: { retryAfterSeconds: 7 } });
    expect(await post()).toMatchObject({ retryAfter: 7 });
    slack.fail({ method: "auth.test", how: { status: 500 } });
    slack.fail({ how: { slowMs: 20 } });
    await client.chat.postMessage({ channel: channel.id, text: "Hi" });
    expect(count()).toBe(3);
    slack.heal();
    await client.auth.test();
    const impatient = new webApi.WebClient(slack.installation(slack.channel(channel.id)!.team)!.token, {
      slackApiUrl: slack.apiUrl,
      retryConfig: { retries: 0 },
      timeout: 300,
      logger: SILENT,
    });
    slack.fail({ how: { hang: "after" } });
    expect(await errorOf(impatient.chat.postMessage({ channel: channel.id, text: "Hi" }))).toMatchObject({
      code: "slack_webapi_request_error",
    });
    expect(count()).toBe(4);
    expect(slack.requests.filter(({ fault }) => fault !== null)).toHaveLength(9);
  });
});

describe("installing", () => {
  /** An app that installs itself by Bolt's own OAuth pages. */
  async function startOAuth(options: SlackOptions = {}) {
    const slack = await startSlack({ timing: { retryDelaysMs: [0] }, ...options });
    closers.push(slack.close);
    const stored = new Map<string, Installation<"v2", boolean>>();
    const clientOptions = { slackApiUrl: slack.apiUrl, retryConfig: { retries: 0 } };
    const receiver = new HTTPReceiver({
      signingSecret: slack.signingSecret,
      clientId: slack.clientId,
      clientSecret: slack.clientSecret,
      stateSecret: "state-secret",
      scopes: SCOPES,
      logger: SILENT,
      installationStore: {
        async storeInstallation(installation) {
          const key = installation.isEnterpriseInstall ? installation.enterprise?.id : installation.team?.id;
          stored.set(key ?? "", structuredClone(installation) as Installation<"v2", boolean>);
        },
        async fetchInstallation({ teamId, enterpriseId }) {
          const found = stored.get(teamId ?? "") ?? stored.get(enterpriseId ?? "");
          if (found === undefined) throw new Error("not installed");
          return structuredClone(found) as never;
        },
      },
      installerOptions: { authorizationUrl: slack.authorizeUrl, clientOptions },
    });
    const app = new App({ receiver, logger: SILENT, clientOptions });
    app.error(async () => {});
    const url = urlOf(await receiver.start({ port: 0, host: "127.0.0.1" }));
    closers.push(() => app.stop());
    slack.deliverTo(`${url}/slack/events`);
    slack.configure({ redirectUrl: `${url}/slack/oauth_redirect` });
    app.command("/papers", async ({ ack, say }) => {
      await ack();
      await say("Here");
    });
    return { slack, stored, url };
  }

  it("goes from the app's page over Slack's and back, for a workspace", async () => {
    const { slack, stored, url } = await startOAuth();
    const team = slack.addTeam();
    const ada = slack.addUser(team.id);
    const denied = await slack.installFrom(`${url}/slack/install`, ada.id, { denies: true });
    expect([denied.status, stored.size, slack.installation(team.id)]).toEqual([500, 0, null]);
    expect((await slack.installFrom(`${url}/slack/install`, ada.id)).status).toBe(200);
    expect(stored.get(team.id)).toMatchObject({
      isEnterpriseInstall: false,
      user: { id: ada.id },
      bot: { token: slack.installation(team.id)?.token, scopes: SCOPES },
    });
    const channel = slack.addChannel(team.id, { members: [ada.id] });
    await slack.invite(channel.id);
    expect((await (await slack.command(ada.id, channel.id, "/papers")).answered()).text).toBe("Here");
  });

  it("covers every workspace of an organization at once", async () => {
    const { slack, stored, url } = await startOAuth();
    const enterprise = { id: "E0ORG", name: "Org" };
    const teams = [slack.addTeam({ enterprise }), slack.addTeam({ enterprise })];
    const [ada, noor] = teams.map((team) => slack.addUser(team.id));
    await slack.installFrom(`${url}/slack/install`, ada!.id, { forOrganization: true });
    expect(stored.get("E0ORG")).toMatchObject({ isEnterpriseInstall: true, enterprise });
    const channel = slack.addChannel(teams[1]!.id, { members: [noor!.id] });
    await slack.invite(channel.id);
    expect((await (await slack.command(noor!.id, channel.id, "/papers")).answered()).text).toBe("Here");
    const { token } = slack.installation("E0ORG")!;
    expect(await clientOf(slack, token).auth.test()).toMatchObject({ is_enterprise_install: true });
    const outside = slack.addChannel(slack.addTeam().id);
    const post = clientOf(slack, token).chat.postMessage({ channel: outside.id, text: "Hi" });
    expect(await errorOf(post)).toMatchObject({ error: "channel_not_found" });
  });

  it("rotates tokens: a refresh token counts once, and the app goes on with the new ones", async () => {
    const { slack, stored, url } = await startOAuth({ rotatesTokens: true, tokensExpireInSeconds: 3600 });
    const team = slack.addTeam();
    const ada = slack.addUser(team.id);
    const channel = slack.addChannel(team.id, { members: [ada.id] });
    await slack.installFrom(`${url}/slack/install`, ada.id);
    await slack.invite(channel.id);
    const first = stored.get(team.id)?.bot;
    expect(first?.token).toMatch(/^xoxe\.xoxb-/);
    // Bolt refreshes what has less than two hours left.
    expect((await (await slack.command(ada.id, channel.id, "/papers")).answered()).text).toBe("Here");
    expect(slack.installation(team.id)?.token).toBe(stored.get(team.id)?.bot?.token);
    expect(stored.get(team.id)?.bot?.token).not.toBe(first?.token);
    const client = { client_id: slack.clientId, client_secret: slack.clientSecret };
    const refresh = { grant_type: "refresh_token", refresh_token: first?.refreshToken ?? "" };
    const exchange = (more: object) =>
      errorOf(clientOf(slack, undefined).oauth.v2.access({ ...client, ...more }));
    expect(await exchange(refresh)).toMatchObject({ error: "invalid_refresh_token" });
    expect(await exchange({ code: "none" })).toMatchObject({ error: "invalid_code" });
    const query = new URLSearchParams({ client_id: slack.clientId, scope: "commands" });
    const page = await fetch(`${slack.authorizeUrl}?${query}`, { redirect: "manual" });
    const code = new URL(page.headers.get("location") ?? "").searchParams.get("code") ?? "";
    expect((await clientOf(slack, undefined).oauth.v2.access({ ...client, code })).scope).toBe("commands");
    expect(await exchange({ code })).toMatchObject({ error: "invalid_code" });
    expect(await exchange({ code: "none", client_secret: "no" })).toMatchObject({
      error: "bad_client_secret",
    });
    expect(await exchange({ code: "none", client_id: "no" })).toMatchObject({ error: "invalid_client_id" });
  });
});

describe("what happens in a workspace", () => {
  it("reaches the app only with the scope to read it", async () => {
    const { slack, team, channel } = await world();
    const heard: string[] = [];
    await startApp(slack, "socket", (app) =>
      app.event(/.*/, async ({ event }) => void heard.push(event.type)),
    );
    expect(await slack.archive(channel.id)).toBeNull();
    await slack.unarchive(channel.id);
    slack.install({ team: team.id }, { scopes: ["chat:write", "channels:read"] });
    await slack.archive(channel.id);
    await slack.unarchive(channel.id);
    await slack.rename(channel.id, "daily");
    await slack.kick(channel.id);
    expect(heard).toEqual(["channel_archive", "channel_unarchive", "channel_rename", "channel_left"]);
    await slack.uninstall(team.id, { tokensFirst: true });
    expect(heard.slice(4).sort()).toEqual(["app_uninstalled", "tokens_revoked"]);
  });
});
