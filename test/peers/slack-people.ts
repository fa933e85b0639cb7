import { countCharacters } from "./slack-block-kit.ts";
import type { createDelivery, SlackDelivery } from "./slack-delivery.ts";
import { refuseMessage, refuseSuggestions, refuseView } from "./slack-rules.ts";
import {
  asList,
  isJson,
  need,
  readBlocks,
  type Json,
  type PostedMessage,
  type ResponsePost,
  type SlackChannel,
  type SlackState,
  type SlackTeam,
  type SlackUser,
  type SlackView,
} from "./slack-state.ts";
import { messageAsJson, viewAsJson, type SlackApp } from "./slack-web-api.ts";

/**
 * What one person sees of what they did, from then on: the lists grow while the app goes on answering. Each thing is
 * there as it is now; what was deleted is gone.
 */
export type SlackSeen = {
  /** Null where it was not acknowledged in time. */
  readonly acknowledgedAfterMs: number | null;
  /** What the app said with its acknowledgement; null: nothing. */
  readonly ack: unknown;
  /** Of HTTP delivery. */
  readonly status: number | null;
  /**
   * What Slack tells the person went wrong: `operation_timeout`, `dispatch_failed`, or why the app's answer could
   * not be shown.
   */
  readonly error: string | null;
  /** Posted, changed or unfurled in channels that the person is in. */
  readonly messages: readonly PostedMessage[];
  /** What only they see. */
  readonly ephemerals: readonly PostedMessage[];
  /** What came over this interaction's `response_url`, refusals included. */
  readonly responses: readonly ResponsePost[];
  /** Opened, pushed, changed or published for them. */
  readonly views: readonly SlackView[];
  /** What an external select offers for what they typed. */
  readonly options: readonly Json[];
  /** What they wrote themselves. */
  readonly posted: PostedMessage | null;
  /** All that the app shows, as they read it. */
  readonly text: string;
  /** Resolves once something is to be seen. */
  answered(timeoutMs?: number): Promise<SlackSeen>;
  until(holds: (seen: SlackSeen) => boolean, timeoutMs?: number): Promise<SlackSeen>;
};

/** What an element in a modal holds: a text, a time, a date or an option's value; several where several can be. */
export type SlackInput = string | readonly string[] | null;

/** People of the local Slack, who type, press and choose. They can only do what their app would let them do. */
export function createPeople(options: {
  readonly state: SlackState;
  readonly delivery: ReturnType<typeof createDelivery>;
  readonly app: () => SlackApp;
  readonly url: () => string;
}) {
  const { state, delivery, app } = options;
  /** The options that an external select last offered somebody: what they can choose from. */
  const offered = new Map<string, readonly Json[]>();
  /** What stands in a modal's elements beyond what the app put there, by view, block and element. */
  const typed = new Map<string, Json>();

  async function command(who: string, channelId: string, name: string, text = ""): Promise<SlackSeen> {
    const user = person(who);
    const channel = theirChannel(user, channelId);
    if (channel.isArchived) throw new Error(`Nobody can type in #${channel.name}: it is archived.`);
    if (!app().commands.includes(name) || state.installationIn(user.team) === null)
      throw new Error(`${name} is not a valid command in ${user.team}.`);
    const team = need(state.team(channel.team), `no team ${channel.team}`);
    const id = state.newResponseUrl(who, channelId, null);
    const payload = {
      token: LEGACY_TOKEN,
      team_id: team.id,
      team_domain: team.domain,
      ...(team.enterprise === null
        ? {}
        : { enterprise_id: team.enterprise.id, enterprise_name: team.enterprise.name }),
      channel_id: channelId,
      channel_name: CHANNEL_NAMES[channel.kind] ?? channel.name,
      user_id: who,
      user_name: user.name,
      command: name,
      text,
      api_app_id: app().appId,
      is_enterprise_install: String(isOrganizationWide(team)),
      response_url: `${options.url()}/commands/${team.id}/${id}`,
      trigger_id: state.newTrigger(who, team.id, null),
    };
    return act(who, id, "slash_commands", payload, true, ({ body }) => showAck(body, user, channelId));
  }

  /** A command's acknowledgement may carry a message. */
  function showAck(body: unknown, user: SlackUser, channel: string): string | null {
    if (body === null || body === "") return null;
    const message: Json = isJson(body) ? body : { text: String(body) };
    const refused = refuseMessage(message);
    if (refused !== null) return [refused.error, ...refused.messages].join(" ");
    const installation = state.installationIn(user.team);
    state.addMessage({
      channel,
      text: typeof message["text"] === "string" ? message["text"] : "",
      blocks: asList(message["blocks"]),
      user: installation?.botUser ?? "",
      botId: installation?.botId ?? null,
      ephemeralTo: message["response_type"] === "in_channel" ? null : user.id,
      via: "ack",
    });
    return null;
  }

  /** Presses a button, by its `action_id` or its label. */
  async function press(who: string, on: PostedMessage | SlackView, button: string): Promise<SlackSeen> {
    const found = find(
      on,
      (element) =>
        element["type"] === "button" && (element["action_id"] === button || labelOf(element) === button),
      `button ${button}`,
    );
    const { text, value, style } = found.element;
    return blockAction(who, on, found, {
      text,
      ...(value === undefined ? {} : { value }),
      ...(style === undefined ? {} : { style }),
    });
  }

  /** Chooses in a menu, a picker or boxes, or types into an input that reports at once. */
  async function choose(
    who: string,
    on: PostedMessage | SlackView,
    actionId: string,
    value: SlackInput,
  ): Promise<SlackSeen> {
    const found = find(on, (element) => element["action_id"] === actionId, `element ${actionId}`);
    if (found.block["type"] === "input" && found.block["dispatch_action"] !== true)
      throw new Error(`${actionId} tells nothing before its view is submitted: use submit.`);
    return blockAction(who, on, found, stateOf(who, found.element, value));
  }

  function blockAction(who: string, on: PostedMessage | SlackView, found: Found, chosen: Json) {
    const user = person(who);
    const { element, block } = found;
    const action = {
      type: element["type"],
      action_id: element["action_id"],
      block_id: block["block_id"],
      ...chosen,
      action_ts: state.newTs(),
    };
    const isView = "hash" in on;
    const team = isView ? on.team : theirChannel(user, on.channel).team;
    const id = isView ? "" : state.newResponseUrl(who, on.channel, state.latest(on) ?? on);
    const isStateful = element["type"] !== "button" && element["type"] !== "overflow";
    if (isView && isStateful) typed.set(placeIn(on.id, block, element), chosen);
    const held = { [String(element["action_id"])]: { type: element["type"], ...chosen } };
    const inMessage = isStateful ? { [String(block["block_id"])]: held } : {};
    const values = isView ? fill(who, need(state.view(on.id), `no open view ${on.id}`), null) : inMessage;
    const payload = {
      type: "block_actions",
      ...about(user, team),
      ...container(user, on, found.unfurled, values),
      trigger_id: state.newTrigger(who, team, isView ? on.id : null),
      ...(isView ? {} : { state: { values }, response_url: `${options.url()}/actions/${team}/${id}` }),
      actions: [action],
    };
    return act(who, id, "interactive", payload, false);
  }

  /** Types into an external select, and sees what the app offers. */
  async function suggest(
    who: string,
    on: PostedMessage | SlackView,
    actionId: string,
    typed: string,
  ): Promise<SlackSeen> {
    const user = person(who);
    const found = find(
      on,
      (element) => element["action_id"] === actionId && String(element["type"]).includes("external_select"),
      `external select ${actionId}`,
    );
    const least = found.element["min_query_length"] ?? 3;
    if (typeof least === "number" && typed.length < least)
      throw new Error(`Slack asks the app from ${least} characters on, "${typed}" has fewer.`);
    const payload = {
      type: "block_suggestion",
      ...about(user, "hash" in on ? on.team : theirChannel(user, on.channel).team),
      ...container(user, on, found.unfurled),
      action_id: actionId,
      block_id: found.block["block_id"],
      value: typed,
    };
    const watched = watch(who, "");
    const done = await delivery.send("interactive", payload, true);
    if (done.error !== null) return watched(done, done.error);
    const refused = refuseSuggestions(done.body);
    if (refused !== null) return watched(done, [refused.error, ...refused.messages].join(" "));
    const answer: Json = isJson(done.body) ? done.body : {};
    const choices = [
      ...asList(answer["options"]),
      ...asList(answer["option_groups"]).flatMap((group) => asList(group["options"])),
    ];
    offered.set(`${who} ${actionId}`, choices);
    return watched(done, null, { options: choices });
  }

  /** Fills a modal in, inputs by `action_id`, and submits it. */
  async function submit(
    who: string,
    view: SlackView,
    values: Readonly<Record<string, SlackInput>> = {},
  ): Promise<SlackSeen> {
    const user = person(who);
    const current = need(state.view(view.id), `no open view ${view.id}`);
    if (state.stackOf(who).at(-1) !== view.id) throw new Error(`The view ${view.id} is not on top.`);
    if (current.body["submit"] === null || current.body["submit"] === undefined)
      throw new Error(`The view ${view.id} has no submit button.`);
    const payload = {
      type: "view_submission",
      ...about(user, current.team),
      trigger_id: state.newTrigger(who, current.team, view.id),
      view: { ...viewAsJson(current, app().appId, state), state: { values: fill(who, current, values) } },
      response_urls: [],
    };
    return act(who, "", "interactive", payload, true, ({ body }) => showSubmitted(body, current));
  }

  /**
   * What all of a view's inputs hold: what was typed stays through an update that keeps its `block_id` and
   * `action_id`, whatever the update puts there.
   * @param now what is typed at the last; null where the view is not being submitted
   */
  function fill(who: string, view: SlackView, now: Readonly<Record<string, SlackInput>> | null): Json {
    const values = now ?? {};
    const unknown = new Set(Object.keys(values));
    const filled: Record<string, Record<string, Json>> = {};
    for (const { block, element } of elementsOf(view.blocks)) {
      const actionId = String(element["action_id"]);
      const isInput = block["type"] === "input";
      const place = placeIn(view.id, block, element);
      if (!unknown.delete(actionId) && !isInput && !typed.has(place)) continue;
      if (values[actionId] !== undefined) typed.set(place, stateOf(who, element, values[actionId]));
      const value = typed.get(place) ?? initialOf(element);
      const isEmpty = Object.values(value).every((each) => each === null || JSON.stringify(each) === "[]");
      if (now !== null && isInput && isEmpty && block["optional"] !== true)
        throw new Error(`Slack does not submit without ${actionId}: it is not optional.`);
      const blockId = String(block["block_id"]);
      filled[blockId] = { ...filled[blockId], [actionId]: { type: element["type"], ...value } };
    }
    if (unknown.size > 0) throw new Error(`The view ${view.id} has no input ${[...unknown].join(", ")}.`);
    return filled;
  }

  /** https://docs.slack.dev/surfaces/modals#response_actions */
  function showSubmitted(body: unknown, view: SlackView): string | null {
    const answer: Json = isJson(body) ? body : {};
    const place = { user: view.user, team: view.team };
    switch (answer["response_action"]) {
      case undefined:
        state.closeViews(view.user, "top");
        return body === null ? null : "invalid response_action: an answer to a submission must have one";
      case "clear":
        state.closeViews(view.user, "all");
        return null;
      case "errors": {
        const errors = isJson(answer["errors"]) ? answer["errors"] : {};
        const inputs = new Set(
          view.blocks.filter(({ type }) => type === "input").map(({ block_id }) => block_id),
        );
        const stray = Object.keys(errors).find((id) => !inputs.has(id));
        if (stray !== undefined || Object.keys(errors).length === 0)
          return `invalid errors: ${stray ?? "none"} is not the block_id of an input`;
        return null;
      }
      case "update":
      case "push": {
        const refused = refuseView(answer["view"], ["modal"]);
        if (refused !== null) return [refused.error, ...refused.messages].join(" ");
        const shown = isJson(answer["view"]) ? answer["view"] : {};
        const isPush = answer["response_action"] === "push";
        if (isPush && state.stackOf(view.user).length >= 3) return "push_limit_reached";
        state.showView(shown, isPush ? { ...place, onTop: true } : { ...place, of: view });
        return null;
      }
      default:
        return `invalid response_action: ${String(answer["response_action"])}`;
    }
  }

  /** Closes the top view without submitting it; the app hears of it where it asked to. */
  async function dismiss(who: string, view: SlackView): Promise<SlackSeen | null> {
    const user = person(who);
    const current = need(state.view(view.id), `no open view ${view.id}`);
    state.closeViews(who, "top");
    if (current.body["notify_on_close"] !== true) return null;
    const payload = {
      type: "view_closed",
      ...about(user, current.team),
      view: viewAsJson(current, app().appId, state),
      is_cleared: false,
    };
    return act(who, "", "interactive", payload, false);
  }

  /** Runs a shortcut on a message, or with null a global one. */
  async function shortcut(
    who: string,
    message: PostedMessage | null,
    callbackId: string,
  ): Promise<SlackSeen> {
    const user = person(who);
    if (message === null) {
      const payload = {
        type: "shortcut",
        ...about(user, user.team),
        callback_id: callbackId,
        trigger_id: state.newTrigger(who, user.team, null),
        action_ts: state.newTs(),
      };
      return act(who, "", "interactive", payload, false);
    }
    const channel = theirChannel(user, message.channel);
    const current = need(state.latest(message), `no message ${message.ts}`);
    const id = state.newResponseUrl(who, channel.id, null);
    const payload = {
      type: "message_action",
      ...about(user, channel.team),
      callback_id: callbackId,
      trigger_id: state.newTrigger(who, channel.team, null),
      action_ts: state.newTs(),
      message_ts: message.ts,
      channel: { id: channel.id, name: channel.name },
      message: messageAsJson(current, app().appId, state),
      response_url: `${options.url()}/actions/${channel.team}/${id}`,
    };
    return act(who, id, "interactive", payload, false);
  }

  async function openHome(who: string): Promise<SlackSeen> {
    const user = person(who);
    const installation = need(state.installationIn(user.team), `no installation in ${user.team}`);
    const view = state.homeOf(who);
    const seen = watch(who, "");
    const sent = await event(user.team, {
      type: "app_home_opened",
      user: who,
      channel: state.directChannel(user.team, installation.botUser, who).id,
      tab: "home",
      ...(view === null ? {} : { view: viewAsJson(view, app().appId, state) }),
    });
    return seen(sent?.attempts[0] ?? NOT_SENT, null);
  }

  /** Writes a message; where it holds links to the app's domains, the app hears of them. */
  async function postLink(
    who: string,
    channelId: string,
    text: string,
    links: readonly string[],
  ): Promise<SlackSeen> {
    const user = person(who);
    const channel = theirChannel(user, channelId);
    const installation = state.installationIn(user.team);
    const watched = watch(who, "");
    const message = state.addMessage({ channel: channelId, text, user: who, via: "person" });
    const known = unfurlable(links).filter(({ url }) => text.includes(url));
    const sent =
      known.length === 0
        ? null
        : await event(
            channel.team,
            {
              type: "link_shared",
              channel: channelId,
              is_bot_user_member: channel.members.has(installation?.botUser ?? ""),
              user: who,
              message_ts: message.ts,
              unfurl_id: state.newUnfurlId({
                team: channel.team,
                source: "conversations_history",
                text,
                message,
              }),
              source: "conversations_history",
              links: known,
            },
            "links:read",
          );
    return watched(sent?.attempts[0] ?? NOT_SENT, null, { posted: message });
  }

  /** Types links without sending the message yet; the app hears of those to its domains. */
  async function typeLinks(who: string, links: readonly string[]): Promise<SlackSeen> {
    const { team } = person(who);
    const watched = watch(who, "");
    const id = state.newUnfurlId({ team, source: "composer", text: links.join(" "), message: null });
    const sent = await event(
      team,
      {
        type: "link_shared",
        channel: "COMPOSER",
        is_bot_user_member: true,
        user: who,
        message_ts: id,
        unfurl_id: id,
        source: "composer",
        links: unfurlable(links),
      },
      "links:read",
    );
    return watched(sent?.attempts[0] ?? NOT_SENT, null);
  }

  function unfurlable(
    links: readonly string[],
  ): readonly { readonly domain: string; readonly url: string }[] {
    return links.flatMap((url) => {
      const host = URL.parse(url)?.hostname ?? "";
      const domain = app().unfurlDomains.find((each) => host === each || host.endsWith(`.${each}`));
      return domain === undefined ? [] : [{ domain, url }];
    });
  }

  /** Sends the app an event of a team, if it is installed there with the scope that the event needs. */
  async function event(teamId: string, inner: Json, scope?: string) {
    const installation = state.installationIn(teamId);
    if (installation === null) return null;
    if (scope !== undefined && !installation.scopes.includes(scope)) return null;
    return delivery.sendEvent(eventCallback(teamId, inner));
  }

  function eventCallback(teamId: string, inner: Json): Json {
    const team = need(state.team(teamId), `no team ${teamId}`);
    const installation = state.installationIn(teamId);
    return {
      token: LEGACY_TOKEN,
      team_id: teamId,
      enterprise_id: team.enterprise?.id ?? null,
      context_team_id: teamId,
      context_enterprise_id: team.enterprise?.id ?? null,
      api_app_id: app().appId,
      event: { ...inner, event_ts: state.newTs() },
      type: "event_callback",
      event_id: state.newId("Ev"),
      event_time: Math.floor(state.now() / 1000),
      authorizations: [
        {
          enterprise_id: team.enterprise?.id ?? null,
          team_id: teamId,
          user_id: installation?.botUser ?? null,
          is_bot: true,
          is_enterprise_install: isOrganizationWide(team),
        },
      ],
      is_ext_shared_channel: false,
      event_context: state.newSecret("context"),
    };
  }

  async function act(
    who: string,
    responseId: string,
    kind: "slash_commands" | "interactive",
    payload: Json,
    takesAnswer: boolean,
    show: (delivery: SlackDelivery) => string | null = () => null,
  ): Promise<SlackSeen> {
    const seen = watch(who, responseId);
    const done = await delivery.send(kind, payload, takesAnswer);
    return seen(done, done.error ?? show(done));
  }

  /** Begins to look: what comes from here on is seen. */
  function watch(who: string, responseId: string) {
    const from = state.sights.length;
    return (
      done: SlackDelivery,
      error: string | null,
      own: Partial<Pick<SlackSeen, "options" | "posted">> = {},
    ): SlackSeen => {
      const messagesWhere = (isTheirs: (message: PostedMessage) => boolean) => {
        const latest = new Map<string, PostedMessage>();
        for (const sight of state.sights.slice(from)) {
          if (sight.kind !== "message" || !isTheirs(sight.message)) continue;
          const now = state.latest(sight.message);
          if (now !== undefined) latest.set(now.ts, now);
        }
        return [...latest.values()];
      };
      const seen: SlackSeen = {
        acknowledgedAfterMs: done.acknowledgedAfterMs,
        ack: done.body,
        status: done.status,
        error,
        options: own.options ?? [],
        posted: own.posted ?? null,
        get messages() {
          return messagesWhere(
            ({ channel, ephemeralTo }) =>
              ephemeralTo === null && state.channel(channel)?.members.has(who) === true,
          );
        },
        get ephemerals() {
          return messagesWhere(({ ephemeralTo }) => ephemeralTo === who);
        },
        get responses() {
          return state.sights
            .slice(from)
            .flatMap((sight) =>
              sight.kind === "response" && sight.response.of === responseId ? [sight.response] : [],
            );
        },
        get views() {
          const latest = new Map<string, SlackView>();
          for (const sight of state.sights.slice(from)) {
            if (sight.kind === "view" && sight.view.user === who) latest.set(sight.view.id, sight.view);
          }
          return [...latest.values()];
        },
        get text() {
          return [
            ...[...seen.messages, ...seen.ephemerals].filter(({ via }) => via !== "person").map(messageText),
            ...seen.views.map(viewText),
          ].join("\n");
        },
        answered(timeoutMs) {
          return seen.until(() => seen.text !== "", timeoutMs);
        },
        async until(holds, timeoutMs) {
          await state.until(() => holds(seen), timeoutMs);
          return seen;
        },
      };
      return seen;
    };
  }

  function person(who: string): SlackUser {
    const user = need(state.user(who), `no user ${who}`);
    if (user.isBot) throw new Error(`${who} is a bot and does nothing by itself.`);
    return user;
  }

  function theirChannel(user: SlackUser, channelId: string): SlackChannel {
    const channel = need(state.channel(channelId), `no channel ${channelId}`);
    if (!channel.members.has(user.id)) throw new Error(`${user.name} is not in ${channelId}.`);
    return channel;
  }

  function isOrganizationWide(team: SlackTeam): boolean {
    return state.installationIn(team.id)?.team === null;
  }

  function about(user: SlackUser, teamId: string): Json {
    const team = need(state.team(teamId), `no team ${teamId}`);
    const { enterprise } = team;
    return {
      user: { id: user.id, username: user.name, name: user.name, team_id: user.team },
      api_app_id: app().appId,
      token: LEGACY_TOKEN,
      team: {
        id: team.id,
        domain: team.domain,
        ...(enterprise === null ? {} : { enterprise_id: enterprise.id, enterprise_name: enterprise.name }),
      },
      enterprise,
      is_enterprise_install: isOrganizationWide(team),
    };
  }

  function container(
    user: SlackUser,
    on: PostedMessage | SlackView,
    unfurled: string | null,
    values: Json = {},
  ): Json {
    if ("hash" in on) {
      const view = viewAsJson(need(state.view(on.id), `no open view ${on.id}`), app().appId, state);
      return { container: { type: "view", view_id: on.id }, view: { ...view, state: { values } } };
    }
    const message = need(state.latest(on), `no message ${on.ts}`);
    const isEphemeral = message.ephemeralTo !== null;
    if (isEphemeral && message.ephemeralTo !== user.id)
      throw new Error(`${user.name} does not see ${on.ts}.`);
    const thread = message.threadTs === null ? {} : { thread_ts: message.threadTs };
    const place = {
      message_ts: message.ts,
      channel_id: message.channel,
      is_ephemeral: isEphemeral,
      ...thread,
    };
    const name = state.channel(message.channel)?.name;
    return {
      container:
        unfurled === null
          ? { type: "message", ...place }
          : {
              type: "message_attachment",
              ...place,
              attachment_id: 1,
              is_app_unfurl: true,
              app_unfurl_url: unfurled,
            },
      channel: { id: message.channel, name },
      // Slack does not keep what only one person sees, and so does not send it.
      ...(isEphemeral ? {} : { message: messageAsJson(message, app().appId, state) }),
    };
  }

  function find(on: PostedMessage | SlackView, fits: (element: Json) => boolean, what: string): Found {
    const isView = "hash" in on;
    const current = isView ? need(state.view(on.id), `no open view ${on.id}`) : (state.latest(on) ?? null);
    if (current === null) throw new Error(`The message ${isView ? on.id : on.ts} is deleted.`);
    const own = elementsOf(current.blocks).map((each) => ({ ...each, unfurled: null }));
    const inUnfurls =
      "unfurls" in current
        ? Object.entries(current.unfurls).flatMap(([url, { blocks }]) =>
            elementsOf(asList(blocks)).map((each) => ({ ...each, unfurled: url })),
          )
        : [];
    const found = [...own, ...inUnfurls].find(({ element }) => fits(element));
    return need(found, `no ${what} in ${isView ? on.id : on.ts}`);
  }

  /** What an element says in a payload once this is chosen or typed. */
  function stateOf(who: string, element: Json, value: SlackInput): Json {
    const actionId = String(element["action_id"]);
    const type = String(element["type"]);
    const values = value === null ? [] : typeof value === "string" ? [value] : value;
    const pick = (one: string): Json => {
      const choices = type.includes("external")
        ? (offered.get(`${who} ${actionId}`) ?? [])
        : [
            ...asList(element["options"]),
            ...asList(element["option_groups"]).flatMap((group) => asList(group["options"])),
          ];
      const choice = choices.find((each) => each["value"] === one || labelOf(each) === one);
      return need(choice, `no option ${one} in ${actionId}`);
    };
    switch (type) {
      case "static_select":
      case "external_select":
      case "radio_buttons":
      case "overflow":
        return { selected_option: values[0] === undefined ? null : pick(values[0]) };
      case "multi_static_select":
      case "multi_external_select":
      case "checkboxes":
        return { selected_options: values.map(pick) };
      case "timepicker":
        return { selected_time: values[0] ?? null };
      case "datepicker":
        return { selected_date: values[0] ?? null };
      case "plain_text_input": {
        const typed = values[0] ?? null;
        checkTyped(element, typed);
        return { value: typed === "" ? null : typed };
      }
      default:
        throw new Error(`Nothing can be chosen in a ${type}: press it.`);
    }
  }

  return {
    command,
    press,
    choose,
    suggest,
    submit,
    dismiss,
    shortcut,
    openHome,
    postLink,
    typeLinks,
    event,
    eventCallback,
  };
}

/** What people read of a message: its blocks where it has some, else its text. */
export function messageText(message: PostedMessage): string {
  const unfurled = Object.values(message.unfurls).map(({ blocks }) => readBlocks(blocks));
  return [message.blocks.length > 0 ? readBlocks(message.blocks) : message.text, ...unfurled].join("\n");
}

/** What people read of a view. */
export function viewText({ body, blocks }: SlackView): string {
  return [readBlocks(body["title"]), readBlocks(blocks)].filter(Boolean).join("\n");
}

type Found = { readonly block: Json; readonly element: Json; readonly unfurled: string | null };

/** Slack's verification token, which signatures replaced. */
const LEGACY_TOKEN = "legacy-verification-token";
const NOT_SENT: SlackDelivery = {
  acknowledgedAfterMs: null,
  body: null,
  status: null,
  error: null,
  reason: null,
};
const CHANNEL_NAMES: Readonly<Record<string, string>> = { im: "directmessage", private: "privategroup" };

function elementsOf(blocks: readonly Json[]): readonly { readonly block: Json; readonly element: Json }[] {
  return blocks.flatMap((block) =>
    [...asList(block["elements"]), block["accessory"], block["element"]]
      .filter(isJson)
      .map((element) => ({ block, element })),
  );
}

function placeIn(view: string, block: Json, element: Json): string {
  return JSON.stringify([view, block["block_id"], element["action_id"]]);
}

function labelOf(element: Json): unknown {
  return isJson(element["text"]) ? element["text"]["text"] : undefined;
}

function initialOf(element: Json): Json {
  const one = (key: string) => element[key] ?? null;
  switch (element["type"]) {
    case "multi_static_select":
    case "multi_external_select":
    case "checkboxes":
      return { selected_options: element["initial_options"] ?? [] };
    case "timepicker":
      return { selected_time: one("initial_time") };
    case "datepicker":
      return { selected_date: one("initial_date") };
    case "plain_text_input":
      return { value: one("initial_value") };
    default:
      return { selected_option: one("initial_option") };
  }
}

function checkTyped(element: Json, typed: string | null): void {
  const { min_length: least = 0, max_length: most = 3000 } = element;
  const count = countCharacters(typed ?? "");
  if (count > Number(most)) throw new Error(`Slack lets nobody type more than ${String(most)} characters.`);
  if (count > 0 && count < Number(least))
    throw new Error(`Slack wants ${String(least)} characters at least.`);
}
