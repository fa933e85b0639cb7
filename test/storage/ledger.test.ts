import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { PGlite } from "@electric-sql/pglite";
import { Kysely, PGliteDialect } from "kysely";
import { expect, test } from "vitest";
import type { ChannelKey } from "../../src/core/channel.ts";
import { createChannelStore } from "../../src/storage/channels.ts";
import { type Database, migrate, openSqlite, type Tables } from "../../src/storage/database.ts";
import { createLedger } from "../../src/storage/ledger.ts";
import { madeUpState } from "../contracts/channel-store.ts";
import { ledgerContract } from "../contracts/ledger.ts";

const over = (db: Database) => ({
  ledger: createLedger(db),
  channels: createChannelStore(db),
  close: () => db.destroy(),
});

ledgerContract("SQLite", async () => over(await openSqlite(":memory:")));

// One connection: it proves that the SQL is Postgres's too, not how it behaves under several writers.
ledgerContract("PGlite", async () => {
  const db = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite: new PGlite() }) });
  await migrate(db);
  return over(db);
});

test("writers with connections of their own to one file take turns, and none fails", async () => {
  const folder = mkdtempSync(join(tmpdir(), "paperboy-ledger-"));
  try {
    const file = join(folder, "paperboy.db");
    const key: ChannelKey = { platform: "slack", workspace: "T1", channel: "shared" };
    const { ledger, channels, close } = over(await openSqlite(file));
    await channels.change(key, () => madeUpState(key));
    for (let index = 0; index < 90; index++) {
      const channel = `C${index}`;
      await ledger.enter({
        ...key,
        channel,
        kind: "notice",
        slot: "2026-04-20",
        person: null,
        dueAt: "2026",
        content: null,
      });
    }
    const results = await Promise.all(
      ["one", "two", "three"].map((owner) => runWorker({ file, owner, key })),
    );
    const taken = results.flatMap((result) => result.taken);
    expect(taken).toHaveLength(90);
    expect(new Set(taken).size).toBe(90);
    const changes = results.reduce((sum, result) => sum + result.changes, 0);
    expect(await channels.channel(key)).toMatchObject({ version: 1 + changes, lastNumber: 1 + changes });
    await close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

async function runWorker(
  workerData: unknown,
): Promise<{ readonly taken: readonly string[]; readonly changes: number }> {
  const worker = new Worker(new URL("./ledger-worker.ts", import.meta.url), { workerData });
  const [result] = await once(worker, "message");
  return result;
}
