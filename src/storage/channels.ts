import { type ExpressionBuilder, sql, type Transaction } from "kysely";
import { z } from "zod";
import type {
  Channel,
  ChannelKey,
  ChannelState,
  ChannelStore,
  Feedback,
  Mention,
  PersonKey,
  Platform,
  Subscription,
} from "../core/channel.ts";
import { type Database, inChunks, shortHash, type Tables, write } from "./database.ts";

/** Channels, their subscriptions and people's papers over a migrated database; the same SQL serves SQLite and Postgres. */
export function createChannelStore(db: Database): ChannelStore {
  async function departed(platform: Platform): Promise<readonly string[]> {
    const rows = await db
      .selectFrom("departures")
      .select("workspace")
      .where("platform", "=", platform)
      .orderBy("workspace")
      .execute();
    return rows.map(({ workspace }) => workspace);
  }

  return {
    channel: (key) => readChannel(db, key),
    subscriptions: (key) => readSubscriptions(db, key),

    change: (key, change) =>
      write(db, async (tx) => {
        const channel = await readChannel(tx, key);
        const now = channel && { channel, subscriptions: await readSubscriptions(tx, key) };
        const next = change(now);
        if (next === null) return now;
        const rows = toRows(key, next, (channel?.version ?? 0) + 1);
        if (now !== null && sameRows(rows, toRows(key, now, rows.channel.version))) return now;
        await saveChannel(tx, key, rows);
        return { channel: toChannel(rows.channel), subscriptions: rows.subscriptions.map(toSubscription) };
      }),

    async count() {
      const { count } = await db
        .selectFrom("channels")
        .select((expression) => expression.fn.countAll<number>().as("count"))
        .where(hasSubscription)
        .executeTakeFirstOrThrow();
      return Number(count);
    },

    async subscribed(platform, limit) {
      const rows = await db
        .selectFrom("channels")
        .select(["platform", "workspace", "channel"])
        .select((expression) => expression.fn.countAll<number>().over().as("total"))
        .where("platform", "=", platform)
        .where(hasSubscription)
        .orderBy("next_at", (order) => order.asc().nullsLast())
        .orderBy("workspace")
        .orderBy("channel")
        .limit(limit)
        .execute();
      return { channels: rows.map(toKey), total: Number(rows[0]?.total ?? 0) };
    },

    async channelsOf(person, limit) {
      const { platform, workspace, person: who } = personOf(person);
      const rows = await db
        .selectFrom("channels")
        .selectAll()
        .select((expression) => expression.fn.countAll<number>().over().as("total"))
        .where("platform", "=", platform)
        .where("workspace", "=", workspace)
        .where((expression) =>
          expression.or([
            expression.and([
              expression("set_up_by", "=", who),
              expression.exists(subscriptionsOf(expression).select("number")),
            ]),
            expression.exists(
              subscriptionsOf(expression).select("number").where("subscriptions.created_by", "=", who),
            ),
          ]),
        )
        .orderBy("next_at", (order) => order.asc().nullsLast())
        .orderBy("channel")
        .limit(limit)
        .execute();
      const channels: ChannelState[] = [];
      for (const row of rows) {
        const channel = toChannel(row);
        channels.push({ channel, subscriptions: await readSubscriptions(db, channel) });
      }
      return { channels, total: Number(rows[0]?.total ?? 0) };
    },

    save: (person, paperId, at) =>
      write(db, async (tx) => {
        const row = await tx
          .insertInto("saved_papers")
          .values({ ...personOf(person), paper_id: paperId, saved_at: at })
          .onConflict((conflict) => conflict.doNothing())
          .returning("paper_id")
          .executeTakeFirst();
        return row !== undefined;
      }),

    unsave: (person, paperId) =>
      write(db, async (tx) => {
        const { numDeletedRows } = await tx
          .deleteFrom("saved_papers")
          .where((expression) => expression.and({ ...personOf(person), paper_id: paperId }))
          .executeTakeFirst();
        return numDeletedRows > 0n;
      }),

    async saved(person) {
      const rows = await db
        .selectFrom("saved_papers")
        .select(["paper_id", "saved_at"])
        .where((expression) => expression.and(personOf(person)))
        .orderBy("saved_at", "desc")
        .orderBy("paper_id", "desc")
        .execute();
      return rows.map((row) => ({ paperId: row.paper_id, savedAt: row.saved_at }));
    },

    giveFeedback: (key, person, { paperId, value }, at) =>
      write(db, async (tx) => {
        await tx
          .insertInto("feedback")
          .values({ ...placeOf(key), person, paper_id: paperId, value, given_at: at })
          .onConflict((conflict) =>
            conflict
              .columns(["platform", "workspace", "channel", "person", "paper_id"])
              .doUpdateSet({ value, given_at: at }),
          )
          .execute();
      }),

    async feedback(key) {
      const rows = await db
        .selectFrom("feedback")
        .select(["paper_id", "value"])
        .where((expression) => expression.and(placeOf(key)))
        .orderBy("given_at", "desc")
        .orderBy("paper_id", "desc")
        .orderBy("person")
        .execute();
      return rows.map((row): Feedback => ({ paperId: row.paper_id, value: row.value === 1 ? 1 : -1 }));
    },

    resetFeedback: (key) =>
      write(db, async (tx) => {
        const { numDeletedRows } = await tx
          .deleteFrom("feedback")
          .where((expression) => expression.and(placeOf(key)))
          .executeTakeFirst();
        return Number(numDeletedRows);
      }),

    mention: (key, { paperId, ref, at }, quietSince) =>
      write(db, async (tx) => {
        const others = await readMentions(tx, key, paperId, oldestMention(at));
        const before = others.find((each) => each.ref !== ref) ?? null;
        const isKept = others.some((each) => each.ref === ref);
        const isQuiet = before !== null && quietSince !== null && before.at > quietSince;
        if (isQuiet && !isKept) return { isNoted: false, before };
        await tx
          .insertInto("mentions")
          .values({ ...placeOf(key), paper_id: paperId, ref, at })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        await forgetMentions(tx, oldestMention(at));
        return { isNoted: true, before };
      }),

    async lastMention(key, paperId, now) {
      return (await readMentions(db, key, paperId, oldestMention(now)))[0] ?? null;
    },

    async keepView(text, at) {
      const id = shortHash(text);
      // The same list is asked for again and again: what was kept within the hour is kept.
      const kept = await db.selectFrom("views").select("kept_at").where("id", "=", id).executeTakeFirst();
      if (kept !== undefined && kept.kept_at > new Date(Date.parse(at) - HOUR_MS).toISOString()) return id;
      await write(db, async (tx) => {
        await tx
          .insertInto("views")
          .values({ id, text, kept_at: at })
          .onConflict((conflict) =>
            conflict.column("id").doUpdateSet({ kept_at: at }).where("views.kept_at", "<", at),
          )
          .execute();
        await forgetViews(tx, oldestView(at));
      });
      return id;
    },

    async view(id, now) {
      const row = await db
        .selectFrom("views")
        .select("text")
        .where("id", "=", id)
        .where("kept_at", ">=", oldestView(now))
        .executeTakeFirst();
      return row?.text ?? null;
    },

    forget: (person) =>
      write(db, async (tx) => {
        const saved = await tx
          .deleteFrom("saved_papers")
          .where((expression) => expression.and(personOf(person)))
          .executeTakeFirst();
        const feedback = await tx
          .deleteFrom("feedback")
          .where((expression) => expression.and(personOf(person)))
          .executeTakeFirst();
        return { saved: Number(saved.numDeletedRows), feedback: Number(feedback.numDeletedRows) };
      }),

    async leave({ platform, workspace }, at) {
      if (workspace === "") throw new TypeError("A place without a workspace cannot be left.");
      await write(db, (tx) =>
        tx
          .insertInto("departures")
          .values({ platform, workspace, left_at: at })
          .onConflict((conflict) => conflict.doNothing())
          .execute(),
      );
    },

    join: ({ platform, workspace }) =>
      write(db, async (tx) => {
        const { numDeletedRows } = await tx
          .deleteFrom("departures")
          .where((expression) => expression.and({ platform, workspace }))
          .executeTakeFirst();
        return numDeletedRows > 0n;
      }),

    async workspaces(platform) {
      const kept = new Set<string>();
      for (const table of OF_A_WORKSPACE) {
        for (const workspace of await workspacesIn(db, table, platform)) kept.add(workspace);
      }
      for (const workspace of await departed(platform)) kept.delete(workspace);
      return [...kept].sort();
    },

    departed,

    async deleteDeparted(leftBefore) {
      let deleted = 0;
      while (await write(db, (tx) => deleteOneDeparted(tx, leftBefore))) deleted += 1;
      return deleted;
    },
  };
}

/** A key's columns, of anything that has them: for conditions and for new rows. */
export function placeOf({ platform, workspace, channel }: ChannelKey): ChannelKey {
  return { platform, workspace, channel };
}

const platforms = z.enum(["discord", "slack", "playground"]);
const weekdays = z.array(z.number());

/** The key of a row. */
export function toKey(row: {
  readonly platform: string;
  readonly workspace: string;
  readonly channel: string;
}): ChannelKey {
  return { platform: platforms.parse(row.platform), workspace: row.workspace, channel: row.channel };
}

export function toChannel(row: ChannelRow): Channel {
  return {
    ...toKey(row),
    schedule: { time: row.time, zone: row.zone, weekdays: weekdays.parse(JSON.parse(row.weekdays)) },
    top: row.top,
    paused: row.paused === 1 ? { until: row.paused_until, reason: row.paused_reason } : null,
    publish: row.publish === 1,
    next: row.next_at === null || row.next_slot === null ? null : { at: row.next_at, slot: row.next_slot },
    readFrom: row.read_from,
    version: row.version,
    setUpBy: row.set_up_by,
    lastNumber: row.last_number,
  };
}

type ChannelRow = Tables["channels"];
type SubscriptionRow = Tables["subscriptions"];
type ChannelRows = { readonly channel: ChannelRow; readonly subscriptions: readonly SubscriptionRow[] };

function personOf({ platform, workspace, person }: PersonKey): PersonKey {
  return { platform, workspace, person };
}

function hasSubscription(expression: ExpressionBuilder<Tables, "channels">) {
  return expression.exists(subscriptionsOf(expression).select("number"));
}

function subscriptionsOf(expression: ExpressionBuilder<Tables, "channels">) {
  return expression
    .selectFrom("subscriptions")
    .whereRef("subscriptions.platform", "=", "channels.platform")
    .whereRef("subscriptions.workspace", "=", "channels.workspace")
    .whereRef("subscriptions.channel", "=", "channels.channel");
}

async function readChannel(db: Database, key: ChannelKey): Promise<Channel | null> {
  const row = await db
    .selectFrom("channels")
    .selectAll()
    .where((expression) => expression.and(placeOf(key)))
    .executeTakeFirst();
  return row === undefined ? null : toChannel(row);
}

async function readSubscriptions(db: Database, key: ChannelKey): Promise<readonly Subscription[]> {
  const rows = await db
    .selectFrom("subscriptions")
    .selectAll()
    .where((expression) => expression.and(placeOf(key)))
    .orderBy("number")
    .execute();
  return rows.map(toSubscription);
}

function toSubscription(row: SubscriptionRow): Subscription {
  return { number: row.number, topic: row.topic, createdBy: row.created_by, createdAt: row.created_at };
}

/** The rows of a state: in the place of `key`, whatever place the state names. */
function toRows(key: ChannelKey, { channel, subscriptions }: ChannelState, version: number): ChannelRows {
  return {
    channel: {
      ...placeOf(key),
      time: channel.schedule.time,
      zone: channel.schedule.zone,
      weekdays: JSON.stringify(channel.schedule.weekdays),
      top: channel.top,
      paused: channel.paused === null ? 0 : 1,
      paused_until: channel.paused?.until ?? null,
      paused_reason: channel.paused?.reason ?? null,
      publish: channel.publish ? 1 : 0,
      next_at: channel.next?.at ?? null,
      next_slot: channel.next?.slot ?? null,
      read_from: channel.readFrom,
      version,
      set_up_by: channel.setUpBy,
      last_number: channel.lastNumber,
    },
    subscriptions: subscriptions
      .map(({ number, topic, createdBy, createdAt }) => ({
        ...placeOf(key),
        number,
        topic,
        created_by: createdBy,
        created_at: createdAt,
      }))
      .sort((a, b) => a.number - b.number),
  };
}

function sameRows(a: ChannelRows, b: ChannelRows): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

async function saveChannel(
  tx: Transaction<Tables>,
  key: ChannelKey,
  { channel, subscriptions }: ChannelRows,
): Promise<void> {
  await tx
    .insertInto("channels")
    .values(channel)
    .onConflict((conflict) => conflict.columns(["platform", "workspace", "channel"]).doUpdateSet(channel))
    .execute();
  await tx
    .deleteFrom("subscriptions")
    .where((expression) => expression.and(placeOf(key)))
    .execute();
  await inChunks(subscriptions, async (chunk) => {
    await tx.insertInto("subscriptions").values(chunk).execute();
    return [];
  });
}

/** All tables that keep something of a workspace. */
const OF_A_WORKSPACE = [
  "channels",
  "subscriptions",
  "deliveries",
  "delivered_papers",
  "saved_papers",
  "feedback",
  "mentions",
] as const;

/** From each workspace to the next along the table's key: `distinct` would read every row that was ever delivered. */
async function workspacesIn(
  db: Database,
  table: (typeof OF_A_WORKSPACE)[number],
  platform: Platform,
): Promise<readonly string[]> {
  const { rows } = await sql<{ readonly workspace: string }>`
    with recursive seen(workspace) as (
      select min(workspace) from ${sql.table(table)} where platform = ${platform} and workspace > ''
      union all
      select (
        select min(workspace) from ${sql.table(table)} where platform = ${platform} and workspace > seen.workspace
      ) from seen where seen.workspace is not null
    )
    select workspace from seen where workspace is not null`.execute(db);
  return rows.map(({ workspace }) => workspace);
}

/** @returns whether there was one */
async function deleteOneDeparted(tx: Transaction<Tables>, leftBefore: string): Promise<boolean> {
  const departed = await tx
    .selectFrom("departures")
    .select(["platform", "workspace"])
    .where("left_at", "<", leftBefore)
    .orderBy("left_at")
    .limit(1)
    .executeTakeFirst();
  if (departed === undefined) return false;
  for (const table of [...OF_A_WORKSPACE, "departures"] as const) {
    await tx
      .deleteFrom(table)
      .where("platform", "=", departed.platform)
      .where("workspace", "=", departed.workspace)
      .execute();
  }
  return true;
}

const VIEW_DAYS = 30;

const HOUR_MS = 3_600_000;

/** The instant before which a view is forgotten. */
function oldestView(now: string): string {
  return new Date(Date.parse(now) - VIEW_DAYS * 86_400_000).toISOString();
}

/** A few at a time: more than are kept by one call, so that none pile up, and never so many that a call is slow. */
async function forgetViews(tx: Transaction<Tables>, before: string): Promise<void> {
  await tx
    .deleteFrom("views")
    .where(
      "id",
      "in",
      tx.selectFrom("views").select("id").where("kept_at", "<", before).orderBy("kept_at").limit(20),
    )
    .execute();
}

const MENTION_DAYS = 365;
/** A paper is rarely shown more often in a channel; of one that is, the newest count. */
const MOST_MENTIONS = 100;

/** The instant before which a mention is forgotten. */
function oldestMention(now: string): string {
  return new Date(Date.parse(now) - MENTION_DAYS * 86_400_000).toISOString();
}

/** Newest first. */
async function readMentions(
  db: Database,
  key: ChannelKey,
  paperId: string,
  from: string,
): Promise<readonly Mention[]> {
  const rows = await db
    .selectFrom("mentions")
    .select(["ref", "at"])
    .where((expression) => expression.and({ ...placeOf(key), paper_id: paperId }))
    .where("at", ">=", from)
    .orderBy("at", "desc")
    .orderBy("ref", "desc")
    .limit(MOST_MENTIONS)
    .execute();
  return rows.map(({ ref, at }) => ({ paperId, ref, at }));
}

/** A few at a time, as with views. */
async function forgetMentions(tx: Transaction<Tables>, before: string): Promise<void> {
  const old = await tx
    .selectFrom("mentions")
    .selectAll()
    .where("at", "<", before)
    .orderBy("at")
    .limit(20)
    .execute();
  for (const { at: _, ...key } of old) {
    await tx
      .deleteFrom("mentions")
      .where((expression) => expression.and(key))
      .execute();
  }
}
