import { PGlite } from "@electric-sql/pglite";
import { Kysely, PGliteDialect } from "kysely";
import { createChannelStore } from "../../src/storage/channels.ts";
import { type Database, migrate, openSqlite, type Tables } from "../../src/storage/database.ts";
import { createLedger } from "../../src/storage/ledger.ts";
import { channelStoreContract } from "../contracts/channel-store.ts";

const over = (db: Database) => ({
  channels: createChannelStore(db),
  ledger: createLedger(db),
  close: () => db.destroy(),
});

channelStoreContract("SQLite", async () => over(await openSqlite(":memory:")));

// One connection: it proves that the SQL is Postgres's too, not how it behaves under several writers.
channelStoreContract("PGlite", async () => {
  const db = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite: new PGlite() }) });
  await migrate(db);
  return over(db);
});
