import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { z } from "zod";

/** All that the environment sets. Secrets are in `secrets` too, so that the log can blot them out. */
export type Config = {
  /** A file, or `:memory:`. */
  readonly databasePath: string;
  /** Without a slash at the end. */
  readonly hfEndpoint: string;
  readonly hfToken: string | null;
  readonly discord: { readonly token: string | null; readonly apiUrl: string };
  /**
   * All null, or one of two ways to be let in, `botToken` for one workspace or `clientId` with both of its secrets for
   * many, and one of two to be reached: `appToken` for Socket Mode, else `signingSecret` for HTTP.
   */
  readonly slack: {
    readonly botToken: string | null;
    readonly appToken: string | null;
    readonly signingSecret: string | null;
    readonly clientId: string | null;
    readonly clientSecret: string | null;
    readonly stateSecret: string | null;
    readonly apiUrl: string;
    readonly uncertain: "resend-once" | "skip" | "probe";
  };
  /** 32 bytes each, base64; the first encrypts, all decrypt. There is one where a client id is set. */
  readonly encryptionKeys: readonly string[];
  readonly model: {
    readonly baseUrl: string | null;
    readonly apiKey: string | null;
    readonly summary: string | null;
    readonly embedding: string | null;
  };
  readonly host: string;
  readonly port: number;
  readonly logLevel: (typeof LOG_LEVELS)[number];
  /** `auto`: for people in a terminal, JSON elsewhere. */
  readonly logFormat: "auto" | "json" | "pretty";
  readonly secrets: readonly string[];
};

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;

/** The environment is malformed; the message names the variable, what is wrong and a valid form. */
export class ConfigError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ConfigError";
  }
}

/**
 * Takes the variables of `.env` in this folder into the environment; those already set win.
 * @throws ConfigError where it is no file that can be read
 */
export function loadEnvFile(): void {
  if (!existsSync(".env")) return;
  try {
    process.loadEnvFile(".env");
  } catch {
    throw new ConfigError(".env cannot be read: it must be a file of lines such as PORT=3000.");
  }
}

/**
 * The environment as a Config. An empty value is an unset one.
 * @throws ConfigError
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>>): Config {
  const set = Object.fromEntries(
    Object.entries(environment)
      .map(([name, value]) => [name, value?.trim()] as const)
      .filter(([, value]) => value !== undefined && value !== ""),
  );
  const { data, error } = schema.safeParse(set);
  if (data === undefined) {
    const issue = error.issues[0];
    throw new ConfigError(
      `${String(issue?.path[0] ?? "The environment")}: ${issue?.message ?? "is malformed."}`,
    );
  }
  const lack = lackOfSlack(data);
  if (lack !== null) throw new ConfigError(lack);
  const modelName = data.SUMMARY_MODEL !== undefined ? "SUMMARY_MODEL" : "EMBEDDING_MODEL";
  if (data[modelName] !== undefined && data.MODEL_BASE_URL === undefined) {
    throw new ConfigError(
      `${modelName}: needs MODEL_BASE_URL, where the model is, such as http://localhost:11434/v1.`,
    );
  }
  const secret = (value: string | undefined) => value ?? null;
  return {
    databasePath: data.DATABASE_URL,
    hfEndpoint: data.HF_ENDPOINT,
    hfToken: secret(data.HF_TOKEN),
    discord: { token: secret(data.DISCORD_TOKEN), apiUrl: data.DISCORD_API_URL },
    slack: {
      botToken: secret(data.SLACK_BOT_TOKEN),
      appToken: secret(data.SLACK_APP_TOKEN),
      signingSecret: secret(data.SLACK_SIGNING_SECRET),
      clientId: secret(data.SLACK_CLIENT_ID),
      clientSecret: secret(data.SLACK_CLIENT_SECRET),
      stateSecret: secret(data.SLACK_STATE_SECRET),
      apiUrl: data.SLACK_API_URL,
      uncertain: data.SLACK_UNCERTAIN,
    },
    encryptionKeys: data.ENCRYPTION_KEY,
    model: {
      baseUrl: data.MODEL_BASE_URL ?? null,
      apiKey: secret(data.MODEL_API_KEY),
      summary: data.SUMMARY_MODEL ?? null,
      embedding: data.EMBEDDING_MODEL ?? null,
    },
    host: data.HOST,
    port: data.PORT,
    logLevel: data.LOG_LEVEL,
    logFormat: data.LOG_FORMAT,
    secrets: [
      data.HF_TOKEN,
      data.DISCORD_TOKEN,
      data.SLACK_BOT_TOKEN,
      data.SLACK_APP_TOKEN,
      data.SLACK_SIGNING_SECRET,
      data.SLACK_CLIENT_SECRET,
      data.SLACK_STATE_SECRET,
      data.MODEL_API_KEY,
      ...data.ENCRYPTION_KEY,
    ].filter((value) => value !== undefined),
  };
}

/** https anywhere; plain http only to this machine, where tests run. */
function url(example: string) {
  return z.string().transform((text, context) => {
    const parsed = URL.canParse(text) ? new URL(text) : null;
    const loopback = parsed !== null && ["localhost", "127.0.0.1", "[::1]"].includes(parsed.hostname);
    if (parsed === null || !(parsed.protocol === "https:" || (parsed.protocol === "http:" && loopback))) {
      context.addIssue(`must be an https URL (http only to this machine), such as ${example}.`);
      return z.NEVER;
    }
    if (parsed.username !== "" || parsed.password !== "" || parsed.search !== "" || parsed.hash !== "") {
      context.addIssue(`must be a bare URL without user, query or fragment, such as ${example}.`);
      return z.NEVER;
    }
    return text;
  });
}

function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, { error: `must be one of ${values.join(", ")}.` });
}

/** Printable, without blanks: anything else would be refused by an HTTP header with the secret in the error. */
const secret = z
  .string()
  .regex(/^[\x21-\x7e]+$/, "must be one line without blanks, as the platform gave it.");

/** One kind of Slack's tokens, by its prefix: https://docs.slack.dev/authentication/tokens */
function slackToken(prefix: string, page: string) {
  return secret.superRefine((token, context) => {
    if (token.startsWith(prefix)) return;
    const what =
      SLACK_TOKENS.find(([other]) => token.startsWith(other))?.[1] ?? "this is no token of Slack's";
    context.addIssue(`must begin with ${prefix}, as under ${page} at https://api.slack.com/apps; ${what}.`);
  });
}

const SLACK_TOKENS = [
  ["xapp-", "this is an app-level token, which belongs in SLACK_APP_TOKEN"],
  ["xoxb-", "this is a bot's token, which belongs in SLACK_BOT_TOKEN"],
  ["xoxp-", "this is a person's token"],
  ["xoxe", "this one expires, since the app rotates its tokens: that takes SLACK_CLIENT_ID"],
] as const;

/** What belongs together and is not: a sentence on what is missing; null for nothing. */
function lackOfSlack(data: z.infer<typeof schema>): string | null {
  const { SLACK_BOT_TOKEN, SLACK_APP_TOKEN, SLACK_SIGNING_SECRET, SLACK_CLIENT_ID, ENCRYPTION_KEY } = data;
  const { SLACK_CLIENT_SECRET, SLACK_STATE_SECRET } = data;
  const oauth = { SLACK_CLIENT_ID, SLACK_CLIENT_SECRET, SLACK_STATE_SECRET };
  const [given] = namesOf(oauth, (value) => value !== undefined);
  if (given !== undefined) {
    if (SLACK_BOT_TOKEN !== undefined) {
      return `SLACK_BOT_TOKEN lets one workspace in and ${given} many: unset one of them.`;
    }
    const needed = {
      ...oauth,
      SLACK_SIGNING_SECRET: SLACK_SIGNING_SECRET ?? SLACK_APP_TOKEN,
      ENCRYPTION_KEY: ENCRYPTION_KEY[0],
    };
    const missing = namesOf(needed, (value) => value === undefined);
    if (missing.length === 0) return null;
    const hint = missing.includes("ENCRYPTION_KEY")
      ? "the workspaces' tokens are kept encrypted, with a key as `openssl rand -base64 32` prints one"
      : "Basic Information at https://api.slack.com/apps has all but SLACK_STATE_SECRET, which is yours to make up";
    return `${given} also needs ${new Intl.ListFormat("en-GB").format(missing)}: ${hint}.`;
  }
  const [reached] = namesOf({ SLACK_APP_TOKEN, SLACK_SIGNING_SECRET }, (value) => value !== undefined);
  if (SLACK_BOT_TOKEN !== undefined && reached === undefined) {
    return "SLACK_BOT_TOKEN also needs SLACK_APP_TOKEN (Socket Mode) or SLACK_SIGNING_SECRET (HTTP): Basic Information at https://api.slack.com/apps has both.";
  }
  if (SLACK_BOT_TOKEN === undefined && reached !== undefined) {
    return `${reached} also needs SLACK_BOT_TOKEN (one workspace; Install App at https://api.slack.com/apps has it) or SLACK_CLIENT_ID and its secrets (many).`;
  }
  return null;
}

function namesOf(
  variables: Readonly<Record<string, string | undefined>>,
  holds: (value: string | undefined) => boolean,
): readonly string[] {
  return Object.keys(variables).filter((name) => holds(variables[name]));
}

const databasePath = z.string().transform((text, context) => {
  if (/^postgres(ql)?:/i.test(text)) {
    context.addIssue("Postgres is not served yet: use SQLite, such as sqlite:data/paperboy.db.");
    return z.NEVER;
  }
  const path = /^sqlite:(?:\/\/(?=\/))?(.+)$/i.exec(text)?.[1];
  if (path === undefined || path.startsWith("//") || /^[a-z]+:/i.test(path.replace(/^:memory:$/, ""))) {
    context.addIssue("must be sqlite:<path>, such as sqlite:data/paperboy.db.");
    return z.NEVER;
  }
  return path === ":memory:" ? path : resolve(path);
});

const encryptionKeys = z.string().transform((text, context) => {
  const keys = text.split(",").map((key) => key.trim());
  if (keys.some((key) => !/^[A-Za-z0-9+/_-]{43}=?$/.test(key))) {
    context.addIssue(
      "must be 32 bytes in base64 (several with commas), as `openssl rand -base64 32` prints them.",
    );
    return z.NEVER;
  }
  return keys;
});

const port = z.string().transform((text, context) => {
  const value = Number(text);
  if (!/^\d{1,5}$/.test(text) || value > 65_535) {
    context.addIssue("must be a port from 0 to 65535, such as 3000.");
    return z.NEVER;
  }
  return value;
});

const schema = z.object({
  DATABASE_URL: databasePath.prefault("sqlite:data/paperboy.db"),
  HF_ENDPOINT: url("https://huggingface.co")
    .transform((text) => text.replace(/\/+$/, ""))
    .prefault("https://huggingface.co"),
  HF_TOKEN: secret.optional(),
  DISCORD_TOKEN: secret.optional(),
  DISCORD_API_URL: url("https://discord.com/api").prefault("https://discord.com/api"),
  SLACK_BOT_TOKEN: slackToken("xoxb-", "Install App").optional(),
  SLACK_APP_TOKEN: slackToken("xapp-", "Basic Information").optional(),
  SLACK_SIGNING_SECRET: secret.optional(),
  SLACK_CLIENT_ID: z.string().optional(),
  SLACK_CLIENT_SECRET: secret.optional(),
  SLACK_STATE_SECRET: secret.optional(),
  SLACK_API_URL: url("https://slack.com/api/").prefault("https://slack.com/api/"),
  SLACK_UNCERTAIN: oneOf(["resend-once", "skip", "probe"]).prefault("resend-once"),
  ENCRYPTION_KEY: encryptionKeys.optional().transform((keys) => keys ?? []),
  MODEL_BASE_URL: url("http://localhost:11434/v1").optional(),
  MODEL_API_KEY: secret.optional(),
  SUMMARY_MODEL: z.string().optional(),
  EMBEDDING_MODEL: z.string().optional(),
  HOST: z
    .string()
    .regex(/^[A-Za-z0-9.:[\]_-]+$/, "must be a host name or address, such as 127.0.0.1.")
    .prefault("127.0.0.1"),
  PORT: port.prefault("3000"),
  LOG_LEVEL: oneOf(LOG_LEVELS).prefault("info"),
  LOG_FORMAT: oneOf(["auto", "json", "pretty"]).prefault("auto"),
});
