import { sql, type Transaction } from "kysely";
import type { ChannelKey } from "../core/channel.ts";
import { type Database, type Tables, write } from "./database.ts";

/** What a channel keeps. */
const KEPT = 500;

type LoggedMessage = {
  readonly ref: string;
  readonly channel: ChannelKey;
  readonly revision: number;
  readonly body: string;
};

/**
 * The messages that the playground's channels hold, over a migrated database: the port `MessageLog` of
 * bots/playground. Revisions grow with every append and replacement; a channel keeps its newest 500 messages.
 */
export function createMessageLog(db: Database) {
  return {
    append: ({
      channel,
      nonce,
      body,
    }: {
      readonly channel: ChannelKey;
      readonly nonce: string | null;
      readonly body: string;
    }): Promise<LoggedMessage & { readonly isNew: boolean }> =>
      write(db, async (tx) => {
        const revision = await takeRevision(tx);
        const standing =
          nonce === null
            ? undefined
            : await inChannel(tx, channel).where("nonce", "=", nonce).executeTakeFirst();
        if (standing !== undefined) return { ...toMessage(standing), isNew: false };
        const row = { ref: String(revision), ...place(channel), nonce, revision, position: revision, body };
        await tx.insertInto("playground_messages").values(row).execute();
        await trim(tx, channel);
        return { ...toMessage(row), isNew: true };
      }),

    replace: (ref: string, body: string): Promise<LoggedMessage | null> =>
      write(db, async (tx) => {
        const revision = await takeRevision(tx);
        const row = await tx
          .updateTable("playground_messages")
          .set({ body, revision })
          .where("ref", "=", ref)
          .returningAll()
          .executeTakeFirst();
        return row === undefined ? null : toMessage(row);
      }),

    async find(ref: string): Promise<LoggedMessage | null> {
      const row = await db
        .selectFrom("playground_messages")
        .selectAll()
        .where("ref", "=", ref)
        .executeTakeFirst();
      return row === undefined ? null : toMessage(row);
    },

    async list(channel: ChannelKey, limit: number): Promise<readonly LoggedMessage[]> {
      const rows = await inChannel(db, channel).orderBy("position", "desc").limit(limit).execute();
      return rows.reverse().map(toMessage);
    },

    async since(revision: number, limit: number): Promise<readonly LoggedMessage[]> {
      const rows = await db
        .selectFrom("playground_messages")
        .selectAll()
        .where("revision", ">", revision)
        .orderBy("revision")
        .limit(limit)
        .execute();
      return rows.map(toMessage);
    },

    /** How far the playground's clock is moved, in seconds; null where it never was. */
    async clockOffset(): Promise<number | null> {
      const row = await db
        .selectFrom("counters")
        .select("value")
        .where("name", "=", CLOCK_OFFSET)
        .executeTakeFirst();
      return row === undefined ? null : Number(row.value);
    },

    async keepClockOffset(seconds: number): Promise<void> {
      await write(db, (tx) =>
        tx
          .insertInto("counters")
          .values({ name: CLOCK_OFFSET, value: Math.round(seconds) })
          .onConflict((conflict) => conflict.column("name").doUpdateSet({ value: Math.round(seconds) }))
          .execute(),
      );
    },

    /** Deletes all that the playground's channels and people ever did. Revisions go on, so that windows notice. */
    clear: (): Promise<void> =>
      write(db, async (tx) => {
        for (const table of [
          "subscriptions",
          "deliveries",
          "delivered_papers",
          "feedback",
          "saved_papers",
          "channels",
        ] as const) {
          await tx.deleteFrom(table).where("platform", "=", "playground").execute();
        }
        await tx.deleteFrom("playground_messages").execute();
        await tx.deleteFrom("counters").where("name", "=", CLOCK_OFFSET).execute();
      }),

    async revision(): Promise<number> {
      const row = await db
        .selectFrom("counters")
        .select("value")
        .where("name", "=", COUNTER)
        .executeTakeFirst();
      return Number(row?.value ?? 0);
    },
  };
}

const COUNTER = "playground-revision";
const CLOCK_OFFSET = "playground-clock";

async function takeRevision(tx: Transaction<Tables>): Promise<number> {
  const row = await tx
    .insertInto("counters")
    .values({ name: COUNTER, value: 1 })
    .onConflict((conflict) => conflict.column("name").doUpdateSet({ value: sql<number>`counters.value + 1` }))
    .returning("value")
    .executeTakeFirstOrThrow();
  return Number(row.value);
}

function place({ workspace, channel }: ChannelKey) {
  return { workspace, channel };
}

function inChannel(db: Database, { workspace, channel }: ChannelKey) {
  return db
    .selectFrom("playground_messages")
    .selectAll()
    .where("workspace", "=", workspace)
    .where("channel", "=", channel);
}

async function trim(tx: Transaction<Tables>, channel: ChannelKey): Promise<void> {
  const oldest = await inChannel(tx, channel)
    .orderBy("position", "desc")
    .offset(KEPT)
    .limit(1)
    .executeTakeFirst();
  if (oldest === undefined) return;
  await tx
    .deleteFrom("playground_messages")
    .where("workspace", "=", channel.workspace)
    .where("channel", "=", channel.channel)
    .where("position", "<=", oldest.position)
    .execute();
}

function toMessage(row: Tables["playground_messages"]): LoggedMessage {
  const { ref, workspace, channel, body } = row;
  return {
    ref,
    channel: { platform: "playground", workspace, channel },
    revision: Number(row.revision),
    body,
  };
}
