import { App, HTTPReceiver, type Installation, type Logger, SocketModeReceiver, webApi } from "@slack/bolt";
import type { Clock } from "../../core/context.ts";
import type { InstallationKey, Installations } from "../../core/installation.ts";
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
  readonly onInstalled: (installation: Installation) => Promise<void>;
  /** Hears of refreshes that failed while the old token serves on. */
  readonly onRefreshFailed: (key: InstallationKey, error: unknown) => void;
};

/** How the app is reached and by which token it speaks: the same handlers serve all four combinations. */
export type Access = {
  readonly app: App;
  /** Takes what Slack sends over HTTP, and who installs the app. */
  readonly receiver: HTTPReceiver | SocketModeReceiver;
  /** The client of a workspace. @throws InstallationError where nothing is installed, or what Slack refuses */
  clientFor(workspace: string): Promise<webApi.WebClient>;
  /** Ends what must not be cut off. */
  settle(): Promise<void>;
};

/** The most clients that are kept: each is a token and a queue. */
const MOST_CLIENTS = 2000;

/** An app that is not started yet. */
export function createAccess(options: AccessOptions): Access {
  const { settings, installations, clock, logger, onInstalled, onRefreshFailed } = options;
  const { botToken, appToken, apiUrl } = settings;
  const clientOptions = { ...CLIENT_OPTIONS, slackApiUrl: apiUrl };
  const store = createInstallationStore(installations, clock);
  const oauth =
    settings.clientId === null
      ? {}
      : {
          clientId: settings.clientId,
          clientSecret: settings.clientSecret ?? "",
          stateSecret: settings.stateSecret ?? "",
          scopes: SCOPES.map(({ name }) => name),
          installationStore: {
            ...store,
            async storeInstallation(installation: Installation) {
              await store.storeInstallation(installation);
              await onInstalled(installation);
            },
          },
        };
  const installerOptions = {
    installPath: INSTALL_PATH,
    redirectUriPath: REDIRECT_PATH,
    clientOptions: { ...INSTALLER_CLIENT, slackApiUrl: apiUrl },
    authorizationUrl: authorizationUrl(apiUrl),
  };
  const receiver =
    appToken === null
      ? new HTTPReceiver({
          ...oauth,
          signingSecret: settings.signingSecret ?? "",
          endpoints: [EVENTS_PATH],
          logger,
          installerOptions,
        })
      : new SocketModeReceiver({
          ...oauth,
          appToken,
          logger,
          installerOptions: { ...installerOptions, clientOptions },
        });
  const authorization =
    receiver.installer === undefined
      ? null
      : createAuthorization({
          installer: receiver.installer,
          installations,
          clock,
          report: onRefreshFailed,
        });
  const app = new App({
    receiver,
    logger,
    clientOptions,
    deferInitialization: true,
    ...(authorization === null ? { token: botToken ?? "" } : { authorize: authorization.authorize }),
  });
  const clients = new Map<string, webApi.WebClient>();

  return {
    app,
    receiver,
    async clientFor(workspace) {
      const token =
        authorization === null ? botToken : (await authorization.authorizeFor(workspace)).botToken;
      const key = `${workspace} ${token}`;
      const known = clients.get(key);
      if (known !== undefined) return known;
      const [oldest] = clients.keys();
      if (clients.size >= MOST_CLIENTS && oldest !== undefined) clients.delete(oldest);
      // Of an organization's token the workspace must be named with each call.
      const made = new webApi.WebClient(token ?? "", {
        ...clientOptions,
        logger,
        ...(authorization === null ? {} : { teamId: workspace }),
      });
      clients.set(key, made);
      return made;
    },
    async settle() {
      await authorization?.settle();
    },
  };
}

/** Where people grant the app its scopes: beside the Web API, also of a local Slack. */
function authorizationUrl(apiUrl: string): string {
  return new URL("/oauth/v2/authorize", apiUrl).href;
}
