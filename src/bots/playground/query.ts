import type { HonoRequest } from "hono";
import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { parseDay } from "../../core/day.ts";
import { parsePaperId } from "../../core/paper.ts";
import { CHANNELS, CLIENTS, PersonId } from "./bot.ts";
import { TOPS } from "./page.ts";

const DayInput = z.string().refine((day) => parseDay(day) !== null, "day is a date such as 2026-04-22.");
const TopInput = z
  .literal(TOPS.map(String), `top is one of ${TOPS.join(", ")}.`)
  .default(String(TOPS[0]))
  .transform(Number);
/** Several as repeated parameters, or with commas between them in one. */
const TopicInput = z.string().max(500, "A topic has at most 500 characters.").default("");
const QueryInput = z.string().trim().max(250, "A search has at most 250 characters.");
const OffsetInput = z
  .string()
  .regex(/^\d{1,4}$/, "offset is a number of papers.")
  .transform(Number)
  .default(0);

/** What the page itself takes: the digest, and a search to answer below it. */
export const PageQuery = z.object({
  day: DayInput.optional(),
  topic: TopicInput,
  top: TopInput,
  search: QueryInput.optional(),
});

/** Where a message comes from: what `/message` takes, and what a message in the page carries. */
export const Source = z.discriminatedUnion(
  "kind",
  [
    z.object({
      kind: z.literal("digest"),
      day: DayInput,
      topic: TopicInput,
      top: TopInput,
      offset: OffsetInput,
    }),
    z.object({
      kind: z.literal("search"),
      query: QueryInput.min(1, "query is missing."),
      offset: OffsetInput,
    }),
    z.object({
      kind: z.literal("paper"),
      id: z.string().refine((id) => parsePaperId(id) === id, "id is an arXiv id such as 2504.06261."),
    }),
  ],
  { error: "kind is one of digest, search, paper." },
);
export type Source = z.infer<typeof Source>;

const Place = {
  client: z.enum(CLIENTS, `client is one of ${CLIENTS.join(", ")}.`),
  channel: z.enum(
    CHANNELS.map(({ name }) => name),
    "There is no such channel.",
  ),
};
const Person = PersonId.default("ada");
const Ref = z.string().regex(/^\d{1,15}$/, "A message's ref is a number.");

/** Which message of the log. */
export const RefQuery = z.object({ ref: Ref });

/** What a composer offers for the text in it. */
export const CompleteQuery = z.object({ ...Place, person: Person, text: z.string().max(2000).default("") });

/** Where a window that comes back left off. */
export const EventsQuery = z.object({ after: Ref.transform(Number).optional() });

/** What was typed into a composer and sent. */
export const CommandBody = z.object({
  ...Place,
  person: Person,
  text: z.string().trim().min(1, "There is no text.").max(2000, "A message has at most 2,000 characters."),
});

/** A button that was pressed, or with a value a menu's option that was chosen. */
export const PressBody = z.object({
  ...Place,
  person: Person,
  /** Null: a message that only the window has. */
  message: Ref.nullable(),
  id: z.string().min(1).max(255),
  value: z.string().max(255).nullable().default(null),
});

export const ClockBody = z.object({ ...Place, action: z.enum(["next-digest", "next-day", "start-over"]) });

/**
 * An empty parameter counts as absent, since a form sends its empty fields too.
 * @throws HTTPException 400 with one sentence
 */
export function readQuery<T extends z.ZodType>(
  queries: Readonly<Record<string, readonly string[]>>,
  schema: T,
): z.infer<T> {
  const given = Object.entries(queries).map(([name, values]) => [
    name,
    values.filter((value) => value.trim() !== "").join(", "),
  ]);
  return parseOr400(Object.fromEntries(given.filter(([, value]) => value !== "")), schema);
}

/** @throws HTTPException 400 with one sentence */
export async function readBody<T extends z.ZodType>(request: HonoRequest, schema: T): Promise<z.infer<T>> {
  const body: unknown = await request.json().catch(() => {
    throw new HTTPException(400, { message: "The body is no JSON." });
  });
  return parseOr400(body, schema);
}

function parseOr400<T extends z.ZodType>(value: unknown, schema: T): z.infer<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const sentence = issue?.message.endsWith(".")
    ? issue.message
    : `${issue?.path.join(".") || "The body"} is not understood.`;
  throw new HTTPException(400, { message: sentence });
}

/** The same source again, as parameters. */
export function writeQuery(source: Source): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(source)) if (value !== "") query.set(name, String(value));
  return query.toString();
}

/** The topics in one text: commas part them, but for those within a phrase. */
export function splitTopics(text: string): readonly string[] {
  const topics = text.match(/(?:"[^"]*"?|[^,"])+/g) ?? [];
  return topics.map((topic) => topic.trim()).filter((topic) => topic !== "");
}

/** The command that asks for it; null for the digest, which comes by itself. */
export function commandOf(source: Source): string | null {
  if (source.kind === "digest") return null;
  return source.kind === "search" ? `/papers search ${source.query}` : `/papers show ${source.id}`;
}
