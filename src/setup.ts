import { examineDiscord } from "./bots/discord/doctor.ts";
import { register as registerOnDiscord } from "./bots/discord/registration.ts";
import { DEVELOPER_PORTAL } from "./bots/discord/error.ts";
import { createRest, readApplication } from "./bots/discord/rest.ts";
import { renderChecks } from "./bots/terminal/checks.ts";
import { answer, settings, UsageError, withLibrary } from "./cli.ts";
import { ConfigError } from "./config.ts";
import { commands } from "./core/commands.ts";
import { count } from "./core/numbers.ts";
import { plainText } from "./core/readable.ts";

const TOKEN_HINT = `put the token of your application (${DEVELOPER_PORTAL}, then Bot > Reset Token) into .env.`;

/** `register`: `/papers` on Discord, as this version has it. @throws DiscordError, ConfigError */
export async function register({ json = false }: { json?: boolean }): Promise<void> {
  const { token, apiUrl } = settings().discord;
  if (token === null) throw new ConfigError(`DISCORD_TOKEN is not set: ${TOKEN_HINT}`);
  const rest = createRest({ token, apiUrl });
  const { id: applicationId } = await readApplication(rest);
  const { state, others } = await registerOnDiscord({ rest, applicationId, commands });
  const changed = state !== "current";
  const subcommands = commands.length;
  if (json) {
    answer(JSON.stringify({ changed, subcommands, others }));
  } else if (changed) {
    answer(`Registered /papers with ${count(subcommands, "subcommand")}.`);
    if (others.length > 0) answer(`Kept as they were: ${plainText(others.join(", "))}.`);
  } else {
    answer("Nothing to change: /papers is registered as it should be.");
  }
}

/** `doctor`: what stands in the way of Paperboy on each platform whose token is set. @throws UsageError for none */
export async function doctor({ json = false }: { json?: boolean }): Promise<void> {
  const { token, apiUrl } = settings().discord;
  if (token === null)
    throw new UsageError(`There is nothing to look at while DISCORD_TOKEN is not set: ${TOKEN_HINT}`);
  await withLibrary(async ({ channels }) => {
    const rest = createRest({ token, apiUrl });
    const { checks, invite } = await examineDiscord({ rest, commands, channels, now: new Date() });
    const ok = checks.every(({ state }) => state !== "error");
    if (json) {
      answer(JSON.stringify({ ok, checks, invite }, null, 2));
    } else {
      const { isTTY: color = false, columns = 100 } = process.stdout;
      answer(renderChecks("Discord", checks, { width: columns, color }));
      if (invite !== null) answer(`To invite the bot: ${invite}`);
    }
    if (!ok) process.exitCode = 1;
  });
}
