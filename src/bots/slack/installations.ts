import type { Authorize, HTTPReceiver, InstallationStore } from "@slack/bolt";
import { z } from "zod";
import type { Clock } from "../../core/context.ts";
import { InstallationError, type InstallationKey, type Installations } from "../../core/installation.ts";

/** Where a workspace's admin begins to install the app, on the process's own web server. */
export const INSTALL_PATH = "/slack/install";

/**
 * What Bolt's installer keeps its installations in: its `installationStore`. Tokens that it refreshed replace those of
 * the very installation that they were refreshed for.
 * @throws InstallationError, in each of its functions: where Slack granted no bot token, where nothing is installed,
 * where the tokens cannot be read
 */
export function createInstallationStore(installations: Installations, clock: Clock): InstallationStore {
  return {
    async storeInstallation(installation) {
      const { installedAt, ...granted } = parseInstallation(installation);
      const kept = { ...keyOf(granted), value: JSON.stringify(granted) };
      if (installedAt === undefined) {
        await installations.keep({ ...kept, installedAt: clock().toISOString() });
      } else {
        await installations.renew({ ...kept, installedAt });
      }
    },

    async fetchInstallation(query) {
      const key = toKey(query);
      const installation = await findInstallation(installations, key);
      if (installation === null) throw notInstalled(key);
      return installation;
    },

    async deleteInstallation(query) {
      await installations.remove(toKey(query), { at: clock().toISOString() });
    },
  };
}

/** What a bot needs to speak to Slack, without what only the installer needs. */
export type Granted = {
  readonly botToken: string;
  readonly botId: string;
  readonly botUserId: string;
  readonly scopes: readonly string[];
  readonly teamId: string;
  readonly enterpriseId?: string;
};

export type Authorization = {
  /** For Bolt's `App`. */
  readonly authorize: Authorize<boolean>;
  /**
   * For what is posted without a request of Slack's that says which installation it belongs to.
   * @param team the workspace; where it has no installation of its own, its organization's serves
   * @throws InstallationError
   */
  authorizeFor(team: string): Promise<Granted>;
  /** Resolves once no refresh is under way. One that is cut off loses its tokens: wait for it before the store closes. */
  settle(): Promise<void>;
};

/**
 * The tokens by which to answer and to post. Expiring ones are refreshed by Bolt's installer, one refresh at a time per
 * installation, since a refresh token can be used once. While the old token is good nobody waits for the new one: Bolt
 * asks for tokens before it can acknowledge, which it must within three seconds.
 * https://docs.slack.dev/authentication/using-token-rotation
 * @param options.installer that of the receiver, over `createInstallationStore`, with `INSTALLER_CLIENT`
 * @param options.report hears of refreshes that failed while the old token serves on
 */
export function createAuthorization({
  installer,
  installations,
  clock,
  report,
}: {
  readonly installer: Pick<NonNullable<HTTPReceiver["installer"]>, "authorize">;
  readonly installations: Installations;
  readonly clock: Clock;
  readonly report: (key: InstallationKey, error: unknown) => void;
}): Authorization {
  const refreshes = new Map<string, Promise<void>>();
  const triedAt = new Map<string, number>();
  const assigned = new Map<string, string>();

  return {
    async authorize({ teamId, enterpriseId, isEnterpriseInstall }) {
      const key = toKey({ teamId, enterpriseId, isEnterpriseInstall });
      const installation = await findFresh(key);
      if (installation === null) throw notInstalled(key);
      if (key.isOrg && teamId !== undefined) await assign(teamId, key.id);
      return toGranted(installation, teamId ?? key.id);
    },

    async authorizeFor(team) {
      const own = { id: team, isOrg: false };
      const installation = (await findFresh(own)) ?? (await findFreshOfOrganization(team));
      if (installation === null) throw notInstalled(own);
      return toGranted(installation, team);
    },

    async settle() {
      await Promise.allSettled(refreshes.values());
    },
  };

  /** An installation whose token is good for now. */
  async function findFresh(key: InstallationKey): Promise<SlackInstallation | null> {
    const installation = await findInstallation(installations, key);
    if (installation === null) return null;
    const { refreshToken, expiresAt } = installation.bot;
    const leftMs = (expiresAt ?? Number.POSITIVE_INFINITY) * 1000 - clock().getTime();
    if (refreshToken === undefined || leftMs > REFRESH_AHEAD_MS) return installation;
    if (leftMs > GOOD_MS) {
      refreshLater(key);
      return installation;
    }
    await refresh(key);
    return findInstallation(installations, key);
  }

  async function findFreshOfOrganization(team: string): Promise<SlackInstallation | null> {
    const organization = await installations.organizationOf(team);
    return organization === null ? null : findFresh({ id: organization, isOrg: true });
  }

  function refreshLater(key: InstallationKey): void {
    const sinceMs = clock().getTime() - (triedAt.get(nameOf(key)) ?? Number.NEGATIVE_INFINITY);
    if (sinceMs >= RETRY_MS) refresh(key).catch((error: unknown) => report(key, error));
  }

  function refresh(key: InstallationKey): Promise<void> {
    const name = nameOf(key);
    const underWay = refreshes.get(name);
    if (underWay !== undefined) return underWay;
    triedAt.set(name, clock().getTime());
    const started = authorizeByInstaller(key).finally(() => refreshes.delete(name));
    refreshes.set(name, started);
    return started;
  }

  async function authorizeByInstaller({ id, isOrg }: InstallationKey): Promise<void> {
    try {
      await installer.authorize({
        teamId: isOrg ? undefined : id,
        enterpriseId: isOrg ? id : undefined,
        isEnterpriseInstall: isOrg,
      });
    } catch (error) {
      const cause = error instanceof Error && "original" in error ? error.original : null;
      throw cause instanceof InstallationError ? cause : error;
    }
  }

  async function assign(team: string, organization: string): Promise<void> {
    if (assigned.get(team) === organization) return;
    await installations.assign(team, organization);
    assigned.set(team, organization);
  }
}

/**
 * Options of the client that exchanges and refreshes tokens, beside `slackApiUrl`. No retries: a refresh token can be
 * used once, so a second request could only be refused, and Bolt's default goes on for half an hour.
 */
export const INSTALLER_CLIENT = { retryConfig: { retries: 0 }, timeout: 10_000 } as const;

/** Bolt's installer refreshes a token that expires within two hours, so before that there is nothing to ask it. */
const REFRESH_AHEAD_MS = 7200_000;
/** With less left, the token might run out before it is used. */
const GOOD_MS = 300_000;
/** After a refresh that failed, while the old token is good. */
const RETRY_MS = 60_000;

/**
 * Reads what Slack sends when an installation ends: `app_uninstalled`, or `tokens_revoked` where it names the bot.
 * @param body of the whole event, since the instant stands outside of the inner one
 * @returns what ended, and when; null where the event ends no installation
 */
export function parseRemoval(body: unknown): { readonly key: InstallationKey; readonly at: string } | null {
  const { success, data } = REMOVAL.safeParse(body);
  if (!success || (data.event.type === "tokens_revoked" && data.event.tokens.bot.length === 0)) return null;
  // Without the app there may be no authorization left to name.
  const {
    team_id: team,
    enterprise_id: organization,
    is_enterprise_install,
  } = data.authorizations[0] ?? data;
  const isOrg = is_enterprise_install || !team;
  const id = isOrg ? organization : team;
  return id ? { key: { id, isOrg }, at: new Date(data.event_time * 1000).toISOString() } : null;
}

const PARTY = z.object({
  team_id: z.string().nullish(),
  enterprise_id: z.string().nullish(),
  is_enterprise_install: z.boolean().default(false),
});
/** https://docs.slack.dev/reference/events/app_uninstalled and …/tokens_revoked */
const REMOVAL = PARTY.extend({
  authorizations: z.array(PARTY).default([]),
  event_time: z.int(),
  event: z.discriminatedUnion("type", [
    z.object({ type: z.literal("app_uninstalled") }),
    z.object({
      type: z.literal("tokens_revoked"),
      tokens: z.object({ bot: z.array(z.string()).default([]) }),
    }),
  ]),
});

/**
 * A standing installation as the adapter reads it.
 * @throws InstallationError where its tokens cannot be read
 */
export async function findInstallation(
  installations: Pick<Installations, "find">,
  key: InstallationKey,
): Promise<SlackInstallation | null> {
  const kept = await installations.find(key);
  if (kept === null) return null;
  const { bot, ...parsed } = parseInstallation(JSON.parse(kept.value), key);
  return {
    team: undefined,
    enterprise: undefined,
    ...parsed,
    user: { ...parsed.user, token: undefined, scopes: undefined },
    bot,
    installedAt: kept.installedAt,
  };
}

/** An installation as Bolt has it, with the instant by which refreshed tokens find what they were refreshed for. */
export type SlackInstallation = Awaited<ReturnType<InstallationStore["fetchInstallation"]>> & {
  readonly bot: z.infer<typeof INSTALLATION>["bot"];
  readonly installedAt: string;
};

/** What is kept. A user's token is not: Paperboy asks for none. */
const INSTALLATION = z.object({
  team: z.object({ id: z.string(), name: z.string().exactOptional() }).exactOptional(),
  enterprise: z.object({ id: z.string(), name: z.string().exactOptional() }).exactOptional(),
  user: z.object({ id: z.string() }),
  bot: z.object({
    token: z.string(),
    refreshToken: z.string().exactOptional(),
    /** Seconds since 1970. */
    expiresAt: z.number().exactOptional(),
    scopes: z.array(z.string()),
    id: z.string(),
    userId: z.string(),
  }),
  appId: z.string().exactOptional(),
  enterpriseUrl: z.string().exactOptional(),
  isEnterpriseInstall: z.boolean().default(false),
  authVersion: z.literal("v2"),
  installedAt: z.iso.datetime().exactOptional(),
});

function parseInstallation(value: unknown, key?: InstallationKey): z.infer<typeof INSTALLATION> {
  // As JSON: a property that is undefined is none.
  const { success, data, error } = INSTALLATION.safeParse(JSON.parse(JSON.stringify(value)));
  if (success) return data;
  const place = error.issues[0]?.path.join(".") ?? "";
  throw new InstallationError(
    key === undefined
      ? `Slack granted no installation that Paperboy can use (${place} is missing): install it again at ${INSTALL_PATH}.`
      : `What is kept of the installation of ${key.id} cannot be read (${place} is missing): install Paperboy there again at ${INSTALL_PATH}.`,
  );
}

function keyOf(installation: z.infer<typeof INSTALLATION>): InstallationKey {
  const { team, enterprise, isEnterpriseInstall } = installation;
  return toKey({ teamId: team?.id, enterpriseId: enterprise?.id, isEnterpriseInstall });
}

function toKey(source: {
  readonly teamId: string | undefined;
  readonly enterpriseId: string | undefined;
  readonly isEnterpriseInstall: boolean;
}): InstallationKey {
  const id = source.isEnterpriseInstall ? source.enterpriseId : source.teamId;
  if (!id) throw new InstallationError("Slack named neither a workspace nor an organization.");
  return { id, isOrg: source.isEnterpriseInstall };
}

function toGranted({ bot, enterprise }: SlackInstallation, teamId: string): Granted {
  const { token: botToken, id: botId, userId: botUserId, scopes } = bot;
  const granted = { botToken, botId, botUserId, scopes, teamId };
  return enterprise === undefined ? granted : { ...granted, enterpriseId: enterprise.id };
}

function notInstalled({ id, isOrg }: InstallationKey): InstallationError {
  return new InstallationError(
    `Paperboy is not installed in the ${isOrg ? "organization" : "workspace"} ${id}: an admin can install it at ${INSTALL_PATH}.`,
  );
}

function nameOf({ id, isOrg }: InstallationKey): string {
  return `${isOrg ? "org" : "team"} ${id}`;
}
