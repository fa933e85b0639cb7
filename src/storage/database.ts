import { existsSync, mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import SQLite from "better-sqlite3";
import { Kysely, SqliteAdapter, SqliteDialect } from "kysely";
import { type Migration, Migrator } from "kysely/migration";
import { migrations } from "./migrations.ts";

/** The tables, hand-written. Ids and instants are text, JSON is text, truth is 0 or 1. */
export type Tables = {
  papers: {
    id: string;
    title: string;
    /** The paper's other fields as JSON; `Paper` of core/paper.ts. */
    data: string;
    upvotes: number;
    comments: number;
    stars: number | null;
    summary: string | null;
    summary_method: string | null;
    listed_on: string | null;
    seen_at: string;
    revision: number;
  };
  lists: { day: string; seen_at: string };
  listings: { day: string; paper_id: string; position: number };
  snapshots: {
    paper_id: string;
    taken_at: string;
    upvotes: number;
    comments: number;
    stars: number | null;
  };
  counters: { name: string; value: number };
};

export type Database = Kysely<Tables>;

/** The store cannot be used; the message says why and what to do. */
export class DatabaseError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "DatabaseError";
  }
}

/**
 * Opens and migrates a SQLite database. Write-ahead log, and `synchronous=FULL`: with less, a power cut could
 * lose the last commits, and what was delivered would be delivered again.
 * @param path a file, made with its folder where it is missing, or `:memory:`
 * @throws DatabaseError
 */
export async function openSqlite(path: string): Promise<Database> {
  const file = path === ":memory:" ? path : resolve(path);
  const connection = connect(file);
  const db = new Kysely<Tables>({ dialect: new TransactionalSqliteDialect({ database: connection }) });
  try {
    await migrate(db, { backUp: () => backUp(connection, file) });
  } catch (error) {
    await db.destroy();
    throw error instanceof DatabaseError ? error : unusable(file, error);
  }
  return db;
}

/** SQLite rolls schema changes back like any other; Kysely's dialect does not count on it, so a failed migration would stay half-done. */
class TransactionalSqliteDialect extends SqliteDialect {
  override createAdapter(): SqliteAdapter {
    return new (class extends SqliteAdapter {
      override get supportsTransactionalDdl(): boolean {
        return true;
      }
    })();
  }
}

function connect(file: string): SQLite.Database {
  try {
    if (file !== ":memory:") mkdirSync(dirname(file), { recursive: true });
    const connection = new SQLite(file);
    try {
      connection.pragma("journal_mode = WAL");
      connection.pragma("synchronous = FULL");
      connection.pragma("foreign_keys = ON");
    } catch (error) {
      connection.close();
      throw error;
    }
    return connection;
  } catch (error) {
    throw unusable(file, error);
  }
}

function unusable(file: string, error: unknown): DatabaseError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const detail = error instanceof Error ? error.message : String(error);
  if (code === "SQLITE_NOTADB" || code.startsWith("SQLITE_CORRUPT")) {
    return new DatabaseError(
      `The store ${file} is damaged or no SQLite file (${detail}): move it away, or restore a backup beside it (${file}.backup-*).`,
      { cause: error },
    );
  }
  if (
    ["EACCES", "EPERM", "EROFS", "SQLITE_READONLY", "SQLITE_CANTOPEN", "ENOTDIR", "EEXIST"].includes(code) ||
    code.startsWith("SQLITE_READONLY") ||
    code.startsWith("SQLITE_CANTOPEN")
  ) {
    return new DatabaseError(
      `The store ${file} cannot be opened for writing (${detail}): check the folder's rights, or name another file, such as DATABASE_URL=sqlite:/var/lib/paperboy/paperboy.db.`,
      { cause: error },
    );
  }
  return new DatabaseError(`The store ${file} cannot be used: ${detail}.`, { cause: error });
}

/**
 * Brings a database to the newest schema.
 * @param options.backUp called before the first change to a store that holds something
 * @throws DatabaseError where the store was written by a newer program
 */
export async function migrate(
  db: Database,
  options: { readonly backUp?: (version: string) => Promise<void> } = {},
): Promise<void> {
  const known: Record<string, Migration> = migrations;
  const migrator = new Migrator({ db, provider: { getMigrations: async () => known } });
  const applied = await appliedMigrations(db);
  const newer = applied.filter((name) => known[name] === undefined);
  if (newer.length > 0) {
    throw new DatabaseError(
      `The store was written by a newer Paperboy (it knows ${newer.join(", ")}): update this program, or restore the backup that the newer one made beside the store.`,
    );
  }
  const pending = Object.keys(known).length - applied.length;
  if (pending === 0) return;
  const last = applied.at(-1);
  if (last !== undefined) await options.backUp?.(last);
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) {
    throw new DatabaseError(
      `The store could not be brought to the newest schema; it is as it was before: ${error instanceof Error ? error.message : String(error)}.`,
      { cause: error },
    );
  }
}

/** Names of the migrations that the store has, in order; none for a new store. */
async function appliedMigrations(db: Database): Promise<readonly string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some((table) => table.name === "kysely_migration")) return [];
  const rows = await db
    .withTables<{ kysely_migration: { name: string } }>()
    .selectFrom("kysely_migration")
    .select("name")
    .orderBy("name")
    .execute();
  return rows.map((row) => row.name);
}

async function backUp(connection: SQLite.Database, file: string): Promise<void> {
  if (file === ":memory:") return;
  const stamp = new Date().toISOString().replaceAll(":", "").slice(0, 17);
  const copy = `${file}.backup-${stamp}`;
  if (!existsSync(copy)) await connection.backup(copy);
}
