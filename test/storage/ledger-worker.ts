import { parentPort, workerData } from "node:worker_threads";
import { createChannelStore } from "../../src/storage/channels.ts";
import { openSqlite } from "../../src/storage/database.ts";
import { createLedger } from "../../src/storage/ledger.ts";

/** Another process on the same file: claims all that it can, a few at a time, and changes a channel each time. */
const { file, owner, key } = workerData;
const db = await openSqlite(file);
const [ledger, channels] = [createLedger(db), createChannelStore(db)];
const taken: string[] = [];
let changes = 0;
for (;;) {
  const rows = await ledger.claim({
    owner,
    now: "2026-04-21",
    leaseUntil: "2027-01-01",
    limit: 3,
    platforms: ["slack"],
  });
  if (rows.length === 0) break;
  taken.push(...rows.map((row) => row.id));
  await channels.change(
    key,
    (now) => now && { ...now, channel: { ...now.channel, lastNumber: now.channel.lastNumber + 1 } },
  );
  changes += 1;
}
await db.destroy();
parentPort?.postMessage({ taken, changes });
