import { setTimeout as sleep } from "node:timers/promises";
import { createSender } from "../../src/core/sender.ts";
import { createChannelStore } from "../../src/storage/channels.ts";
import { openSqlite } from "../../src/storage/database.ts";
import { createLedger } from "../../src/storage/ledger.ts";
import { createStore } from "../../src/storage/store.ts";
import { createFakeBot } from "../peers/fake-bot.ts";

/**
 * One life of a process that sends: `kill-loop-process.ts <database> <platform's file> <instant>
 * <repeat|repeat-once|settle> <owner>`. Its clock begins at the instant, so that the next life finds the leases of this one over. Prints a line when
 * it begins to send; ends by itself when nothing is left.
 */
const [database = "", platform = "", instant = "", memory = "", owner = ""] = process.argv.slice(2);
const began = Date.now();
const clock = () => new Date(Date.parse(instant) + Date.now() - began);
const db = await openSqlite(database);
const ledger = createLedger(db);
const bot = createFakeBot({
  file: platform,
  afterUncertain: memory === "repeat" || memory === "repeat-once" ? memory : "settle",
  rates: {
    retry: 0.02,
    "uncertain-before": 0.01,
    "uncertain-after": 0.01,
    "strange-before": 0.01,
    "strange-after": 0.01,
  },
  delay: () => sleep(Math.random() * 20),
});
await bot.start();
const sender = createSender({
  channels: createChannelStore(db),
  ledger,
  store: createStore(db),
  index: { search: async () => [] },
  bots: new Map([[bot.platform, bot]]),
  clock,
  random: Math.random,
  wait: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => {}),
  breathe: () => new Promise((resolve) => setImmediate(resolve)),
  owner,
  report: () => {},
  freshness: () => ({ state: "settled", detail: "" }),
});
process.stdout.write("sending\n");
await sender.tick();
await sender.deliver();
process.stdout.write("done\n");
await db.destroy();
