import { PGlite } from "@electric-sql/pglite";
import { Kysely, PGliteDialect } from "kysely";
import { expect, test } from "vitest";
import { channelKey } from "../../src/bots/playground/bot.ts";
import { migrate, openSqlite, type Tables } from "../../src/storage/database.ts";
import { createMessageLog } from "../../src/storage/message-log.ts";
import { messageLogContract } from "../contracts/message-log.ts";

messageLogContract("over SQLite", async () => {
  const db = await openSqlite(":memory:");
  return { log: createMessageLog(db), close: () => db.destroy() };
});

const pglite = new PGlite();
const postgres = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite }) });
messageLogContract("over PGlite", async () => {
  await migrate(postgres);
  await postgres.deleteFrom("playground_messages").execute();
  await postgres.deleteFrom("counters").where("name", "=", "playground-revision").execute();
  return { log: createMessageLog(postgres) };
});

test("a channel keeps its newest 500 messages, and other channels theirs", async () => {
  const db = await openSqlite(":memory:");
  const log = createMessageLog(db);
  const [papers, agents] = [channelKey("slack", "papers"), channelKey("slack", "agents")];
  await log.append({ channel: agents, nonce: null, body: "old" });
  for (let each = 1; each <= 502; each++)
    await log.append({ channel: papers, nonce: null, body: String(each) });
  const kept = await log.list(papers, 1000);
  expect(kept).toHaveLength(500);
  expect(kept[0]?.body).toBe("3");
  expect(await log.list(agents, 9)).toHaveLength(1);
  await db.destroy();
});
