/** Where the settings of all apps are. */
export const SLACK_APPS = "https://api.slack.com/apps";

/** Slack did not do as it was asked. The message says what was wrong and what to do, in a sentence. */
export class SlackError extends Error {
  /** What was wrong, as the sentence's first half. */
  readonly detail: string;
  /** What to do about it, as its second half. */
  readonly fix: string;
  /** Slack's own, such as `invalid_auth`; null where none came. */
  readonly code: string | null;

  constructor(
    { detail, fix }: { readonly detail: string; readonly fix: string },
    options: { readonly code?: string; readonly cause?: unknown } = {},
  ) {
    super(`${detail}: ${fix}.`, { cause: options.cause });
    this.name = "SlackError";
    this.detail = detail;
    this.fix = fix;
    this.code = options.code ?? null;
  }
}
