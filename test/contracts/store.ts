import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Paper, Summary } from "../../src/core/paper.ts";
import type { Store } from "../../src/core/store.ts";
import { madeUpPaper } from "./made-up-paper.ts";

const summary: Summary = { text: "One sentence.", method: "extractive" };
const row = (fields: Partial<Paper> = {}) => ({ paper: madeUpPaper(fields), summary });
const at = (day: number, hour = 12) => `2026-04-${day}T${String(hour).padStart(2, "0")}:00:00.000Z`;

/** What every store keeps to. `open` gives an empty one; each test uses days and ids of its own. */
export function storeContract(name: string, open: () => Promise<Store>): void {
  describe(`the store over ${name}`, () => {
    let store: Store;
    beforeAll(async () => {
      store = await open();
    }, 30_000);
    afterAll(() => store.close());

    test("keeps a day's list in its order with all fields", async () => {
      const papers = [
        row({ id: "2604.10002", stars: 7 }),
        row({ id: "2604.10001", title: "Ünïcode $\\pi$ 'quotes'" }),
      ];
      await store.saveList({ day: "2026-04-01", seenAt: at(1), papers });
      const list = await store.list("2026-04-01");
      expect(list?.seenAt).toBe(at(1));
      expect(list?.papers.map((paper) => paper.id)).toEqual(["2604.10002", "2604.10001"]);
      expect(list?.papers[1]).toMatchObject({
        ...papers[1]?.paper,
        summary,
        listedOn: "2026-04-01",
        seenAt: at(1),
      });
    });

    test("tells a day that was never fetched from a day without papers", async () => {
      await store.saveList({ day: "2026-04-02", seenAt: at(2), papers: [] });
      expect(await store.list("2026-04-02")).toEqual({ day: "2026-04-02", seenAt: at(2), papers: [] });
      expect(await store.list("1999-01-01")).toBeNull();
    });

    test("changes nothing when the same list is saved again", async () => {
      const list = { day: "2026-04-03", seenAt: at(3), papers: [row({ id: "2604.10003" })] };
      await store.saveList(list);
      const before = await store.size();
      await store.saveList(list);
      expect(await store.size()).toEqual(before);
      expect(await store.snapshots(["2604.10003"], "2026")).toHaveLength(1);
    });

    test("takes newer votes and keeps a snapshot of each change", async () => {
      const id = "2604.10004";
      await store.saveList({ day: "2026-04-04", seenAt: at(4, 8), papers: [row({ id, upvotes: 3 })] });
      await store.saveList({ day: "2026-04-04", seenAt: at(4, 9), papers: [row({ id, upvotes: 3 })] });
      await store.saveList({
        day: "2026-04-04",
        seenAt: at(4, 10),
        papers: [row({ id, upvotes: 41, comments: 2 })],
      });
      expect((await store.papers([id]))[0]).toMatchObject({ upvotes: 41, comments: 2, seenAt: at(4, 10) });
      expect((await store.snapshots([id], at(4, 1))).map((each) => each.upvotes)).toEqual([3, 41]);
      expect((await store.snapshots([id], at(4, 10))).map((each) => each.upvotes)).toEqual([41]);
    });

    test("never lets older facts replace newer ones, and keeps their snapshot", async () => {
      const id = "2604.10005";
      await store.saveList({ day: "2026-04-05", seenAt: at(5), papers: [row({ id, upvotes: 50 })] });
      await store.saveList({
        day: "2026-04-05",
        seenAt: at(5, 7),
        papers: [row({ id, upvotes: 5, projectUrl: "https://example.org/" }), row({ id: "2604.10006" })],
      });
      const list = await store.list("2026-04-05");
      expect(list?.seenAt).toBe(at(5));
      expect(list?.papers.map((paper) => paper.id)).toEqual([id, "2604.10006"]);
      expect(list?.papers[0]).toMatchObject({ upvotes: 50, projectUrl: "https://example.org/" });
      expect((await store.snapshots([id], "2026")).map((each) => each.upvotes)).toEqual([5, 50]);
    });

    test("remembers when it last saw a paper, even unchanged, so that older facts stay older", async () => {
      const id = "2604.10020";
      await store.savePapers([row({ id, upvotes: 5 })], at(16, 8));
      await store.savePapers([row({ id, upvotes: 5 })], at(16, 14));
      await store.savePapers([row({ id, upvotes: 3 })], at(16, 12));
      expect((await store.papers([id]))[0]).toMatchObject({ upvotes: 5, seenAt: at(16, 14) });
    });

    test("takes a summary of another method", async () => {
      const paper = madeUpPaper({ id: "2604.10021" });
      await store.savePapers([{ paper, summary }], at(17));
      await store.savePapers([{ paper, summary: { ...summary, method: "model" } }], at(17, 13));
      expect((await store.papers([paper.id]))[0]?.summary?.method).toBe("model");
    });

    test("never erases what a later row leaves out, nor Hugging Face's summary with an extracted one", async () => {
      const id = "2604.10007";
      const theirs: Summary = { text: "Theirs.", method: "huggingface" };
      const full = madeUpPaper({ id, aiSummary: "Theirs.", codeUrl: "https://github.com/a/b", stars: 9 });
      await store.saveList({ day: "2026-04-06", seenAt: at(6), papers: [{ paper: full, summary: theirs }] });
      await store.savePapers([row({ id, organization: null, authors: [] })], at(7));
      expect((await store.papers([id]))[0]).toMatchObject({
        aiSummary: "Theirs.",
        codeUrl: "https://github.com/a/b",
        stars: 9,
        organization: { name: "example-lab" },
        authors: [{ name: "Ada Example" }],
        summary: theirs,
      });
    });

    test("lists a paper on several days and remembers the newest", async () => {
      const id = "2604.10008";
      await store.saveList({ day: "2026-04-10", seenAt: at(10), papers: [row({ id })] });
      await store.saveList({ day: "2026-04-08", seenAt: at(8), papers: [row({ id })] });
      expect((await store.papers([id]))[0]?.listedOn).toBe("2026-04-10");
      expect((await store.list("2026-04-08"))?.papers).toHaveLength(1);
    });

    test("keeps a paper that was never listed", async () => {
      await store.savePapers([row({ id: "2604.10009" })], at(9));
      expect((await store.papers(["2604.10009"]))[0]?.listedOn).toBeNull();
    });

    test("gives a list as it stands, however often it was asked for", async () => {
      const day = "2026-04-20";
      const [one, other] = [row({ id: "2604.10020" }), row({ id: "2604.10021" })];
      const ids = async () => (await store.list(day))?.papers.map(({ id }) => id);
      await store.saveList({ day, seenAt: at(20), papers: [one, other] });
      expect(await ids()).toEqual(["2604.10020", "2604.10021"]);
      expect(await ids()).toEqual(["2604.10020", "2604.10021"]);
      await store.saveList({ day, seenAt: at(20), papers: [other, one] });
      expect(await ids()).toEqual(["2604.10021", "2604.10020"]);
      await store.saveList({ day, seenAt: at(20, 8), papers: [row({ id: "2604.10022" })] });
      expect(await ids()).toEqual(["2604.10021", "2604.10020", "2604.10022"]);
      await store.savePapers([row({ id: "2604.10020", upvotes: 55 })], at(21));
      expect((await store.list(day))?.papers[1]).toMatchObject({ upvotes: 55, seenAt: at(21) });
      await store.saveList({ day: "2026-04-21", seenAt: at(22), papers: [other] });
      expect((await store.list(day))?.papers[0]).toMatchObject({ listedOn: "2026-04-21", seenAt: at(22) });
    });

    test("gives papers in the order asked for and leaves out unknown ids", async () => {
      await store.savePapers([row({ id: "2604.10010" }), row({ id: "2604.10011" })], at(9));
      const found = await store.papers(["2604.10011", "0000.00000", "2604.10010"]);
      expect(found.map((paper) => paper.id)).toEqual(["2604.10011", "2604.10010"]);
      expect(await store.papers([])).toEqual([]);
    });

    test("hands out each change once, in order, and none twice", async () => {
      const start = (await store.size()).revision;
      const ids = Array.from({ length: 450 }, (_, index) => `2605.${10_000 + index}`);
      await store.savePapers(
        ids.map((id) => row({ id })),
        at(11),
      );
      const seen: string[] = [];
      let revision = start;
      for (;;) {
        const papers = await store.changedSince(revision, 100);
        const last = papers.at(-1);
        if (last === undefined) break;
        expect(papers.every((paper) => paper.revision > revision)).toBe(true);
        revision = last.revision;
        seen.push(...papers.map((paper) => paper.id));
      }
      expect(seen).toEqual(ids);
      expect((await store.size()).revision).toBe(revision);
    });

    test("lists its days, newest first, within bounds, with their counts", async () => {
      await store.saveList({ day: "2025-01-02", seenAt: at(12), papers: [row({ id: "2604.10012" })] });
      await store.saveList({ day: "2025-01-03", seenAt: at(12), papers: [] });
      expect(await store.days({ from: "2025-01-01", to: "2025-01-31" })).toEqual([
        { day: "2025-01-03", count: 0, seenAt: at(12) },
        { day: "2025-01-02", count: 1, seenAt: at(12) },
      ]);
      expect(await store.days({ limit: 1 })).toHaveLength(1);
    });

    test("takes a row that stands twice in a list once", async () => {
      await store.saveList({
        day: "2026-04-14",
        seenAt: at(14),
        papers: [row({ id: "2604.10013" }), row({ id: "2604.10013" })],
      });
      expect((await store.list("2026-04-14"))?.papers).toHaveLength(1);
    });

    test("keeps calls made at once apart", async () => {
      await Promise.all(
        Array.from({ length: 8 }, (_, index) =>
          store.saveList({
            day: `2024-01-1${index}`,
            seenAt: at(15),
            papers: [row({ id: `2401.0000${index}` })],
          }),
        ),
      );
      expect(await store.days({ from: "2024-01-10", to: "2024-01-19" })).toHaveLength(8);
    });
  });
}
