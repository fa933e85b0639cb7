import { pino } from "pino";
import pretty from "pino-pretty";
import type { Config } from "./config.ts";

export type Log = pino.Logger;

/**
 * Writes to stderr, so that stdout carries answers alone. No secret of the configuration reaches a line, wherever
 * in it it stands: each is replaced as the line is written.
 */
export function createLog(config: Pick<Config, "logLevel" | "logFormat" | "secrets">): Log {
  const forPeople = config.logFormat === "pretty" || (config.logFormat === "auto" && process.stderr.isTTY);
  const secrets = config.secrets
    .filter((secret) => secret.length >= 6)
    .flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)]);
  return pino(
    {
      level: config.logLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: {
        streamWrite: (line) => secrets.reduce((text, secret) => text.replaceAll(secret, "[secret]"), line),
      },
    },
    forPeople
      ? pretty({ destination: 2, sync: true, translateTime: "SYS:HH:MM:ss", ignore: "pid,hostname" })
      : pino.destination({ dest: 2, sync: true }),
  );
}
