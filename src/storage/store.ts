import { sql, type Transaction } from "kysely";
import { z } from "zod";
import { mergePapers, type Snapshot } from "../core/paper.ts";
import type { Store, StoredList, StoredPaper, SummarizedPaper } from "../core/store.ts";
import { type Database, inChunks, type Tables, write } from "./database.ts";

/** The store over a migrated database; the same SQL serves SQLite and Postgres. */
export function createStore(db: Database): Store {
  /** The lists that were asked for last, the last one at the end, each with the state that it was read in. */
  const lists = new Map<string, { readonly state: string; readonly list: StoredList }>();

  return {
    async saveList({ day, seenAt, papers }) {
      await write(db, async (tx) => {
        const list = await tx.selectFrom("lists").select("seen_at").where("day", "=", day).executeTakeFirst();
        const newest = list === undefined || list.seen_at <= seenAt;
        if (newest) {
          await tx
            .insertInto("lists")
            .values({ day, seen_at: seenAt })
            .onConflict((conflict) => conflict.column("day").doUpdateSet({ seen_at: seenAt }))
            .execute();
        }
        await upsertPapers(tx, papers, seenAt, day);
        await upsertListings(tx, day, papers, newest);
      });
      // The same papers of the same instant in another order leave no trace but that.
      lists.delete(day);
    },

    savePapers: (papers, seenAt) => write(db, (tx) => upsertPapers(tx, papers, seenAt, null)),

    async list(day) {
      const state = await stateOf(db, day);
      if (state === null) return null;
      const known = lists.get(day);
      lists.delete(day);
      if (known?.state === state.text) {
        lists.set(day, known);
        return known.list;
      }
      const rows = await db
        .selectFrom("papers")
        .innerJoin("listings", "listings.paper_id", "papers.id")
        .selectAll("papers")
        .where("listings.day", "=", day)
        .orderBy("listings.position")
        .orderBy("papers.id")
        .execute();
      const list = { day, seenAt: state.seenAt, papers: rows.map(toPaper) };
      lists.set(day, { state: state.text, list });
      for (const oldest of [...lists.keys()].slice(0, -MOST_LISTS)) lists.delete(oldest);
      return list;
    },

    async days({ from, to, limit }) {
      let query = db
        .selectFrom("lists")
        .select(["day", "seen_at"])
        // Counted for the days that are asked for alone, of those that there are.
        .select((expression) =>
          expression
            .selectFrom("listings")
            .select((counted) => counted.fn.countAll<number>().as("count"))
            .whereRef("listings.day", "=", "lists.day")
            .as("count"),
        )
        .orderBy("day", "desc");
      if (from !== undefined) query = query.where("day", ">=", from);
      if (to !== undefined) query = query.where("day", "<=", to);
      if (limit !== undefined) query = query.limit(limit);
      const rows = await query.execute();
      return rows.map((row) => ({ day: row.day, seenAt: row.seen_at, count: Number(row.count) }));
    },

    async papers(ids) {
      const rows = await inChunks(ids, (chunk) =>
        db.selectFrom("papers").selectAll().where("id", "in", chunk).execute(),
      );
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.flatMap((id) => {
        const row = byId.get(id);
        return row === undefined ? [] : [toPaper(row)];
      });
    },

    async changedSince(revision, limit) {
      const rows = await db
        .selectFrom("papers")
        .selectAll()
        .where("revision", ">", revision)
        .orderBy("revision")
        .limit(limit)
        .execute();
      return rows.map(toPaper);
    },

    async snapshots(ids, from) {
      const rows = await inChunks(ids, (chunk) =>
        db
          .selectFrom("snapshots")
          .selectAll()
          .where("paper_id", "in", chunk)
          .where("taken_at", ">=", from)
          .orderBy("taken_at")
          .execute(),
      );
      return rows.map(
        (row): Snapshot => ({
          paperId: row.paper_id,
          takenAt: row.taken_at,
          upvotes: row.upvotes,
          comments: row.comments,
          stars: row.stars,
        }),
      );
    },

    async size() {
      const row = await db
        .selectFrom("papers")
        .select((expression) => [
          expression.fn.countAll<number>().as("papers"),
          expression.fn.max("revision").as("revision"),
        ])
        .executeTakeFirstOrThrow();
      const { value } = await db
        .selectFrom("counters")
        .select("value")
        .where("name", "=", "store-id")
        .executeTakeFirstOrThrow();
      return { papers: Number(row.papers), revision: Number(row.revision ?? 0), id: String(value) };
    },

    close: () => db.destroy(),
  };
}

/** Most questions are about the same few lists, and to read one takes milliseconds. */
const MOST_LISTS = 32;

/** Null: that day was never fetched. `text` is another one once anything of the list has changed. */
async function stateOf(
  db: Database,
  day: string,
): Promise<{ readonly seenAt: string; readonly text: string } | null> {
  const row = await db
    .selectFrom("lists")
    .leftJoin("listings", "listings.day", "lists.day")
    .leftJoin("papers", "papers.id", "listings.paper_id")
    .select("lists.seen_at")
    .select(({ fn }) => [
      fn.count<number>("listings.paper_id").as("count"),
      fn.max("papers.revision").as("revision"),
      fn.max("papers.seen_at").as("papers_seen_at"),
    ])
    .where("lists.day", "=", day)
    .groupBy("lists.seen_at")
    .executeTakeFirst();
  if (row === undefined) return null;
  const { seen_at: seenAt, count, revision, papers_seen_at: papersSeenAt } = row;
  return { seenAt, text: JSON.stringify([seenAt, count, revision, papersSeenAt].map(String)) };
}

/** The last of `count` fresh revisions. */
async function takeRevisions(tx: Transaction<Tables>, count: number): Promise<number> {
  const row = await tx
    .insertInto("counters")
    .values({ name: "revision", value: count })
    .onConflict((conflict) =>
      conflict.column("name").doUpdateSet({ value: sql<number>`counters.value + ${count}` }),
    )
    .returning("value")
    .executeTakeFirstOrThrow();
  return Number(row.value);
}

/** Papers that are written in one turn of the event loop: a few milliseconds. */
const AT_ONCE = 50;

async function upsertPapers(
  tx: Transaction<Tables>,
  papers: readonly SummarizedPaper[],
  seenAt: string,
  day: string | null,
): Promise<void> {
  const unique = [...new Map(papers.map((each) => [each.paper.id, each])).values()];
  for (let start = 0; start < unique.length; start += AT_ONCE) {
    await upsertSome(tx, unique.slice(start, start + AT_ONCE), seenAt, day);
  }
}

async function upsertSome(
  tx: Transaction<Tables>,
  unique: readonly SummarizedPaper[],
  seenAt: string,
  day: string | null,
): Promise<void> {
  const ids = unique.map((each) => each.paper.id);
  const rows = await inChunks(ids, (chunk) =>
    tx.selectFrom("papers").selectAll().where("id", "in", chunk).execute(),
  );
  const known = new Map(rows.map((row) => [row.id, row]));
  const changed = unique.flatMap((incoming) => {
    const row = known.get(incoming.paper.id);
    const next = row === undefined ? toRow(incoming, seenAt, day) : mergedRow(row, incoming, seenAt, day);
    return row !== undefined && sameContent(row, next) ? [] : [next];
  });
  // What was seen unchanged is as fresh as what changed, but is no news for anyone who catches up.
  const isChanged = new Set(changed.map((row) => row.id));
  await inChunks(
    ids.filter((id) => !isChanged.has(id)),
    async (chunk) => {
      await tx
        .updateTable("papers")
        .set({ seen_at: seenAt })
        .where("id", "in", chunk)
        .where("seen_at", "<", seenAt)
        .execute();
      return [];
    },
  );
  let revision = (await takeRevisions(tx, changed.length)) - changed.length;
  await inChunks(changed, async (chunk) => {
    await tx
      .insertInto("papers")
      .values(chunk.map((row) => ({ ...row, revision: ++revision })))
      .onConflict((conflict) =>
        conflict.column("id").doUpdateSet((expression) => ({
          title: expression.ref("excluded.title"),
          data: expression.ref("excluded.data"),
          upvotes: expression.ref("excluded.upvotes"),
          comments: expression.ref("excluded.comments"),
          stars: expression.ref("excluded.stars"),
          summary: expression.ref("excluded.summary"),
          summary_method: expression.ref("excluded.summary_method"),
          listed_on: expression.ref("excluded.listed_on"),
          seen_at: expression.ref("excluded.seen_at"),
          revision: expression.ref("excluded.revision"),
        })),
      )
      .execute();
    return [];
  });
  // A sighting is worth a snapshot where it is the first, or moved a number, or tells of the past.
  const sightings = unique.filter(({ paper }) => {
    const row = known.get(paper.id);
    return (
      row === undefined ||
      row.seen_at > seenAt ||
      row.upvotes !== paper.upvotes ||
      row.comments !== paper.comments ||
      (paper.stars !== null && row.stars !== paper.stars)
    );
  });
  await inChunks(sightings, async (chunk) => {
    await tx
      .insertInto("snapshots")
      .values(
        chunk.map(({ paper }) => ({
          paper_id: paper.id,
          taken_at: seenAt,
          upvotes: paper.upvotes,
          comments: paper.comments,
          stars: paper.stars,
        })),
      )
      .onConflict((conflict) => conflict.columns(["paper_id", "taken_at"]).doNothing())
      .execute();
    return [];
  });
}

/** The newest list decides the order; an older one only adds what is missing, at the end. */
async function upsertListings(
  tx: Transaction<Tables>,
  day: string,
  papers: readonly SummarizedPaper[],
  newest: boolean,
): Promise<void> {
  const ids = [...new Set(papers.map(({ paper }) => paper.id))];
  const listings = ids.map((paper_id, index) => ({ day, paper_id, position: index + (newest ? 0 : 1000) }));
  await inChunks(listings, async (chunk) => {
    await tx
      .insertInto("listings")
      .values(chunk)
      .onConflict((conflict) => {
        const target = conflict.columns(["day", "paper_id"]);
        return newest
          ? target.doUpdateSet((expression) => ({ position: expression.ref("excluded.position") }))
          : target.doNothing();
      })
      .execute();
    return [];
  });
}

type PaperRow = Tables["papers"];
type NewRow = Omit<PaperRow, "revision">;

function toRow({ paper, summary }: SummarizedPaper, seenAt: string, listedOn: string | null): NewRow {
  const { id, title, upvotes, comments, stars, ...data } = paper;
  return {
    id,
    title,
    data: JSON.stringify(data),
    upvotes,
    comments,
    stars,
    summary: summary?.text ?? null,
    summary_method: summary?.method ?? null,
    listed_on: listedOn,
    seen_at: seenAt,
  };
}

function mergedRow(row: PaperRow, incoming: SummarizedPaper, seenAt: string, day: string | null): NewRow {
  const stored = toPaper(row);
  const isNewer = seenAt >= row.seen_at;
  const [older, newer] = isNewer ? [stored, incoming.paper] : [incoming.paper, stored];
  const [olderSummary, newerSummary] = isNewer
    ? [stored.summary, incoming.summary]
    : [incoming.summary, stored.summary];
  // A sighting without Hugging Face's summary does not replace one that came from it.
  const lacking = newer.aiSummary === null && older.aiSummary !== null;
  const [first, second] = lacking ? [olderSummary, newerSummary] : [newerSummary, olderSummary];
  // A sentence of the abstract is made at each sighting; it does not replace what a model wrote once.
  const summary = first?.method === "extractive" && second?.method === "model" ? second : (first ?? second);
  const listedOn = day === null || (row.listed_on ?? "") > day ? row.listed_on : day;
  return toRow({ paper: mergePapers(older, newer), summary }, isNewer ? seenAt : row.seen_at, listedOn);
}

function sameContent(row: PaperRow, next: NewRow): boolean {
  return (
    row.title === next.title &&
    row.data === next.data &&
    row.upvotes === next.upvotes &&
    row.comments === next.comments &&
    row.stars === next.stars &&
    row.summary === next.summary &&
    row.summary_method === next.summary_method &&
    row.listed_on === next.listed_on
  );
}

const text = z.string().nullable();
const person = z.object({ name: z.string(), fullname: z.string() }).nullable();
const linked = z.object({
  models: z.number(),
  datasets: z.number(),
  spaces: z.number(),
  modelIds: z.array(z.string()),
  datasetIds: z.array(z.string()),
  spaceIds: z.array(z.string()),
});
const storedData = z.object({
  abstract: z.string(),
  authors: z.array(z.object({ name: z.string(), username: text })),
  organization: person,
  publishedOn: text,
  submittedBy: person,
  submittedOn: text,
  thumbnailUrl: text,
  mediaUrls: z.array(z.string()),
  projectUrl: text,
  codeUrl: text,
  aiSummary: text,
  aiKeywords: z.array(z.string()),
  discussionId: text,
  authorParticipates: z.boolean(),
  withdrawnOn: text,
  linked: linked.nullable(),
});
const summaryMethod = z.enum(["huggingface", "extractive", "model"]);

function toPaper(row: PaperRow): StoredPaper {
  return {
    ...storedData.parse(JSON.parse(row.data)),
    id: row.id,
    title: row.title,
    upvotes: row.upvotes,
    comments: row.comments,
    stars: row.stars,
    summary:
      row.summary === null ? null : { text: row.summary, method: summaryMethod.parse(row.summary_method) },
    listedOn: row.listed_on,
    seenAt: row.seen_at,
    revision: row.revision,
  };
}
