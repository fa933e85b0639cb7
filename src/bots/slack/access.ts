import { randomBytes } from "node:crypto";
import type { RequestListener } from "node:http";
import {
  App,
  type Authorize,
  HTTPReceiver,
  type HTTPReceiverOptions,
  type Installation,
  type Logger,
  SocketModeReceiver,
  webApi,
} from "@slack/bolt";
import type { Clock } from "../../core/context.ts";
import { InstallationError, type InstallationKey, type Installations } from "../../core/installation.ts";
import {
  createAuthorization,
  createInstallationStore,
  INSTALL_PATH,
  INSTALLER_CLIENT,
} from "./installations.ts";
import { EVENTS_PATH, REDIRECT_PATH, SCOPES } from "./manifest.ts";
import { CLIENT_OPTIONS } from "./sending.ts";

/** What the environment says of Slack: one way to be let in and one to be reached, see `Config.slack`. */
export type SlackSettings = {
  readonly botToken: string | null;
  readonly appToken: string | null;
  readonly signingSecret: string | null;
  readonly clientId: string | null;
  readonly clientSecret: string | null;
  readonly stateSecret: string | null;
  /** Such as `https://slack.com/api/`. */
  readonly apiUrl: string;
};

export type AccessOptions = {
  readonly settings: SlackSettings;
  readonly installations: Installations;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of one call, where it is not the usual time. */
  readonly timeoutMs?: number;
  readonly onInstalled: (installation: Installation) => Promise<void>;
  /** Hears of refreshes that failed while the old token serves on. */
  readonly onRefreshFailed: (key: InstallationKey, error: unknown) => void;
};

/** How the app is reached and by which token it speaks: the same handlers serve all four combinations. */
export type Access = {
  readonly app: App;
  /** Takes what Slack sends over HTTP, and who installs the app; null where neither comes over HTTP. */
  readonly listener: RequestListener | null;
  /** The socket that Slack sends over; null over HTTP. */
  readonly socket: SocketModeReceiver["client"] | null;
  /** Asks Slack who it is, where one token is all there is. @returns the one workspace's id and name; null for many */
  identify(): Promise<{ readonly id: string; readonly name: string } | null>;
  /** The client of a workspace. @throws InstallationError where nothing is installed, or what Slack refuses */
  clientFor(workspace: string): Promise<webApi.WebClient>;
  /** Ends what must not be cut off. */
  settle(): Promise<void>;
};

/** The most clients that are kept: each is a token and a queue. */
const MOST_CLIENTS = 2000;

/** An app that is not started yet. */
export function createAccess(options: AccessOptions): Access {
  const { settings, installations, clock, logger } = options;
  const { appToken, signingSecret, apiUrl } = settings;
  const { timeoutMs: timeout = CLIENT_OPTIONS.timeout } = options;
  const clientOptions = { ...CLIENT_OPTIONS, timeout, slackApiUrl: apiUrl };
  // Apart from what Slack sends: an app whose receiver can install finds its tokens by itself.
  const pages =
    settings.clientId === null ? null : new HTTPReceiver(installerPages(options, settings.clientId));
  const web =
    appToken === null
      ? new HTTPReceiver({ logger, signingSecret: signingSecret ?? "", endpoints: [EVENTS_PATH] })
      : null;
  // A socket that closed is connected anew by the bot, which knows how to wait for a Slack that is out of reach.
  const socket = new SocketModeReceiver({
    appToken: appToken ?? "none",
    logger,
    autoReconnectEnabled: false,
    installerOptions: { clientOptions },
  });
  const speaker =
    pages?.installer === undefined
      ? createOneToken(new webApi.WebClient(settings.botToken ?? "", { ...clientOptions, logger }))
      : createManyTokens({
          installer: pages.installer,
          installations,
          clock,
          report: options.onRefreshFailed,
        });
  const app = new App({
    receiver: web ?? socket,
    logger,
    clientOptions,
    deferInitialization: true,
    extendedErrorHandler: true,
    authorize: speaker.authorize,
  });
  const clients = new Map<string, webApi.WebClient>();

  return {
    app,
    listener: listenerOf(web, pages),
    socket: web === null ? socket.client : null,
    identify: speaker.identify,
    async clientFor(workspace) {
      const { token, isForMany } = await speaker.tokenFor(workspace);
      const key = `${workspace} ${token}`;
      const known = clients.get(key);
      if (known !== undefined) return known;
      const [oldest] = clients.keys();
      if (clients.size >= MOST_CLIENTS && oldest !== undefined) clients.delete(oldest);
      // Of an organization's token the workspace must be named with each call.
      const made = new webApi.WebClient(token, {
        ...clientOptions,
        logger,
        ...(isForMany ? { teamId: workspace } : {}),
      });
      clients.set(key, made);
      return made;
    },
    settle: speaker.settle,
  };
}

/** By which token a workspace is spoken to. */
type Speaker = Pick<Access, "identify" | "settle"> & {
  readonly authorize: Authorize<boolean>;
  tokenFor(workspace: string): Promise<{ readonly token: string; readonly isForMany: boolean }>;
};

/** The one token of the environment, which is good for its own workspace alone. */
function createOneToken(client: webApi.WebClient): Speaker {
  let known: Promise<webApi.AuthTestResponse> | null = null;

  /** Asked once; a failure is asked again. */
  function whoIs(): Promise<webApi.AuthTestResponse> {
    known ??= client.auth.test().catch((error: unknown) => {
      known = null;
      throw error;
    });
    return known;
  }

  async function identityIn(workspace: string): Promise<webApi.AuthTestResponse> {
    const own = await whoIs();
    if (own.is_enterprise_install !== true && own.team_id !== workspace) {
      throw new InstallationError(
        `SLACK_BOT_TOKEN is for ${own.team ?? "another workspace"} (${own.team_id}), not for the workspace ${workspace}.`,
      );
    }
    return own;
  }

  return {
    async identify() {
      known = null;
      const { team_id: id, team, is_enterprise_install: isForMany } = await whoIs();
      return id === undefined || isForMany === true ? null : { id, name: team ?? id };
    },
    async authorize({ teamId }) {
      const { bot_id: botId, user_id: botUserId } = await identityIn(teamId ?? "");
      return {
        botToken: client.token ?? "",
        ...(botId === undefined ? {} : { botId }),
        ...(botUserId === undefined ? {} : { botUserId }),
      };
    },
    async tokenFor(workspace) {
      const { is_enterprise_install: isForMany = false } = await identityIn(workspace);
      return { token: client.token ?? "", isForMany };
    },
    async settle() {},
  };
}

/** The tokens of all that installed the app. */
function createManyTokens(options: Parameters<typeof createAuthorization>[0]): Speaker {
  const { authorize, authorizeFor, settle } = createAuthorization(options);
  return {
    authorize,
    settle,
    identify: async () => null,
    tokenFor: async (workspace) => ({ token: (await authorizeFor(workspace)).botToken, isForMany: true }),
  };
}

/** What Bolt's receiver shows to who installs the app, and keeps of it. */
function installerPages(
  { settings, installations, clock, logger, onInstalled }: AccessOptions,
  clientId: string,
): HTTPReceiverOptions {
  const store = createInstallationStore(installations, clock);
  return {
    logger,
    // Nothing that is signed is taken here.
    signingSecret: randomBytes(32).toString("hex"),
    endpoints: [],
    clientId,
    clientSecret: settings.clientSecret ?? "",
    stateSecret: settings.stateSecret ?? "",
    scopes: SCOPES.map(({ name }) => name),
    installationStore: {
      ...store,
      async storeInstallation(installation: Installation) {
        await store.storeInstallation(installation);
        // What was installed before is only renewed: its tokens were refreshed.
        if (!("installedAt" in installation)) await onInstalled(installation);
      },
    },
    installerOptions: {
      installPath: INSTALL_PATH,
      redirectUriPath: REDIRECT_PATH,
      clientOptions: { ...INSTALLER_CLIENT, slackApiUrl: settings.apiUrl },
      authorizationUrl: authorizationUrl(settings.apiUrl),
    },
  };
}

/** Bolt throws out of its listener where a path or a method is none of its own. */
function listenerOf(web: HTTPReceiver | null, pages: HTTPReceiver | null): RequestListener | null {
  if (web === null && pages === null) return null;
  return (request, response) => {
    const receiver = request.method === "POST" ? web : pages;
    try {
      if (receiver === null) throw new TypeError("Nothing answers that.");
      receiver.requestListener(request, response);
    } catch {
      response.writeHead(404).end();
    }
  };
}

/** Where people grant the app its scopes: beside the Web API, also of a local Slack. */
function authorizationUrl(apiUrl: string): string {
  return new URL("/oauth/v2/authorize", apiUrl).href;
}
