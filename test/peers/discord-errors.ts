import type { Refusal } from "./discord-rules.ts";

/** An answer that is no success, as Discord words it. Thrown by whatever finds a request wanting. */
export class DiscordError extends Error {
  readonly status: number;
  readonly body: ErrorBody;

  constructor(status: number, body: ErrorBody) {
    super(body.message);
    this.status = status;
    this.body = body;
  }
}

export type ErrorBody = { readonly message: string; readonly code: number; readonly errors?: object };

/** Discord's words for its codes: https://docs.discord.com/developers/topics/opcodes-and-status-codes#json */
const ERRORS = {
  10003: [404, "Unknown Channel"],
  10004: [404, "Unknown Guild"],
  10007: [404, "Unknown Member"],
  10008: [404, "Unknown Message"],
  10013: [404, "Unknown User"],
  10015: [404, "Unknown Webhook"],
  10062: [404, "Unknown interaction"],
  10087: [404, "Unknown Tag"],
  20012: [403, "You are not authorized to perform this action on this application"],
  30032: [400, "Maximum number of application commands reached (100)"],
  40033: [400, "This message has already been crossposted"],
  40060: [400, "Interaction has already been acknowledged."],
  40067: [400, "A tag is required to create a forum post in this channel"],
  40094: [400, "The limit of follow-up messages (5) for this interaction has been reached"],
  50001: [403, "Missing Access"],
  50005: [403, "Cannot edit a message authored by another user"],
  50006: [400, "Cannot send an empty message"],
  50007: [403, "Cannot send messages to this user"],
  50008: [400, "Cannot send messages in a non-text channel"],
  50013: [403, "Missing Permissions"],
  50024: [400, "Cannot execute action on this channel type"],
  50027: [401, "Invalid Webhook Token"],
  50033: [400, "Invalid Recipient(s)"],
  50041: [400, "Invalid API version provided"],
  50083: [400, "Thread is archived"],
  50109: [400, "The request body contains invalid JSON."],
  160002: [400, "Cannot reply without permission to read message history"],
  160004: [400, "A thread has already been created for this message"],
  160005: [403, "Thread is locked"],
  160006: [400, "Maximum number of active threads reached"],
} as const;

export type ErrorCode = keyof typeof ERRORS;

export function discordError(code: ErrorCode): DiscordError {
  const [status, message] = ERRORS[code];
  return new DiscordError(status, { message, code });
}

export function isErrorCode(code: number): code is ErrorCode {
  return Object.hasOwn(ERRORS, code);
}

export function unauthorized(): DiscordError {
  return new DiscordError(401, { message: "401: Unauthorized", code: 0 });
}

export function notFound(): DiscordError {
  return new DiscordError(404, { message: "404: Not Found", code: 0 });
}

/**
 * Throws Discord's "Invalid Form Body" with the refusals nested by field, if there are any:
 * https://docs.discord.com/developers/reference#error-messages
 */
export function throwRefusals(refusals: readonly Refusal[]): void {
  const ofFields = refusals.filter(({ code }) => code !== "50006");
  if (ofFields.length === 0) {
    if (refusals.length > 0) throw discordError(50006);
    return;
  }
  const errors: Nested = {};
  for (const { path, code, message } of ofFields) {
    let at = errors;
    for (const key of path.split(/[.[\]]+/).filter((part) => part !== "")) {
      const inside = at[key];
      const next: Nested = inside === undefined || Array.isArray(inside) ? {} : inside;
      at[key] = next;
      at = next;
    }
    const here = at["_errors"];
    at["_errors"] = [...(Array.isArray(here) ? here : []), { code, message }];
  }
  throw new DiscordError(400, { message: "Invalid Form Body", code: 50035, errors });
}

type Nested = { [field: string]: Nested | { readonly code: string; readonly message: string }[] };
