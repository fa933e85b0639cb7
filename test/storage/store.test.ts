import { PGlite } from "@electric-sql/pglite";
import { Kysely, PGliteDialect } from "kysely";
import { migrate, openSqlite, type Tables } from "../../src/storage/database.ts";
import { createStore } from "../../src/storage/store.ts";
import { storeContract } from "../contracts/store.ts";

storeContract("SQLite", async () => createStore(await openSqlite(":memory:")));

// One connection: it proves that the SQL is Postgres's too, not how it behaves under several writers.
storeContract("PGlite", async () => {
  const db = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite: new PGlite() }) });
  await migrate(db);
  return createStore(db);
});
