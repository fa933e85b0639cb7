import { createHash } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import SQLite from "better-sqlite3";
import {
  type DatabaseConnection,
  type Driver,
  Kysely,
  type RawBuilder,
  SqliteAdapter,
  SqliteDialect,
  sql,
  type Transaction,
} from "kysely";
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
  channels: Place & {
    time: string;
    zone: string;
    /** JSON array of ISO weekdays. */
    weekdays: string;
    top: number;
    paused: 0 | 1;
    paused_until: string | null;
    paused_reason: string | null;
    publish: 0 | 1;
    next_at: string | null;
    next_slot: string | null;
    read_from: string;
    version: number;
    set_up_by: string;
    last_number: number;
  };
  subscriptions: Place & { number: number; topic: string; created_by: string; created_at: string };
  deliveries: Place & {
    id: string;
    kind: string;
    slot: string;
    person: string | null;
    due_at: string;
    outcome: string;
    detail: string;
    attempts: number;
    failures: number;
    uncertain: 0 | 1;
    next_attempt_at: string;
    /** When the next claim may take it: its next attempt, or the end of its owner's lease; null once settled. */
    claim_at: string | null;
    owner: string | null;
    /** JSON, `Message` of core/message.ts; null before it is frozen and once settled. */
    content: string | null;
    /** JSON array. */
    paper_ids: string;
    shown: number;
    ref: string | null;
    settled_at: string | null;
  };
  delivered_papers: Place & { paper_id: string };
  saved_papers: { platform: string; workspace: string; person: string; paper_id: string; saved_at: string };
  feedback: Place & { person: string; paper_id: string; value: number; given_at: string };
  /** Which message showed which paper. */
  mentions: Place & { paper_id: string; ref: string; at: string };
  /** The workspaces that the app was removed from, until it is back. */
  departures: { platform: string; workspace: string; left_at: string };
  views: { id: string; text: string; kept_at: string };
  installations: {
    id: string;
    is_org: 0 | 1;
    installed_at: string;
    key_id: string;
    /** Base64; a fresh one with every encryption. */
    nonce: string;
    /** Base64 of AES-256-GCM's output, the 16 bytes of its tag last. */
    ciphertext: string;
  };
  /** The organization whose installation serves a workspace. */
  assignments: { workspace: string; organization: string };
  /** What the playground's channels hold. */
  playground_messages: {
    ref: string;
    workspace: string;
    channel: string;
    nonce: string | null;
    /** The revision that it came with. */
    position: number;
    revision: number;
    /** JSON that only the playground's bot reads. */
    body: string;
  };
};

/** A channel in a key; `workspace` is `''` where there is none, since NULLs are distinct in unique keys. */
type Place = { platform: string; workspace: string; channel: string };

export type Database = Kysely<Tables>;

/**
 * One transaction that writes. It begins with a write to a row that every store has, so that writers take turns on
 * any database: SQLite takes its lock at once and waits for another process instead of failing half-way, when a read
 * would have to become a write, and Postgres makes the second writer read what the first one wrote.
 */
export async function write<T>(db: Database, run: (tx: Transaction<Tables>) => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + LOCK_MS;
  for (;;) {
    let isLocked = false;
    try {
      return await db.transaction().execute(async (tx) => {
        await tx
          .updateTable("counters")
          .set((expression) => ({ value: expression.ref("value") }))
          .where("name", "=", "store-id")
          .execute();
        isLocked = true;
        return run(tx);
      });
    } catch (error) {
      if (isLocked || !isBusy(error) || performance.now() > giveUpAt) throw error;
    }
    // Another process writes. SQLite would wait for it too, and hold the event loop for so long.
    await new Promise((resolve) => setTimeout(resolve, 2 + 8 * Math.random()));
  }
}

/** No transaction takes this long: a writer that gets no turn within it finds something wrong. */
const LOCK_MS = 20_000;
/** What SQLite itself waits for a lock, with the event loop held. */
const BUSY_TIMEOUT_MS = 10;

/** Statements stay well under the 32,766 variables that SQLite takes, and under a few milliseconds. */
export async function inChunks<T, R>(
  items: readonly T[],
  run: (chunk: T[]) => Promise<readonly R[]>,
): Promise<R[]> {
  const results: R[] = [];
  for (let start = 0; start < items.length; start += 200) {
    results.push(...(await run(items.slice(start, start + 200))));
  }
  return results;
}

/**
 * Rows of a statement's own, for `with("given(a, b)", …)`: one statement then changes many rows, each in its own
 * way. Numbers are cast, since Postgres takes a bare parameter for text.
 * @param rows at least one
 */
export function given<Row extends Record<string, string | number | null>>(
  rows: readonly Row[],
  columns: readonly (keyof Row & string)[],
): RawBuilder<Row> {
  const value = (item: string | number | null | undefined) =>
    typeof item === "number" ? sql`cast(${item} as integer)` : sql`cast(${item ?? null} as text)`;
  const lines = rows.map((row) => sql`(${sql.join(columns.map((column) => value(row[column])))})`);
  return sql<Row>`(values ${sql.join(lines)})`;
}

/** Twenty characters that stand for a text: 120 bits of its SHA-256, in letters that ids may have anywhere. */
export function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 20);
}

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
  for (let left = BUSY_TRIES; ; left--) {
    try {
      return await openOnce(file);
    } catch (error) {
      if (left === 0 || !isBusy(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, BUSY_WAIT_MS));
    }
  }
}

/** Another process makes or changes the same store: it takes a moment, and this one waits for it. */
const BUSY_TRIES = 100;
const BUSY_WAIT_MS = 100;

function isBusy(error: unknown): boolean {
  const cause = error instanceof DatabaseError ? error.cause : error;
  return cause instanceof Error && "code" in cause && String(cause.code).startsWith("SQLITE_BUSY");
}

async function openOnce(file: string): Promise<Database> {
  const connection = connect(file);
  const db = new Kysely<Tables>({ dialect: new TransactionalSqliteDialect(connection) });
  try {
    await migrate(db, { backUp: () => backUp(connection, file) });
  } catch (error) {
    await db.destroy();
    throw error instanceof DatabaseError ? error : storeError(file, error);
  }
  return db;
}

/** Kysely's dialect, with three things of SQLite's that it does not count on. */
class TransactionalSqliteDialect extends SqliteDialect {
  readonly #connection: SQLite.Database;

  constructor(connection: SQLite.Database) {
    super({ database: connection });
    this.#connection = connection;
  }

  /** On a full disk SQLite rolls back by itself; a second rollback would hide why. */
  override createDriver(): Driver {
    const driver = super.createDriver();
    const acquire = driver.acquireConnection.bind(driver);
    const turn = createTurns();
    let connection: DatabaseConnection | null = null;
    driver.acquireConnection = async (...args) => {
      connection ??= inTurns(await acquire(...args), turn);
      return connection;
    };
    const rollback = driver.rollbackTransaction.bind(driver);
    driver.rollbackTransaction = async (...args) => {
      if (this.#connection.inTransaction) await rollback(...args);
    };
    return driver;
  }

  /** Schema changes are rolled back like any other, so that a failed migration leaves nothing half-done. */
  override createAdapter(): SqliteAdapter {
    return new (class extends SqliteAdapter {
      override get supportsTransactionalDdl(): boolean {
        return true;
      }
    })();
  }
}

/** SQLite answers at once, so that one query after another would hold the event loop: each waits for its turn. */
function inTurns(connection: DatabaseConnection, turn: () => Promise<void>): DatabaseConnection {
  return {
    async executeQuery(...args) {
      await turn();
      return connection.executeQuery(...args);
    },
    streamQuery: (...args) => connection.streamQuery(...args),
  };
}

const LONGEST_TURN_MS = 5;

/** Resolves at once while the event loop has not been held for long, else when it has been round once. */
function createTurns(): () => Promise<void> {
  let current: { readonly began: number; readonly over: Promise<void> } | null = null;
  return async () => {
    for (;;) {
      current ??= {
        began: performance.now(),
        over: new Promise((resolve) => {
          setImmediate(() => {
            current = null;
            resolve();
          });
        }),
      };
      if (performance.now() - current.began < LONGEST_TURN_MS) return;
      await current.over;
    }
  };
}

function connect(file: string): SQLite.Database {
  try {
    if (file !== ":memory:") makeFolder(dirname(file));
    const connection = new SQLite(file, { timeout: BUSY_TIMEOUT_MS });
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
    throw storeError(file, error);
  }
}

/** Folder by folder: Node's own recursive mkdir never returns where /proc refuses it. */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(dirname(folder));
  mkdirSync(folder);
}

/** What SQLite or the file system said of a store, as a sentence with what to do. */
export function storeError(file: string, error: unknown): DatabaseError {
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
  if (code === "SQLITE_FULL" || code === "ENOSPC" || code.startsWith("SQLITE_IOERR")) {
    return new DatabaseError(
      `The store ${file} could not be written (${detail}): make room on the disk; what was kept before stands.`,
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
