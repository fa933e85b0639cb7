import { type RawBuilder, sql, type Transaction } from "kysely";
import { z } from "zod";
import type { ChannelKey, Platform } from "../core/channel.ts";
import {
  type Audit,
  type Delivery,
  type DeliveryKind,
  type Ending,
  type Entry,
  type FinalOutcome,
  type Ledger,
  OUTCOMES,
  type Plan,
} from "../core/delivery.ts";
import { messageSchema } from "../core/message.ts";
import { placeOf, toChannel, toKey } from "./channels.ts";
import { type Database, given, inChunks, shortHash, type Tables, write } from "./database.ts";

/** The ledger over a migrated database; the same SQL serves SQLite and Postgres. */
export function createLedger(db: Database): Ledger {
  return {
    async dueChannels(now, limit, platforms) {
      const rows = await ofEach(platforms, (platform) =>
        db
          .selectFrom("channels")
          .selectAll()
          .where("platform", "=", platform)
          .where("next_at", "<=", now)
          .where(isHere("channels"))
          // A pause with a last day is over for the slots after it.
          .where((expression) =>
            expression.or([
              expression("paused", "=", 0),
              expression("next_slot", ">", expression.ref("paused_until")),
            ]),
          )
          .orderBy("next_at")
          .limit(limit)
          .execute(),
      );
      return firstBy(rows, "next_at", limit).map(toChannel);
    },

    plan: (plans) =>
      write(db, async (tx) => {
        await inChunks(plans, async (chunk) => {
          const moved = await moveNext(tx, chunk);
          await insertNew(tx, chunk.filter(({ channel }) => moved.has(keyText(channel))).flatMap(toRows));
          return [];
        });
      }),

    enter: (entry) =>
      write(db, async (tx) => {
        return (await insertNew(tx, [entryRow(entry)])) === 1;
      }),

    claim: ({ owner, now, leaseUntil, limit, platforms }) =>
      write(db, async (tx) => {
        const due = await ofEach(platforms, (platform) =>
          tx
            .selectFrom("deliveries")
            .select(["id", "owner", "claim_at"])
            .where("platform", "=", platform)
            .where("claim_at", "<=", now)
            .where(isHere("deliveries"))
            .orderBy("claim_at")
            .orderBy("id")
            .limit(limit)
            .execute(),
        );
        const owners = new Map(firstBy(due, "claim_at", limit).map((row) => [row.id, row.owner]));
        const rows = await inChunks([...owners.keys()], (chunk) =>
          tx
            .updateTable("deliveries")
            .set((expression) => ({
              outcome: "sending",
              attempts: expression("attempts", "+", 1),
              owner,
              claim_at: leaseUntil,
            }))
            .where("id", "in", chunk)
            .returningAll()
            .execute(),
        );
        return rows
          .map((row) => ({ ...toDelivery(row), lapsed: (owners.get(row.id) ?? null) !== null }))
          .sort(byNextAttempt);
      }),

    freeze: (owner, contents) =>
      write(db, async (tx) => {
        const rows = contents.map(({ id, content, paperIds, shown }) => ({
          id,
          content: JSON.stringify(content),
          paper_ids: JSON.stringify(paperIds),
          shown,
        }));
        const held = await inChunks(rows, async (chunk) => {
          await tx
            .with("given(id, content, paper_ids, shown)", () =>
              given(chunk, ["id", "content", "paper_ids", "shown"]),
            )
            .updateTable("deliveries")
            .from("given")
            .set((expression) => ({
              content: expression.ref("given.content"),
              paper_ids: expression.ref("given.paper_ids"),
              shown: expression.ref("given.shown"),
            }))
            .whereRef("deliveries.id", "=", "given.id")
            .where("deliveries.owner", "=", owner)
            .where("deliveries.content", "is", null)
            .execute();
          const ids = chunk.map((row) => row.id);
          return tx
            .selectFrom("deliveries")
            .select("id")
            .where("id", "in", ids)
            .where("owner", "=", owner)
            .execute();
        });
        return new Set(held.map((row) => row.id));
      }),

    settle: (owner, endings) =>
      write(db, async (tx) => {
        const byId = new Map(endings.map((ending) => [ending.id, ending]));
        const settled = await inChunks([...byId.values()], (chunk) => end(tx, owner, chunk));
        const ended = settled.flatMap((row) => {
          const ending = byId.get(row.id);
          return ending === undefined ? [] : [{ row, ending }];
        });
        await recordPapers(tx, ended);
        await moveReadFrom(tx, ended);
        await tell(tx, ended, await pauseChannels(tx, ended));
      }),

    postpone: (owner, postponed) =>
      write(db, async (tx) => {
        const rows = postponed.map(({ id, outcome, nextAttemptAt, detail, failed, uncertain }) => ({
          id,
          outcome,
          next_attempt_at: nextAttemptAt,
          detail,
          failed: failed ? 1 : 0,
          uncertain: uncertain ? 1 : 0,
        }));
        await inChunks(rows, async (chunk) => {
          await tx
            .with("given(id, outcome, next_attempt_at, detail, failed, uncertain)", () =>
              given(chunk, ["id", "outcome", "next_attempt_at", "detail", "failed", "uncertain"]),
            )
            .updateTable("deliveries")
            .from("given")
            .set((expression) => ({
              outcome: expression.ref("given.outcome"),
              next_attempt_at: expression.ref("given.next_attempt_at"),
              claim_at: expression.ref("given.next_attempt_at"),
              detail: expression.ref("given.detail"),
              failures: expression("deliveries.failures", "+", expression.ref("given.failed")),
              uncertain: expression
                .case()
                .when("given.uncertain", "=", 1)
                .then(1 as const)
                .else(expression.ref("deliveries.uncertain"))
                .end(),
              owner: null,
            }))
            .whereRef("deliveries.id", "=", "given.id")
            .where("deliveries.owner", "=", owner)
            .execute();
          return [];
        });
      }),

    async history(key, limit) {
      const rows = await db
        .selectFrom("deliveries")
        .selectAll()
        .where((expression) => expression.and(placeOf(key)))
        .orderBy("slot", "desc")
        .orderBy("due_at", "desc")
        .orderBy("kind")
        .limit(limit)
        .execute();
      return rows.map(toDelivery);
    },

    async delivery(id) {
      const row = await db.selectFrom("deliveries").selectAll().where("id", "=", id).executeTakeFirst();
      return row === undefined ? null : toDelivery(row);
    },

    async delivered(key, paperIds) {
      const sorted = paperIds.toSorted();
      const [first, last] = [sorted[0], sorted.at(-1)];
      if (first === undefined || last === undefined) return new Set();
      // One range of the channel's key: hundreds of ids would take longer to ask for than to leave out here.
      const rows = await db
        .selectFrom("delivered_papers")
        .select("paper_id")
        .where((expression) => expression.and(placeOf(key)))
        .where("paper_id", ">=", first)
        .where("paper_id", "<=", last)
        .execute();
      const asked = new Set(paperIds);
      return new Set(rows.map((row) => row.paper_id).filter((id) => asked.has(id)));
    },

    async nextAttemptAt(platforms) {
      const rows = await ofEach(platforms, (platform) =>
        db
          .selectFrom("deliveries")
          .select("claim_at")
          .where("platform", "=", platform)
          .where("claim_at", "is not", null)
          .where(isHere("deliveries"))
          .orderBy("claim_at")
          .limit(1)
          .execute(),
      );
      return firstBy(rows, "claim_at", 1)[0]?.claim_at ?? null;
    },

    audit: (now) => audit(db, now),
  };
}

type Row = Tables["deliveries"];
type Ended = {
  readonly row: Pick<
    Row,
    "id" | "platform" | "workspace" | "channel" | "kind" | "slot" | "paper_ids" | "shown"
  >;
  readonly ending: Ending;
};

/** Asked of one platform after the other, since an index leads to the first rows of one platform, not of several. */
async function ofEach<T>(
  platforms: readonly Platform[],
  read: (platform: Platform) => Promise<readonly T[]>,
): Promise<readonly T[]> {
  const rows: T[] = [];
  for (const platform of new Set(platforms)) rows.push(...(await read(platform)));
  return rows;
}

/** The first rows by an instant, and by id where they have one. */
function firstBy<
  Name extends string,
  T extends { readonly [name in Name]: string | null } & { readonly id?: string },
>(rows: readonly T[], name: Name, limit: number): readonly T[] {
  const order = (a: string, b: string) => (a === b ? 0 : a < b ? -1 : 1);
  return rows
    .toSorted((a, b) => order(a[name] ?? "", b[name] ?? "") || order(a.id ?? "", b.id ?? ""))
    .slice(0, limit);
}

/** That the app was not removed from a row's workspace. */
function isHere(table: "channels" | "deliveries"): RawBuilder<boolean> {
  const [platform, workspace] = [sql.ref(`${table}.platform`), sql.ref(`${table}.workspace`)];
  return sql<boolean>`not exists (
    select 1 from departures where departures.platform = ${platform} and departures.workspace = ${workspace}
  )`;
}

/** Moves the next due instants that are still the expected ones. @returns the channels that moved, by `keyText` */
async function moveNext(tx: Transaction<Tables>, plans: readonly Plan[]): Promise<ReadonlySet<string>> {
  const rows = plans.map(({ channel, expected, next }) => ({
    ...placeOf(channel),
    expected,
    next_at: next?.at ?? null,
    next_slot: next?.slot ?? null,
  }));
  const moved = await tx
    .with("given(platform, workspace, channel, expected, next_at, next_slot)", () =>
      given(rows, ["platform", "workspace", "channel", "expected", "next_at", "next_slot"]),
    )
    .updateTable("channels")
    .from("given")
    .set((expression) => ({
      next_at: expression.ref("given.next_at"),
      next_slot: expression.ref("given.next_slot"),
    }))
    .whereRef("channels.platform", "=", "given.platform")
    .whereRef("channels.workspace", "=", "given.workspace")
    .whereRef("channels.channel", "=", "given.channel")
    .whereRef("channels.next_at", "=", "given.expected")
    .returning(["channels.platform", "channels.workspace", "channels.channel"])
    .execute();
  return new Set(moved.map((row) => keyText(toKey(row))));
}

function keyText(key: ChannelKey): string {
  return JSON.stringify([key.platform, key.workspace, key.channel]);
}

function toRows({ channel, slots }: Plan): Row[] {
  return slots.map(({ at, slot, outcome, detail }) => {
    const row = { ...newRow(channel, "digest", slot, at), detail };
    // A slot that is over before it began ended when it was due.
    return outcome === "pending" ? row : { ...row, outcome, claim_at: null, settled_at: at };
  });
}

function newRow(key: ChannelKey, kind: DeliveryKind, slot: string, dueAt: string): Row {
  return {
    ...placeOf(key),
    id: shortHash(JSON.stringify([key.platform, key.workspace, key.channel, kind, slot])),
    kind,
    slot,
    person: null,
    due_at: dueAt,
    outcome: "pending",
    detail: "",
    attempts: 0,
    failures: 0,
    uncertain: 0,
    next_attempt_at: dueAt,
    claim_at: dueAt,
    owner: null,
    content: null,
    paper_ids: "[]",
    shown: 0,
    ref: null,
    settled_at: null,
  };
}

function entryRow({ kind, slot, person, dueAt, content, ...key }: Entry): Row {
  const row = newRow(key, kind, slot, dueAt);
  return { ...row, person, content: content === null ? null : JSON.stringify(content) };
}

/** @returns how many of them did not stand yet */
async function insertNew(tx: Transaction<Tables>, rows: readonly Row[]): Promise<number> {
  const inserted = await inChunks(rows, (chunk) =>
    tx
      .insertInto("deliveries")
      .values(chunk)
      .onConflict((conflict) => conflict.doNothing())
      .returning("id")
      .execute(),
  );
  return inserted.length;
}

function byNextAttempt(a: Delivery, b: Delivery): number {
  if (a.nextAttemptAt !== b.nextAttemptAt) return a.nextAttemptAt < b.nextAttemptAt ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

/** @returns what this owner held, and is over now */
function end(tx: Transaction<Tables>, owner: string, endings: readonly Ending[]): Promise<Ended["row"][]> {
  const rows = endings.map(({ id, outcome, detail, ref, at }) => ({
    id,
    outcome,
    detail,
    ref,
    settled_at: at,
  }));
  return tx
    .with("given(id, outcome, detail, ref, settled_at)", () =>
      given(rows, ["id", "outcome", "detail", "ref", "settled_at"]),
    )
    .updateTable("deliveries")
    .from("given")
    .set((expression) => ({
      outcome: expression.ref("given.outcome"),
      detail: expression.ref("given.detail"),
      ref: expression.ref("given.ref"),
      settled_at: expression.ref("given.settled_at"),
      content: null,
      owner: null,
      claim_at: null,
    }))
    .whereRef("deliveries.id", "=", "given.id")
    .where("deliveries.owner", "=", owner)
    .returning([
      "deliveries.id",
      "deliveries.platform",
      "deliveries.workspace",
      "deliveries.channel",
      "deliveries.kind",
      "deliveries.slot",
      "deliveries.paper_ids",
      "deliveries.shown",
    ])
    .execute();
}

/** Endings after which the message may stand in the channel. */
const SEEN: ReadonlySet<FinalOutcome> = new Set(["sent", "sent-late", "uncertain"]);

async function recordPapers(tx: Transaction<Tables>, ended: readonly Ended[]): Promise<void> {
  const papers = ended.flatMap(({ row, ending }) => {
    if (row.kind !== "digest" || !SEEN.has(ending.outcome)) return [];
    const shown = paperIds.parse(JSON.parse(row.paper_ids)).slice(0, row.shown);
    return shown.map((paper_id) => ({ ...placeOf(toKey(row)), paper_id }));
  });
  await inChunks(papers, async (chunk) => {
    await tx
      .insertInto("delivered_papers")
      .values(chunk)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    return [];
  });
}

/** Only forward: a digest that was held up does not bring days back that a later one has shown. */
async function moveReadFrom(tx: Transaction<Tables>, ended: readonly Ended[]): Promise<void> {
  const newest = new Map<string, ChannelKey & { readonly read_from: string }>();
  for (const { row, ending } of ended) {
    const key = toKey(row);
    const known = newest.get(keyText(key))?.read_from ?? "";
    if (ending.readFrom === null || ending.readFrom <= known) continue;
    newest.set(keyText(key), { ...key, read_from: ending.readFrom });
  }
  await inChunks([...newest.values()], async (chunk) => {
    await tx
      .with("given(platform, workspace, channel, read_from)", () =>
        given(chunk, ["platform", "workspace", "channel", "read_from"]),
      )
      .updateTable("channels")
      .from("given")
      .set((expression) => ({ read_from: expression.ref("given.read_from") }))
      .whereRef("channels.platform", "=", "given.platform")
      .whereRef("channels.workspace", "=", "given.workspace")
      .whereRef("channels.channel", "=", "given.channel")
      .whereRef("channels.read_from", "<", "given.read_from")
      .execute();
    return [];
  });
}

/**
 * Pauses without end, each channel for its first ending's reason. A channel that is paused so already stays as it is.
 * @returns those endings whose pause is new, and who set their channel up
 */
async function pauseChannels(
  tx: Transaction<Tables>,
  ended: readonly Ended[],
): Promise<ReadonlyMap<Ended, string>> {
  const firsts = new Map<string, Ended>();
  for (const each of ended) {
    const key = keyText(toKey(each.row));
    if (each.ending.pause !== null && !firsts.has(key)) firsts.set(key, each);
  }
  const pauses = [...firsts.values()].map(({ row, ending }) => ({
    ...placeOf(toKey(row)),
    reason: ending.pause ?? "",
  }));
  const paused = await inChunks(pauses, (chunk) =>
    tx
      .with("given(platform, workspace, channel, reason)", () =>
        given(chunk, ["platform", "workspace", "channel", "reason"]),
      )
      .updateTable("channels")
      .from("given")
      .set((expression) => ({
        paused: 1 as const,
        paused_until: null,
        paused_reason: expression.ref("given.reason"),
        next_at: null,
        next_slot: null,
        version: expression("channels.version", "+", 1),
      }))
      .whereRef("channels.platform", "=", "given.platform")
      .whereRef("channels.workspace", "=", "given.workspace")
      .whereRef("channels.channel", "=", "given.channel")
      .where((expression) =>
        expression.or([
          expression("channels.paused", "=", 0),
          expression("channels.paused_until", "is not", null),
        ]),
      )
      .returning(["channels.platform", "channels.workspace", "channels.channel", "channels.set_up_by"])
      .execute(),
  );
  const setUpBy = new Map(paused.map((row) => [keyText(toKey(row)), row.set_up_by]));
  const result = new Map<Ended, string>();
  for (const [key, first] of firsts) {
    const person = setUpBy.get(key);
    if (person !== undefined) result.set(first, person);
  }
  return result;
}

/**
 * Enters what endings have to tell. A delivery ends once, so that a digest has a line for the channel (it was quiet) or
 * one for a person (it was refused), never both on its slot. Only a sample's refusal can find the line of that day's
 * digest there, or a notice of an earlier refusal: then nobody is told, and the channel's status alone has the reason.
 */
async function tell(
  tx: Transaction<Tables>,
  ended: readonly Ended[],
  pausedOf: ReadonlyMap<Ended, string>,
): Promise<void> {
  const rows = ended.flatMap((each) => {
    const { notice, pause, at } = each.ending;
    const person = pausedOf.get(each) ?? null;
    if (notice === null || (pause !== null && person === null)) return [];
    const { slot } = each.row;
    return [entryRow({ ...toKey(each.row), kind: "notice", slot, person, dueAt: at, content: notice })];
  });
  await insertNew(tx, rows);
}

/** A digest that is this old is given up; one that is older and still on the way was lost. */
const LOST_AFTER_MS = 18 * 3_600_000;

async function audit(db: Database, now: string): Promise<Audit> {
  const counts = await db
    .selectFrom("deliveries")
    .select((expression) => ["outcome", expression.fn.countAll<number>().as("count")])
    .groupBy("outcome")
    .execute();
  const { lost } = await db
    .selectFrom("deliveries")
    .select((expression) => expression.fn.countAll<number>().as("lost"))
    .where("claim_at", "is not", null)
    .where("due_at", "<", new Date(Date.parse(now) - LOST_AFTER_MS).toISOString())
    .where(isHere("deliveries"))
    .executeTakeFirstOrThrow();
  const shared = await db
    .selectFrom("deliveries")
    .select((expression) => expression.fn.countAll<number>().as("count"))
    .where("ref", "is not", null)
    // A person's messages are counted apart: they stand elsewhere, and Slack's ids of two places can be the same.
    .groupBy(["platform", "workspace", "channel", "person", "ref"])
    .having((expression) => expression.fn.countAll(), ">", 1)
    .execute();
  const byOutcome = Object.fromEntries(counts.map((row) => [outcomes.parse(row.outcome), Number(row.count)]));
  return {
    deliveries: counts.reduce((sum, row) => sum + Number(row.count), 0),
    byOutcome,
    lost: Number(lost),
    doubled: shared.reduce((sum, row) => sum + Number(row.count) - 1, 0),
    uncertain: byOutcome["uncertain"] ?? 0,
  };
}

const kinds = z.enum(["digest", "sample", "notice"]);
const outcomes = z.enum(OUTCOMES);
const paperIds = z.array(z.string());
function toDelivery(row: Row): Delivery {
  return {
    ...toKey(row),
    id: row.id,
    kind: kinds.parse(row.kind),
    slot: row.slot,
    person: row.person,
    dueAt: row.due_at,
    outcome: outcomes.parse(row.outcome),
    detail: row.detail,
    attempts: row.attempts,
    failures: row.failures,
    uncertain: row.uncertain === 1,
    nextAttemptAt: row.next_attempt_at,
    content: row.content === null ? null : messageSchema.parse(JSON.parse(row.content)),
    paperIds: paperIds.parse(JSON.parse(row.paper_ids)),
    shown: row.shown,
    ref: row.ref,
    settledAt: row.settled_at,
  };
}
