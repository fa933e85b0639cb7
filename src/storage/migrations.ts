import { randomInt } from "node:crypto";
import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** In order of their names. A migration that has shipped never changes. */
export const migrations: Record<string, Migration> = {
  "0001-papers": {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable("papers")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("title", "text", (column) => column.notNull())
        .addColumn("data", "text", (column) => column.notNull())
        .addColumn("upvotes", "integer", (column) => column.notNull())
        .addColumn("comments", "integer", (column) => column.notNull())
        .addColumn("stars", "integer")
        .addColumn("summary", "text")
        .addColumn("summary_method", "text")
        .addColumn("listed_on", "text")
        .addColumn("seen_at", "text", (column) => column.notNull())
        .addColumn("revision", "integer", (column) => column.notNull())
        .execute();
      await db.schema.createIndex("papers_revision").on("papers").column("revision").unique().execute();
      await db.schema
        .createTable("lists")
        .addColumn("day", "text", (column) => column.primaryKey())
        .addColumn("seen_at", "text", (column) => column.notNull())
        .execute();
      await db.schema
        .createTable("listings")
        .addColumn("day", "text", (column) => column.notNull().references("lists.day"))
        .addColumn("paper_id", "text", (column) => column.notNull().references("papers.id"))
        .addColumn("position", "integer", (column) => column.notNull())
        .addPrimaryKeyConstraint("listings_key", ["day", "paper_id"])
        .execute();
      await db.schema.createIndex("listings_paper").on("listings").column("paper_id").execute();
      await db.schema
        .createTable("snapshots")
        .addColumn("paper_id", "text", (column) => column.notNull().references("papers.id"))
        .addColumn("taken_at", "text", (column) => column.notNull())
        .addColumn("upvotes", "integer", (column) => column.notNull())
        .addColumn("comments", "integer", (column) => column.notNull())
        .addColumn("stars", "integer")
        .addPrimaryKeyConstraint("snapshots_key", ["paper_id", "taken_at"])
        .execute();
      await db.schema
        .createTable("counters")
        .addColumn("name", "text", (column) => column.primaryKey())
        .addColumn("value", "integer", (column) => column.notNull())
        .execute();
      // Tells this store from any other, so that what was derived from one is never taken for another's.
      await sql`insert into counters (name, value) values ('store-id', ${randomInt(2 ** 31)})`.execute(db);
    },
  },
  "0002-channels": {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable("channels")
        .addColumn("platform", "text", (column) => column.notNull())
        .addColumn("workspace", "text", (column) => column.notNull())
        .addColumn("channel", "text", (column) => column.notNull())
        .addColumn("time", "text", (column) => column.notNull())
        .addColumn("zone", "text", (column) => column.notNull())
        .addColumn("weekdays", "text", (column) => column.notNull())
        .addColumn("top", "integer", (column) => column.notNull())
        .addColumn("paused", "integer", (column) => column.notNull())
        .addColumn("paused_until", "text")
        .addColumn("paused_reason", "text")
        .addColumn("next_at", "text")
        .addColumn("next_slot", "text")
        .addColumn("read_from", "text", (column) => column.notNull())
        .addColumn("version", "integer", (column) => column.notNull())
        .addColumn("set_up_by", "text", (column) => column.notNull())
        .addColumn("last_number", "integer", (column) => column.notNull())
        .addPrimaryKeyConstraint("channels_key", ["platform", "workspace", "channel"])
        .execute();
      await db.schema
        .createIndex("channels_next")
        .on("channels")
        .column("next_at")
        .where("next_at", "is not", null)
        .execute();
      await db.schema
        .createTable("subscriptions")
        .addColumn("platform", "text", (column) => column.notNull())
        .addColumn("workspace", "text", (column) => column.notNull())
        .addColumn("channel", "text", (column) => column.notNull())
        .addColumn("number", "integer", (column) => column.notNull())
        .addColumn("topic", "text", (column) => column.notNull())
        .addColumn("created_by", "text", (column) => column.notNull())
        .addColumn("created_at", "text", (column) => column.notNull())
        .addPrimaryKeyConstraint("subscriptions_key", ["platform", "workspace", "channel", "number"])
        .execute();
      await db.schema
        .createTable("deliveries")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("platform", "text", (column) => column.notNull())
        .addColumn("workspace", "text", (column) => column.notNull())
        .addColumn("channel", "text", (column) => column.notNull())
        .addColumn("kind", "text", (column) => column.notNull())
        .addColumn("slot", "text", (column) => column.notNull())
        .addColumn("due_at", "text", (column) => column.notNull())
        .addColumn("outcome", "text", (column) => column.notNull())
        .addColumn("detail", "text", (column) => column.notNull())
        .addColumn("attempts", "integer", (column) => column.notNull())
        .addColumn("next_attempt_at", "text", (column) => column.notNull())
        .addColumn("claim_at", "text")
        .addColumn("owner", "text")
        .addColumn("content", "text")
        .addColumn("paper_ids", "text", (column) => column.notNull())
        .addColumn("shown", "integer", (column) => column.notNull())
        .addColumn("ref", "text")
        .addColumn("settled_at", "text")
        // The slot before the kind: a channel's history is read along this key.
        .addUniqueConstraint("deliveries_key", ["platform", "workspace", "channel", "slot", "kind"])
        .execute();
      // Only what is on the way: as quick to search after years as on the first day.
      await db.schema
        .createIndex("deliveries_claim")
        .on("deliveries")
        .columns(["claim_at", "id"])
        .where("claim_at", "is not", null)
        .execute();
      await db.schema
        .createTable("delivered_papers")
        .addColumn("platform", "text", (column) => column.notNull())
        .addColumn("workspace", "text", (column) => column.notNull())
        .addColumn("channel", "text", (column) => column.notNull())
        .addColumn("paper_id", "text", (column) => column.notNull())
        .addPrimaryKeyConstraint("delivered_papers_key", ["platform", "workspace", "channel", "paper_id"])
        .execute();
      await db.schema
        .createTable("saved_papers")
        .addColumn("platform", "text", (column) => column.notNull())
        .addColumn("workspace", "text", (column) => column.notNull())
        .addColumn("person", "text", (column) => column.notNull())
        .addColumn("paper_id", "text", (column) => column.notNull())
        .addColumn("saved_at", "text", (column) => column.notNull())
        .addPrimaryKeyConstraint("saved_papers_key", ["platform", "workspace", "person", "paper_id"])
        .execute();
      await db.schema
        .createTable("feedback")
        .addColumn("platform", "text", (column) => column.notNull())
        .addColumn("workspace", "text", (column) => column.notNull())
        .addColumn("channel", "text", (column) => column.notNull())
        .addColumn("person", "text", (column) => column.notNull())
        .addColumn("paper_id", "text", (column) => column.notNull())
        .addColumn("value", "integer", (column) => column.notNull())
        .addColumn("given_at", "text", (column) => column.notNull())
        .addPrimaryKeyConstraint("feedback_key", ["platform", "workspace", "channel", "person", "paper_id"])
        .execute();
      await db.schema
        .createIndex("feedback_person")
        .on("feedback")
        .columns(["platform", "workspace", "person"])
        .execute();
      await db.schema
        .createTable("views")
        .addColumn("id", "text", (column) => column.primaryKey())
        .addColumn("text", "text", (column) => column.notNull())
        .addColumn("kept_at", "text", (column) => column.notNull())
        .execute();
      await db.schema.createIndex("views_kept").on("views").column("kept_at").execute();
    },
  },
  "0003-playground": {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable("playground_messages")
        .addColumn("ref", "text", (column) => column.primaryKey())
        .addColumn("workspace", "text", (column) => column.notNull())
        .addColumn("channel", "text", (column) => column.notNull())
        .addColumn("nonce", "text")
        .addColumn("position", "integer", (column) => column.notNull())
        .addColumn("revision", "integer", (column) => column.notNull())
        .addColumn("body", "text", (column) => column.notNull())
        .addUniqueConstraint("playground_messages_nonce", ["workspace", "channel", "nonce"])
        .execute();
      await db.schema
        .createIndex("playground_messages_place")
        .on("playground_messages")
        .columns(["workspace", "channel", "position"])
        .execute();
      await db.schema
        .createIndex("playground_messages_revision")
        .on("playground_messages")
        .column("revision")
        .unique()
        .execute();
    },
  },
  "0004-workspaces": {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema.alterTable("deliveries").addColumn("person", "text").execute();
      await db.schema
        .alterTable("deliveries")
        .addColumn("failures", "integer", (column) => column.notNull().defaultTo(0))
        .execute();
      await db.schema
        .alterTable("deliveries")
        .addColumn("uncertain", "integer", (column) => column.notNull().defaultTo(0))
        .execute();
      await db.schema
        .alterTable("channels")
        .addColumn("publish", "integer", (column) => column.notNull().defaultTo(0))
        .execute();
      await db.schema
        .createTable("departures")
        .addColumn("platform", "text", (column) => column.notNull())
        .addColumn("workspace", "text", (column) => column.notNull())
        .addColumn("left_at", "text", (column) => column.notNull())
        .addPrimaryKeyConstraint("departures_key", ["platform", "workspace"])
        .execute();
      // The platform first: what piles up for one whose bot does not run slows down no other.
      await db.schema.dropIndex("channels_next").execute();
      await db.schema
        .createIndex("channels_next")
        .on("channels")
        .columns(["platform", "next_at"])
        .where("next_at", "is not", null)
        .execute();
      await db.schema.dropIndex("deliveries_claim").execute();
      await db.schema
        .createIndex("deliveries_claim")
        .on("deliveries")
        .columns(["platform", "claim_at", "id"])
        .where("claim_at", "is not", null)
        .execute();
    },
  },
  "0005-installations": {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable("installations")
        .addColumn("id", "text", (column) => column.notNull())
        .addColumn("is_org", "integer", (column) => column.notNull())
        .addColumn("installed_at", "text", (column) => column.notNull())
        .addColumn("key_id", "text", (column) => column.notNull())
        .addColumn("nonce", "text", (column) => column.notNull())
        .addColumn("ciphertext", "text", (column) => column.notNull())
        .addPrimaryKeyConstraint("installations_key", ["id", "is_org"])
        .execute();
      await db.schema
        .createTable("assignments")
        .addColumn("workspace", "text", (column) => column.primaryKey())
        .addColumn("organization", "text", (column) => column.notNull())
        .execute();
    },
  },
  "0006-mentions": {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable("mentions")
        .addColumn("platform", "text", (column) => column.notNull())
        .addColumn("workspace", "text", (column) => column.notNull())
        .addColumn("channel", "text", (column) => column.notNull())
        .addColumn("paper_id", "text", (column) => column.notNull())
        .addColumn("ref", "text", (column) => column.notNull())
        .addColumn("at", "text", (column) => column.notNull())
        .addPrimaryKeyConstraint("mentions_key", ["platform", "workspace", "channel", "paper_id", "ref"])
        .execute();
      await db.schema.createIndex("mentions_at").on("mentions").column("at").execute();
    },
  },
};
