import { HTTPException } from "hono/http-exception";
import { z } from "zod";
import { parseDay } from "../../core/day.ts";
import { parsePaperId } from "../../core/paper.ts";
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
  const parsed = schema.safeParse(Object.fromEntries(given.filter(([, value]) => value !== "")));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const sentence = issue?.message.endsWith(".")
    ? issue.message
    : `${issue?.path.join(".")} is not understood.`;
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
