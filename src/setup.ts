import { examineDiscord } from "./bots/discord/doctor.ts";
import { register as registerOnDiscord } from "./bots/discord/registration.ts";
import { DEVELOPER_PORTAL } from "./bots/discord/error.ts";
import { createRest, readApplication } from "./bots/discord/rest.ts";
import { examineSlack } from "./bots/slack/doctor.ts";
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

/**
 * `doctor`: what stands in the way of Paperboy on each platform that it is set up for.
 * @throws UsageError for none
 */
export async function doctor({ json = false, url }: { json?: boolean; url?: string }): Promise<void> {
  const { discord, slack } = settings();
  const isOnSlack = slack.botToken !== null || slack.clientId !== null;
  if (discord.token === null && !isOnSlack) {
    throw new UsageError(
      `There is nothing to look at while neither DISCORD_TOKEN nor SLACK_BOT_TOKEN is set: ${TOKEN_HINT}`,
    );
  }
  await withLibrary(async ({ channels, installations }) => {
    const now = new Date();
    const onDiscord =
      discord.token === null
        ? null
        : await examineDiscord({
            rest: createRest({ token: discord.token, apiUrl: discord.apiUrl }),
            commands,
            channels,
            now,
          });
    const onSlack = isOnSlack
      ? await examineSlack({
          slack,
          installations,
          subscribed: (limit) => channels.subscribed("slack", limit),
          url: url ?? null,
          now,
        })
      : null;
    const checks = [...(onDiscord?.checks ?? []), ...(onSlack?.checks ?? [])];
    const [invite, install] = [onDiscord?.invite ?? null, onSlack?.install ?? null];
    const ok = checks.every(({ state }) => state !== "error");
    if (json) {
      answer(JSON.stringify({ ok, checks, invite, install }, null, 2));
    } else {
      const { isTTY: color = false, columns = 100 } = process.stdout;
      const print = { width: columns, color };
      if (onDiscord !== null) answer(renderChecks("Discord", onDiscord.checks, print));
      if (invite !== null) answer(`To invite the bot: ${invite}`);
      if (onSlack !== null) answer(renderChecks("Slack", onSlack.checks, print));
      if (install !== null) answer(`To install the app: ${install}`);
    }
    if (!ok) process.exitCode = 1;
  });
}
