import { INSTALL_PATH } from "./installations.ts";

/** Where Slack sends commands, events, buttons and menus over HTTP, on the process's own web server. */
export const EVENTS_PATH = "/slack/events";
/** Where Slack sends whoever installed the app. */
export const REDIRECT_PATH = "/slack/oauth_redirect";

/**
 * What the app asks of a workspace, and what goes without it where it is refused; null: nothing goes.
 *
 * Left out on purpose: every `…:history`, since a bot that reads along is what people distrust, and `channels:read` and
 * `groups:read`, which list all channels. With them go the events on channels that are archived, renamed or deleted:
 * Slack's answer to the next post tells of an archived or deleted channel early enough, and a name is never kept.
 */
export const SCOPES = [
  { name: "commands", without: null },
  { name: "chat:write", without: null },
  { name: "chat:write.public", without: "posting to a public channel takes an /invite first" },
  { name: "im:write", without: "who set a channel up is not told when its digests stop" },
  { name: "links:read", without: "links to papers get no card" },
  { name: "links:write", without: "links to papers get no card" },
  { name: "users:read", without: "times are UTC until a zone is given" },
] as const satisfies readonly { readonly name: string; readonly without: string | null }[];

/**
 * Events of the workspace, each under a scope above or under none.
 * https://docs.slack.dev/reference/events
 */
export const EVENTS = ["app_home_opened", "app_uninstalled", "link_shared", "tokens_revoked"] as const;

/** Slash commands. What is typed arrives as it is: escaped, `<#C1|agents>` would stand in the place of `#agents`. */
export const COMMANDS = [
  {
    command: "/papers",
    description: "Search papers, and bring the day's best to this channel",
    usage_hint: "[search … | today | subscribe … | status | help]",
    should_escape: false,
  },
] as const;

/** Entries of a message's menu. */
export const SHORTCUTS = [
  {
    name: "Find related papers",
    type: "message",
    callback_id: "v1:related",
    description: "Papers on what the message is about",
  },
] as const;

/**
 * Where a link to a paper may lead; Slack takes five at most, and each stands for its subdomains too (`export.arxiv.org`).
 * Most links to Hugging Face are no paper's: those are told apart by their path.
 * https://docs.slack.dev/messaging/unfurling-links-in-messages
 */
const UNFURL_DOMAINS = ["arxiv.org", "huggingface.co", "hf.co", "alphaxiv.org"];

/** How an app is reached: over a socket that it opens, or over HTTP at a public address. */
export type ManifestOptions = {
  /** The public address, https, without a slash at the end; null for one workspace, whose token is copied by hand. */
  readonly url: string | null;
  /** Whether it opens a socket; without an address it must. */
  readonly isSocket: boolean;
};

/**
 * The app manifest, from which Slack makes the whole app.
 * https://docs.slack.dev/reference/app-manifest
 */
export function createManifest({ url, isSocket }: ManifestOptions) {
  const eventsUrl = url === null || isSocket ? null : `${url}${EVENTS_PATH}`;
  const request = eventsUrl === null ? {} : { request_url: eventsUrl };
  return {
    display_information: {
      name: "Paperboy",
      description:
        "Hugging Face's Daily Papers in your channels: the ones that matter to you, when you want them.",
      background_color: "#b8391f",
      long_description: LONG_DESCRIPTION,
    },
    features: {
      app_home: {
        home_tab_enabled: true,
        messages_tab_enabled: true,
        // Else nobody could type /papers there, and a direct message can have a digest of its own.
        messages_tab_read_only_enabled: false,
      },
      bot_user: { display_name: "Paperboy", always_online: true },
      shortcuts: [...SHORTCUTS],
      slash_commands: COMMANDS.map((command) =>
        eventsUrl === null ? command : { ...command, url: eventsUrl },
      ),
      unfurl_domains: UNFURL_DOMAINS,
    },
    oauth_config: {
      ...(url === null ? {} : { redirect_urls: [`${url}${REDIRECT_PATH}`] }),
      // An optional scope stands in both lists: https://docs.slack.dev/authentication/installing-with-oauth
      scopes: {
        bot: SCOPES.map(({ name }) => name),
        bot_optional: SCOPES.filter(({ without }) => without !== null).map(({ name }) => name),
      },
    },
    settings: {
      event_subscriptions: { ...request, bot_events: [...EVENTS] },
      interactivity: {
        is_enabled: true,
        ...request,
        ...(eventsUrl === null ? {} : { message_menu_options_url: eventsUrl }),
      },
      org_deploy_enabled: url !== null,
      socket_mode_enabled: eventsUrl === null,
      // A token that is copied by hand must not expire.
      token_rotation_enabled: url !== null,
    },
  };
}

/** What to do with the manifest, in sentences for a terminal. */
export function manifestAdvice({ url, isSocket }: ManifestOptions): string {
  const credentials = isSocket
    ? "SLACK_CLIENT_ID and SLACK_CLIENT_SECRET stand"
    : "SLACK_CLIENT_ID, SLACK_CLIENT_SECRET and SLACK_SIGNING_SECRET stand";
  const many = [
    `${credentials} under Basic Information; SLACK_STATE_SECRET and ENCRYPTION_KEY are yours to make.`,
    "Manage Distribution lets other workspaces in.",
    `Then start Paperboy, and install it at ${url}${INSTALL_PATH}.`,
  ];
  return [
    "At https://api.slack.com/apps choose Create New App, From a manifest, and paste this as JSON.",
    ...(isSocket
      ? ["Basic Information > App-Level Tokens makes SLACK_APP_TOKEN: give it connections:write."]
      : []),
    ...(url === null ? ["Install App gives SLACK_BOT_TOKEN."] : many),
  ].join("\n");
}

/** Plain text: Slack shows it as it stands. 175 to 4,000 characters. */
const LONG_DESCRIPTION = `Every weekday Hugging Face's Daily Papers lists what its community finds worth reading in machine learning. Paperboy brings that list to a channel, cut down to what the channel cares about.

A digest on your schedule: type “/papers subscribe efficient inference” and see at once what that would have brought in the last two weeks. From then on the channel gets one compact message for all its topics, at the time, in the zone and on the days that you choose. Each paper comes with one sentence on what it does and a line on why it is there. A day without a match stays quiet, and “/papers status” says so.

The archive at hand: /papers search, today, trending, show and similar answer only you, until you share the answer. Save papers, export them as BibTeX, discuss one in a thread, or find related papers from any message's menu.

What it sees: Paperboy cannot read your messages or list your channels. It gets what is typed behind /papers and what is pressed on its own messages; a message, when you choose “Find related papers” on it; and, if you allow it, links to arXiv, Hugging Face and alphaXiv, to show a card. It keeps channels' settings and topics, for a year which message showed which paper, and what people save or rate, which “/papers forget” deletes. All of it stays with whoever runs this app for you.`;
