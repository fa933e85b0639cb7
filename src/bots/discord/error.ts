/** Discord did not do as it was asked. The message says what was wrong and what to do, in a sentence. */
export class DiscordError extends Error {
  /** What was wrong, as the sentence's first half. */
  readonly detail: string;
  /** What to do about it, as its second half. */
  readonly fix: string;
  /** Of HTTP; null where no answer came. */
  readonly status: number | null;
  /** Discord's own: https://docs.discord.com/developers/topics/opcodes-and-status-codes#json */
  readonly code: number | null;

  constructor(
    { detail, fix }: { readonly detail: string; readonly fix: string },
    options: { readonly status?: number; readonly code?: number; readonly cause?: unknown } = {},
  ) {
    super(`${detail}: ${fix}.`, { cause: options.cause });
    this.name = "DiscordError";
    this.detail = detail;
    this.fix = fix;
    this.status = options.status ?? null;
    this.code = options.code ?? null;
  }
}

/** Where the settings of all applications are. */
export const DEVELOPER_PORTAL = "https://discord.com/developers/applications";

/** Discord refuses the token: nothing but a person can mend it. */
export function refusedToken(cause: unknown): DiscordError {
  return new DiscordError(
    {
      detail: "Discord refuses the token in DISCORD_TOKEN",
      fix: `choose your application at ${DEVELOPER_PORTAL}, then Bot > Reset Token, and copy the new one`,
    },
    { status: 401, cause },
  );
}
