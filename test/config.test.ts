import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { readConfig } from "../src/config.ts";

const KEY = Buffer.alloc(32, 7).toString("base64");

describe("the environment", () => {
  test("may be empty", () => {
    expect(readConfig({})).toMatchObject({
      databasePath: resolve("data/paperboy.db"),
      hfEndpoint: "https://huggingface.co",
      host: "127.0.0.1",
      port: 3000,
      logLevel: "info",
      secrets: [],
    });
  });

  test("takes an empty value for an unset one", () => {
    expect(readConfig({ PORT: "", HF_TOKEN: "  ", DATABASE_URL: "" })).toEqual(readConfig({}));
  });

  test("reads what it is given", () => {
    const config = readConfig({
      DATABASE_URL: "sqlite:///var/lib/paperboy.db",
      HF_ENDPOINT: "http://127.0.0.1:9000/",
      HF_TOKEN: "hf_abcdef",
      ENCRYPTION_KEY: `${KEY}, ${KEY}`,
      PORT: "0",
    });
    expect(config).toMatchObject({
      databasePath: "/var/lib/paperboy.db",
      hfEndpoint: "http://127.0.0.1:9000",
      encryptionKeys: [KEY, KEY],
      port: 0,
    });
    expect(config.secrets).toEqual(["hf_abcdef", KEY, KEY]);
  });

  test.each([
    ["PORT", "80a", /^PORT: must be a port from 0 to 65535, such as 3000\.$/],
    ["PORT", "70000", /^PORT: must be a port/],
    [
      "DATABASE_URL",
      "postgres://localhost/papers",
      /^DATABASE_URL: Postgres is not served yet: use SQLite, such as/,
    ],
    ["DATABASE_URL", "mysql://localhost", /^DATABASE_URL: must be sqlite:<path>, such as/],
    ["DATABASE_URL", "sqlite:file:/tmp/a?mode=ro", /^DATABASE_URL: must be sqlite:<path>/],
    ["DATABASE_URL", "data/paperboy.db", /^DATABASE_URL: must be sqlite:<path>/],
    ["HF_ENDPOINT", "huggingface.co", /^HF_ENDPOINT: must be an https URL/],
    ["HF_ENDPOINT", "http://huggingface.co", /^HF_ENDPOINT: must be an https URL/],
    ["HF_ENDPOINT", "https://user:word@huggingface.co", /^HF_ENDPOINT: must be a bare URL/],
    ["HF_TOKEN", "hf_a b", /^HF_TOKEN: must be one line without blanks/],
    ["LOG_LEVEL", "loud", /^LOG_LEVEL: must be one of trace, debug/],
    ["LOG_FORMAT", "xml", /^LOG_FORMAT: must be one of auto, json, pretty\.$/],
    ["SLACK_UNCERTAIN", "maybe", /^SLACK_UNCERTAIN: must be one of resend-once, skip, probe\.$/],
    ["ENCRYPTION_KEY", "short", /^ENCRYPTION_KEY: must be 32 bytes in base64/],
    ["SUMMARY_MODEL", "llama3.2", /^SUMMARY_MODEL: needs MODEL_BASE_URL, where the model is, such as/],
    ["EMBEDDING_MODEL", "bge-m3", /^EMBEDDING_MODEL: needs MODEL_BASE_URL/],
    ["HOST", "a b", /^HOST: must be a host name/],
  ])("refuses %s=%s in one sentence that never repeats the value of a secret", (name, value, sentence) => {
    expect(() => readConfig({ [name]: value })).toThrow(sentence);
    if (/TOKEN|KEY/.test(name)) expect(() => readConfig({ [name]: value })).not.toThrow(value);
  });

  const [BOT, APP] = ["xoxb-1-hush", "xapp-1-hush"];
  const OAUTH = {
    SLACK_CLIENT_ID: "1.2",
    SLACK_CLIENT_SECRET: "hush-client",
    SLACK_STATE_SECRET: "hush-state",
  };
  test.each([
    ["Socket Mode for one workspace", { SLACK_BOT_TOKEN: BOT, SLACK_APP_TOKEN: APP }],
    ["HTTP for one workspace", { SLACK_BOT_TOKEN: BOT, SLACK_SIGNING_SECRET: "hush-signing" }],
    ["HTTP for many", { ...OAUTH, SLACK_SIGNING_SECRET: "hush-signing", ENCRYPTION_KEY: KEY }],
    ["Socket Mode for many", { ...OAUTH, SLACK_APP_TOKEN: APP, ENCRYPTION_KEY: KEY }],
    ["a key on its own", { ENCRYPTION_KEY: KEY }],
  ])("lets Slack be set up as %s", (_, environment: Readonly<Record<string, string>>) => {
    const { slack } = readConfig(environment);
    expect(slack.appToken).toBe(environment["SLACK_APP_TOKEN"] ?? null);
    expect(slack.signingSecret).toBe(environment["SLACK_SIGNING_SECRET"] ?? null);
  });

  test.each([
    [{ SLACK_APP_TOKEN: APP }, /^SLACK_APP_TOKEN also needs SLACK_BOT_TOKEN .* or SLACK_CLIENT_ID/],
    [
      { SLACK_SIGNING_SECRET: "hush-signing" },
      /^SLACK_SIGNING_SECRET also needs SLACK_BOT_TOKEN .* or SLACK_CLIENT_ID/,
    ],
    [
      { SLACK_BOT_TOKEN: BOT },
      /^SLACK_BOT_TOKEN also needs SLACK_APP_TOKEN \(Socket Mode\) or SLACK_SIGNING_SECRET/,
    ],
    [
      { SLACK_CLIENT_ID: "1.2" },
      /^SLACK_CLIENT_ID also needs SLACK_CLIENT_SECRET, SLACK_STATE_SECRET, SLACK_SIGNING_SECRET and ENCRYPTION_KEY: .*openssl/,
    ],
    [
      { SLACK_STATE_SECRET: "hush-state" },
      /^SLACK_STATE_SECRET also needs SLACK_CLIENT_ID, SLACK_CLIENT_SECRET/,
    ],
    [
      { ...OAUTH, SLACK_SIGNING_SECRET: "hush-signing" },
      /^SLACK_CLIENT_ID also needs ENCRYPTION_KEY: the workspaces' tokens are kept encrypted/,
    ],
    [{ ...OAUTH, SLACK_APP_TOKEN: APP }, /^SLACK_CLIENT_ID also needs ENCRYPTION_KEY:/],
    [
      { ...OAUTH, ENCRYPTION_KEY: KEY },
      /^SLACK_CLIENT_ID also needs SLACK_SIGNING_SECRET: Basic Information/,
    ],
    [
      { ...OAUTH, SLACK_BOT_TOKEN: BOT, SLACK_APP_TOKEN: APP, ENCRYPTION_KEY: KEY },
      /^SLACK_BOT_TOKEN lets one workspace in and SLACK_CLIENT_ID many/,
    ],
    [
      { SLACK_BOT_TOKEN: APP, SLACK_APP_TOKEN: BOT },
      /^SLACK_BOT_TOKEN: must begin with xoxb-, as .*; this is an app-level token, which belongs in SLACK_APP_TOKEN\.$/,
    ],
    [
      { SLACK_BOT_TOKEN: BOT, SLACK_APP_TOKEN: BOT },
      /^SLACK_APP_TOKEN: must begin with xapp-, as .*; this is a bot's token, which belongs in SLACK_BOT_TOKEN\.$/,
    ],
    [
      { SLACK_BOT_TOKEN: "xoxp-1-hush", SLACK_APP_TOKEN: APP },
      /^SLACK_BOT_TOKEN: must .*; this is a person's token\.$/,
    ],
    [
      { SLACK_BOT_TOKEN: "xoxe.xoxb-1-hush", SLACK_APP_TOKEN: APP },
      /^SLACK_BOT_TOKEN: must .*; this one expires, since/,
    ],
    [
      { SLACK_BOT_TOKEN: "a-hush", SLACK_APP_TOKEN: APP },
      /^SLACK_BOT_TOKEN: must .*; this is no token of Slack's\.$/,
    ],
  ])("refuses Slack half set up in one sentence without a secret (%#)", (environment, sentence) => {
    expect(() => readConfig(environment)).toThrow(sentence);
    expect(() => readConfig(environment)).not.toThrow(/hush/);
  });

  test("stands whole in .env.example, with the defaults", () => {
    const example = Object.fromEntries(
      readFileSync(".env.example", "utf8")
        .split("\n")
        .filter((line) => /^[A-Z]/.test(line))
        .map((line) => line.split(/=(.*)/s).slice(0, 2)),
    );
    expect(readConfig(example)).toEqual(readConfig({}));
    const known = readFileSync("src/config.ts", "utf8")
      .match(/^ {2}[A-Z][A-Z_]+(?=:)/gm)
      ?.map((name) => name.trim());
    expect(Object.keys(example).sort()).toEqual(known?.sort());
  });
});
