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
};
