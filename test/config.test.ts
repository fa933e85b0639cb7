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
    ["HOST", "a b", /^HOST: must be a host name/],
  ])("refuses %s=%s in one sentence that never repeats the value of a secret", (name, value, sentence) => {
    expect(() => readConfig({ [name]: value })).toThrow(sentence);
    if (/TOKEN|KEY/.test(name)) expect(() => readConfig({ [name]: value })).not.toThrow(value);
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
