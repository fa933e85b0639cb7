import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Candidate, rank } from "../../src/core/rank.ts";
import type { StoredPaper } from "../../src/core/store.ts";
import { madeUpPaper } from "../contracts/made-up-paper.ts";

const DAY = "2026-04-22";

function candidate(fields: Partial<StoredPaper> & { id: string }, rest: Partial<Candidate> = {}): Candidate {
  const paper: StoredPaper = {
    ...madeUpPaper({ submittedOn: DAY, publishedOn: DAY, organization: null, ...fields }),
    abstract: fields.abstract ?? `word${fields.id.slice(-1)} talks of nothing else`,
    title: fields.title ?? `title${fields.id}`,
    summary: null,
    listedOn: DAY,
    seenAt: `${DAY}T12:00:00.000Z`,
    revision: 1,
  };
  return { paper, matches: [], gain: null, ...rest };
}
const ids = (candidates: readonly Candidate[], topics: readonly string[] = []) =>
  rank(candidates, { day: DAY, topics }).map(({ paper }) => paper.id);

describe("ranking a digest", () => {
  test("puts the more upvoted first when all else is equal", () => {
    expect(
      ids([
        candidate({ id: "1", upvotes: 3 }),
        candidate({ id: "2", upvotes: 90 }),
        candidate({ id: "3", upvotes: 20 }),
      ]),
    ).toEqual(["2", "3", "1"]);
  });

  test("lifts growth, fresh papers and code over equal votes", () => {
    const plain = candidate({ id: "1", upvotes: 30 });
    expect(ids([plain, candidate({ id: "2", upvotes: 30 }, { gain: 25 })])).toEqual(["2", "1"]);
    expect(
      ids([
        candidate({ id: "1", upvotes: 30, publishedOn: "2026-04-02" }),
        candidate({ id: "2", upvotes: 30 }),
      ]),
    ).toEqual(["2", "1"]);
    expect(
      ids([plain, candidate({ id: "2", upvotes: 30, codeUrl: "https://github.com/a/b", stars: 900 })]),
    ).toEqual(["2", "1"]);
  });

  test("lets each topic's best paper lead, the rest by score", () => {
    const a = (score: number) => ({ matches: [{ topic: "a", name: "a", score }] });
    const b = (score: number) => ({ matches: [{ topic: "b", name: "b", score }] });
    expect(
      ids(
        [
          candidate({ id: "1", upvotes: 90 }, a(0.5)),
          candidate({ id: "2", upvotes: 80 }, a(0.5)),
          candidate({ id: "3", upvotes: 70 }, a(0.5)),
          candidate({ id: "4", upvotes: 1 }, b(0.1)),
        ],
        ["a", "b"],
      ),
    ).toEqual(["1", "4", "2", "3"]);
  });

  test("sends a near-duplicate to the end", () => {
    const abstract =
      "a diffusion model for long videos with sparse attention and caching of keys across frames";
    expect(
      ids([
        candidate({ id: "1", upvotes: 90, title: "Sparse attention for long videos", abstract }),
        candidate({
          id: "2",
          upvotes: 89,
          title: "Sparse attention for long video",
          abstract: `${abstract} today`,
        }),
        candidate({ id: "3", upvotes: 5 }),
      ]),
    ).toEqual(["1", "3", "2"]);
  });

  test("keeps one organization from filling the top", () => {
    const lab = { organization: { name: "lab", fullname: "Lab" } };
    const order = ids([
      candidate({ id: "1", upvotes: 50, ...lab }),
      candidate({ id: "2", upvotes: 49, ...lab }),
      candidate({ id: "3", upvotes: 48, ...lab }),
      candidate({ id: "4", upvotes: 36 }),
    ]);
    expect(order.indexOf("4")).toBeLessThan(order.indexOf("3"));
  });

  test("says why: the topics that matched, the votes won, else the place by votes", () => {
    const [first, second] = rank(
      [
        candidate(
          { id: "1", upvotes: 90 },
          {
            matches: [
              { topic: "agents -x", name: "agents", score: 1 },
              { topic: "org:x", name: "org:x", score: 0 },
            ],
            gain: 38,
          },
        ),
        candidate({ id: "2", upvotes: 80 }),
      ],
      { day: DAY, topics: ["agents -x", "org:x"] },
    );
    expect(first?.why).toEqual(["matches agents, org:x", "+38 since yesterday"]);
    expect(second?.why).toEqual(["2nd of 2 by votes"]);
    const code = { codeUrl: "https://github.com/a/b", stars: 5000 };
    const lifted = rank(
      [
        candidate({ id: "1", upvotes: 30, abstract: "robots grasp" }),
        candidate({ id: "2", upvotes: 29, abstract: "videos", ...code }),
      ],
      {
        day: DAY,
        topics: [],
      },
    );
    expect(lifted.map(({ why }) => why.join())).toEqual([
      "2nd of 2 by votes, lifted by its code",
      "most upvoted of 2",
    ]);
    const abstract = "sparse attention over long videos with a cache of keys";
    const alike = rank(
      [
        candidate({ id: "1", upvotes: 30, abstract }),
        candidate({ id: "2", upvotes: 29, abstract }),
        candidate({ id: "3", upvotes: 9 }),
      ],
      { day: DAY, topics: [] },
    );
    expect(alike.at(-1)?.why).toEqual(["2nd of 3 by votes, after a similar paper"]);
    const none = rank([candidate({ id: "1", upvotes: 0 }), candidate({ id: "2", upvotes: 0 })], {
      day: DAY,
      topics: [],
    });
    expect(none[0]?.why).toEqual(["no votes yet"]);
    expect(rank([candidate({ id: "1" })], { day: DAY, topics: [] })[0]?.why).toEqual(["most upvoted of 1"]);
  });

  const arbitrary = fc.uniqueArray(
    fc.record({
      id: fc.integer({ min: 1, max: 60 }).map(String),
      upvotes: fc.integer({ min: 0, max: 40 }),
      stars: fc.option(fc.integer({ min: 0, max: 1e6 })),
      organization: fc.option(fc.constantFrom({ name: "a", fullname: "A" }, { name: "b", fullname: "B" })),
      submittedOn: fc.option(fc.constantFrom("2026-04-22", "2026-04-01", "2027-01-01")),
      abstract: fc.constantFrom("", "agents plan", "agents plan and act", "videos"),
    }),
    { selector: (each) => each.id, maxLength: 25 },
  );

  test("gives every candidate once, in the same order whatever the input's, with terms from 0 to 1 and a reason", () => {
    fc.assert(
      fc.property(arbitrary, fc.integer(), (papers, seed) => {
        const candidates = papers.map((fields) => candidate(fields, { gain: fields.upvotes - 5 }));
        const ranked = rank(candidates, { day: DAY, topics: [] });
        expect(ranked.map(({ paper }) => paper.id).sort()).toEqual(papers.map(({ id }) => id).sort());
        const shuffled = candidates.toSorted(
          (a, b) => ((Number(a.paper.id) * seed) % 7) - ((Number(b.paper.id) * seed) % 7),
        );
        expect(ids(shuffled)).toEqual(ranked.map(({ paper }) => paper.id));
        for (const { terms, why } of ranked) {
          expect(Object.values(terms).every((term) => term >= 0 && term <= 1)).toBe(true);
          expect(why.length).toBeGreaterThan(0);
        }
      }),
    );
  });
});
