import { webApi } from "@slack/bolt";
import type { BotEvent } from "../../core/bot.ts";
import { createOnce } from "../../core/once.ts";
import { SCOPES } from "./manifest.ts";

/** So many workspaces times scopes are told apart. */
const MOST_NOTED = 2000;

/**
 * Tells refusals for want of a scope, and reports each once a workspace: what goes without it, and what would mend it.
 * @returns whether the error is such a refusal
 */
export function createScopeNotes(
  report: (event: BotEvent) => void,
): (error: unknown, workspace: string) => boolean {
  const isNew = createOnce(MOST_NOTED);
  return (error, workspace) => {
    if (!(error instanceof webApi.WebAPIPlatformError) || error.data.error !== "missing_scope") return false;
    const needed = "needed" in error.data ? String(error.data.needed) : "";
    const scope = SCOPES.find(({ name }) => needed.split(",").includes(name));
    const name = scope?.name ?? "a scope";
    if (isNew(`${workspace} ${name}`)) {
      const without = scope?.without ?? "something does not work";
      const detail = `Workspace ${workspace} on Slack has not granted ${name}, so ${without}: install Paperboy there again with it, or leave it so.`;
      report({ kind: "trouble", detail });
    }
    return true;
  };
}
