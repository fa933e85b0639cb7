import { chmodSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import SQLite from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { migrations } from "../../src/storage/migrations.ts";
import { createChannelStore } from "../../src/storage/channels.ts";
import { openSqlite, write } from "../../src/storage/database.ts";
import { createLedger } from "../../src/storage/ledger.ts";

const folder = () => mkdtempSync(join(tmpdir(), "paperboy-database-"));

describe("opening a SQLite store", () => {
  test("makes the file and its folder, with a write-ahead log", async () => {
    const file = join(folder(), "deep", "er", "paperboy.db");
    await (await openSqlite(file)).destroy();
    const connection = new SQLite(file);
    expect(connection.pragma("journal_mode", { simple: true })).toBe("wal");
    connection.close();
  });

  test("refuses a file that is no store, and leaves it as it is", async () => {
    const file = join(folder(), "paperboy.db");
    writeFileSync(file, "these are my notes, not a store, and they are longer than a header ".repeat(20));
    const before = readFileSync(file);
    await expect(openSqlite(file)).rejects.toThrow(/damaged or no SQLite file.*move it away/);
    expect(readFileSync(file)).toEqual(before);
  });

  test("refuses a folder in the place of the file in one sentence", async () => {
    await expect(openSqlite(folder())).rejects.toThrow(/cannot be opened for writing/);
  });

  test.skipIf(process.getuid?.() === 0)("refuses a folder without rights in one sentence", async () => {
    const locked = folder();
    chmodSync(locked, 0o500);
    await expect(openSqlite(join(locked, "paperboy.db"))).rejects.toThrow(/cannot be opened for writing/);
  });

  test("refuses a store that a newer program wrote", async () => {
    const file = join(folder(), "paperboy.db");
    await (await openSqlite(file)).destroy();
    const connection = new SQLite(file);
    connection.prepare("insert into kysely_migration (name, timestamp) values ('9999-future', 'x')").run();
    connection.close();
    await expect(openSqlite(file)).rejects.toThrow(/newer Paperboy.*9999-future.*update this program/);
  });

  test("makes a backup before it changes an older store, and none otherwise", async () => {
    const where = folder();
    const file = join(where, "paperboy.db");
    await (await openSqlite(file)).destroy();
    await (await openSqlite(file)).destroy();
    expect(readdirSync(where).filter((name) => name.includes("backup"))).toEqual([]);
    migrations["9998-test"] = {
      up: async (db) => db.schema.createTable("later").addColumn("id", "text").execute(),
    };
    try {
      await (await openSqlite(file)).destroy();
    } finally {
      delete migrations["9998-test"];
    }
    const backups = readdirSync(where).filter((name) => name.includes("backup"));
    expect(backups).toHaveLength(1);
    const copy = new SQLite(join(where, backups[0]!), { readonly: true });
    expect(copy.prepare("select name from kysely_migration").pluck().all()).toEqual(Object.keys(migrations));
    copy.close();
  });

  test("gives an older store's channels and deliveries what they lack", async () => {
    const file = join(folder(), "paperboy.db");
    const later = Object.entries(migrations).filter(([name]) => name >= "0004");
    for (const [name] of later) delete migrations[name];
    try {
      await (await openSqlite(file)).destroy();
    } finally {
      Object.assign(migrations, Object.fromEntries(later));
    }
    const connection = new SQLite(file);
    connection.exec(`
      insert into channels values ('slack', 'T1', 'C1', '09:00', 'UTC', '[1]', 5, 0, null, null,
        '2026-04-21T09:00:00.000Z', '2026-04-21', '2026-04-20', 3, 'ada', 1);
      insert into deliveries values ('d1', 'slack', 'T1', 'C1', 'digest', '2026-04-20', '2026-04-20T09:00:00.000Z',
        'pending', '', 2, '2026-04-20T09:10:00.000Z', '2026-04-20T09:10:00.000Z', null, null, '[]', 0, null, null);
    `);
    connection.close();
    const db = await openSqlite(file);
    const key = { platform: "slack", workspace: "T1", channel: "C1" } as const;
    const ledger = createLedger(db);
    expect(await createChannelStore(db).channel(key)).toMatchObject({ version: 3, publish: false });
    expect(await ledger.history(key, 9)).toMatchObject([
      { id: "d1", person: null, attempts: 2, failures: 0 },
    ]);
    expect(await ledger.nextAttemptAt(["slack"])).toBe("2026-04-20T09:10:00.000Z");
    await db.destroy();
  });

  test("leaves the store as it was when a migration fails", async () => {
    const file = join(folder(), "paperboy.db");
    await (await openSqlite(file)).destroy();
    migrations["9998-test"] = {
      up: async (db) => {
        await db.schema.createTable("half").addColumn("id", "text").execute();
        throw new Error("no space left");
      },
    };
    try {
      await expect(openSqlite(file)).rejects.toThrow(/as it was before: no space left/);
    } finally {
      delete migrations["9998-test"];
    }
    const db = await openSqlite(file);
    expect((await db.introspection.getTables()).map((table) => table.name)).not.toContain("half");
    await db.destroy();
  });
});

describe("a SQLite store in use", () => {
  test("lets others have the event loop between its queries", async () => {
    const db = await openSqlite(":memory:");
    let turns = 0;
    const count = () => {
      turns += 1;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    for (let asked = 0; asked < 40; asked++) {
      await db.selectFrom("views").selectAll().execute();
      const until = performance.now() + 1;
      while (performance.now() < until);
    }
    clearImmediate(timer);
    expect(turns).toBeGreaterThan(3);
    await db.destroy();
  });

  test("waits for another process's lock without holding the event loop", async () => {
    const file = join(folder(), "paperboy.db");
    const [one, other] = [await openSqlite(file), await openSqlite(file)];
    const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
    const { promise: hasBegun, resolve: begin } = Promise.withResolvers<void>();
    const first = write(one, async () => {
      begin();
      await isOver;
      return "first";
    });
    await hasBegun;
    const asked = performance.now();
    const second = write(other, async () => "second");
    expect(await other.selectFrom("views").selectAll().execute()).toEqual([]);
    expect(performance.now() - asked).toBeLessThan(2000);
    end();
    expect(await Promise.all([first, second])).toEqual(["first", "second"]);
    await Promise.all([one.destroy(), other.destroy()]);
  });
});
