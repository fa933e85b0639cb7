import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import {
  COMMANDS,
  createManifest,
  EVENTS,
  type ManifestOptions,
  manifestAdvice,
  SCOPES,
  SHORTCUTS,
} from "../../../src/bots/slack/manifest.ts";
import { parsePaperId } from "../../../src/core/paper.ts";

const URL_ = "https://papers.example.com";
const WAYS: readonly (readonly [string, ManifestOptions])[] = [
  ["over a socket, for one workspace", { url: null, isSocket: true }],
  ["over HTTP, for many", { url: URL_, isSocket: false }],
  ["over a socket, for many", { url: URL_, isSocket: true }],
];
const [SOCKET, HTTP, BOTH] = WAYS.map(([, options]) => createManifest(options)) as [
  ReturnType<typeof createManifest>,
  ReturnType<typeof createManifest>,
  ReturnType<typeof createManifest>,
];

describe.each(WAYS)("the app manifest %s", (_, options) => {
  const manifest = createManifest(options);

  test("asks for all that the code uses, and for nothing else", () => {
    const { scopes } = manifest.oauth_config;
    expect(scopes.bot).toEqual(SCOPES.map(({ name }) => name));
    expect(manifest.settings.event_subscriptions.bot_events).toEqual(EVENTS);
    expect(manifest.features.shortcuts).toEqual(SHORTCUTS);
    expect(manifest.features.slash_commands.map(({ command }) => command)).toEqual(
      COMMANDS.map(({ command }) => command),
    );
  });

  test("needs two scopes; all others may be refused, and none reads along or lists channels", () => {
    const { bot, bot_optional } = manifest.oauth_config.scopes;
    expect(bot.filter((scope) => !bot_optional.includes(scope as never))).toEqual(["commands", "chat:write"]);
    // Slack refuses an optional scope that is not in both lists.
    expect(bot).toEqual(expect.arrayContaining([...bot_optional]));
    expect(
      bot.filter((scope) => /history|^(channels|groups|mpim|im):read|email|^files|^admin/.test(scope)),
    ).toEqual([]);
    expect("user" in manifest.oauth_config.scopes).toBe(false);
  });

  test("has the scope of each event", () => {
    // As the reference of each event names it.
    const scopes: Readonly<Record<(typeof EVENTS)[number], string | null>> = {
      app_home_opened: null,
      app_uninstalled: null,
      tokens_revoked: null,
      link_shared: "links:read",
    };
    for (const event of EVENTS) expect([null, ...manifest.oauth_config.scopes.bot]).toContain(scopes[event]);
  });

  test("lets people type in the bot's own messages, and switches menus and buttons on", () => {
    expect(manifest.features.app_home).toEqual({
      home_tab_enabled: true,
      messages_tab_enabled: true,
      messages_tab_read_only_enabled: false,
    });
    expect(manifest.settings.interactivity.is_enabled).toBe(true);
  });

  test("unfurls what can be read as a paper", () => {
    const { unfurl_domains: domains } = manifest.features;
    const links = [
      "https://arxiv.org/abs/2504.06261",
      "https://huggingface.co/papers/2504.06261",
      "https://hf.co/papers/2504.06261",
      "https://alphaxiv.org/abs/2504.06261",
    ];
    expect(links.map(parsePaperId)).toEqual(links.map(() => "2504.06261"));
    expect(links.map((link) => new URL(link).hostname)).toEqual(domains);
  });

  test("has a colour that Slack's white text can be read on", () => {
    const color = manifest.display_information.background_color;
    expect(color).toMatch(/^#[0-9a-f]{6}$/);
    const [red, green, blue] = [1, 3, 5].map((at) => {
      const share = Number.parseInt(color.slice(at, at + 2), 16) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    expect(1.05 / (luminance + 0.05)).toBeGreaterThan(4.5);
  });

  test("says in its advice where each variable comes from", () => {
    const advice = manifestAdvice(options);
    const names = [
      ...(options.isSocket ? ["SLACK_APP_TOKEN"] : []),
      ...(options.url === null
        ? ["SLACK_BOT_TOKEN"]
        : [
            "SLACK_CLIENT_ID",
            "SLACK_CLIENT_SECRET",
            ...(options.isSocket ? [] : ["SLACK_SIGNING_SECRET"]),
            "SLACK_STATE_SECRET",
            "ENCRYPTION_KEY",
          ]),
    ];
    expect([...advice.matchAll(/[A-Z]+_[A-Z_]+/g)].map(([name]) => name).sort()).toEqual(names.sort());
  });

  // https://github.com/slackapi/manifest-schema
  const schemaFile = process.env["SLACK_MANIFEST_SCHEMA"];
  test.skipIf(schemaFile === undefined)(
    `is valid under Slack's schema${schemaFile === undefined ? " (SLACK_MANIFEST_SCHEMA names no file, so this was not looked at)" : ""}`,
    () => {
      const schema = z.fromJSONSchema(JSON.parse(readFileSync(schemaFile ?? "", "utf8")));
      expect(schema.safeParse({}).success).toBe(false);
      expect(schema.safeParse(manifest).error?.issues ?? []).toEqual([]);
    },
  );
});

test("the manifest over a socket names no address, and its token does not expire", () => {
  expect(JSON.stringify(SOCKET)).not.toMatch(/"(request_url|url|redirect_urls|message_menu_options_url)"/);
  expect(SOCKET.settings).toMatchObject({
    socket_mode_enabled: true,
    token_rotation_enabled: false,
    org_deploy_enabled: false,
  });
});

test("the manifest over HTTP sends everything to one path, and tokens expire", () => {
  const events = `${URL_}/slack/events`;
  expect(HTTP.settings).toEqual({
    event_subscriptions: { request_url: events, bot_events: [...EVENTS] },
    interactivity: { is_enabled: true, request_url: events, message_menu_options_url: events },
    org_deploy_enabled: true,
    socket_mode_enabled: false,
    token_rotation_enabled: true,
  });
  expect(HTTP.features.slash_commands).toEqual(COMMANDS.map((command) => ({ ...command, url: events })));
  expect(HTTP.oauth_config.redirect_urls).toEqual([`${URL_}/slack/oauth_redirect`]);
});

test("the manifest for many workspaces over a socket only names where people return from installing", () => {
  expect(JSON.stringify(BOTH)).not.toMatch(/"(request_url|url|message_menu_options_url)"/);
  expect(BOTH.oauth_config.redirect_urls).toEqual([`${URL_}/slack/oauth_redirect`]);
  expect(BOTH.settings).toMatchObject({ socket_mode_enabled: true, token_rotation_enabled: true });
});
