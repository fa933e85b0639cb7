import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cutAtSentence, largestLimit, plainText, readable } from "../../src/core/readable.ts";

describe("readable", () => {
  it.each([
    ["$\\pi_0$ and $N^2$", "π₀ and N²"],
    ["models pi_0 and pi_{0.5}", "models π₀ and π₀.₅"],
    ["R^2Bench, SL^{2}A-INR, FaSTA^*", "R²Bench, SL²A-INR, FaSTA*"],
    ["UI2Code$^\\text{N}$", "UI2Codeᴺ"],
    ["\\textbf{a \\emph{b} c} \\texttt{d}", "a b c d"],
    ["via texttt{D}ual-texttt{H}ead", "via Dual-Head"],
    ["$\\mathcal{L}$ over $\\mathbb{R}^{d \\times d}$", "L over ℝ^(d × d)"],
    ["$\\alpha \\leq \\Omega$, 2.4times, 360^{circ}", "α ≤ Ω, 2.4×, 360°"],
    ["uses sim20% and leq5%", "uses ∼20% and ≤5%"],
    ["56.0\\% of Q\\&A", "56.0% of Q&A"],
    ['G\\\'eron, Pl\\"ucker, Erd\\H{o}s, na\\"{\\i}ve', "Géron, Plücker, Erdős, naïve"],
    ["the query\\'s content", "the query's content"],
    ["a ``quoted'' word, a `single' one", "a “quoted” word, a ‘single’ one"],
    ["CRAG -- a benchmark--really, 10--20%, a---b", "CRAG – a benchmark—really, 10–20%, a—b"],
    ["code~\\url{https://x.org/a_b\\_c}", "code https://x.org/a_b_c"],
    ["\\href{https://x.org}{here}", "here"],
    ["at https://x.org/a{https://x.org/a}.", "at https://x.org/a."],
    ["word\\footnote{See below.} next", "word (See below.) next"],
    ["we propose \\method{}, \\ie a {\\em new} \\foo{thing}", "we propose method, i.e. a new thing"],
    ["\\(O(n^3)\\) and $\\frac{1}{2}$ and \\sqrt{a+b}", "O(n³) and 1/2 and √(a+b)"],
    ["6{,}181 lines, symmet{R}y", "6,181 lines, symmetRy"],
    ["$\\{0,1\\}^n$", "{0,1}ⁿ"],
  ])("reads %j as %j", (latex, text) => {
    expect(readable(latex)).toBe(text);
  });

  it.each([
    "cost $10 and $20",
    "only $5 per paper",
    "$5-$10",
    "7,400 Bugs for 1$: Cheap",
    "`cat.n.01` to you",
    "snake_case, int_8, V_AI, π_RL, d_model",
    "{a, b} and {project page}",
    "run --flag now",
    "sim-to-real and sim2real, 5 times",
    "around ~9 tokens, 5~10",
    "Pass@1, <think>, P(y|x), S*",
    "don't",
    "^_^",
    "\\",
  ])("leaves %j as it is", (text) => {
    expect(readable(text)).toBe(text);
  });

  it("unescapes a dollar", () => {
    expect(readable("\\$OneMillion for \\$0.34")).toBe("$OneMillion for $0.34");
  });

  it("never throws, and adds no more than a few characters for each", () => {
    fc.assert(
      fc.property(latex(), (text) => {
        expect(readable(text).length).toBeLessThanOrEqual(text.length * 3 + 3);
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    "{",
    "$",
    "^{",
    "\\textbf{",
    "\\frac{",
    "`a",
    "--",
    "{\\it ",
    "$a",
    "https://a{",
    "\\'",
    "_{a}",
    "^",
  ])("comes to an end on 100 kB of %j", (unit) => {
    expect(readable(unit.repeat(100_000 / unit.length))).toBeTypeOf("string");
  });
});

describe("plainText", () => {
  it("leaves ordinary text of any language alone", () => {
    const text = "Été 日本語 مرحبا हिन्दी 👍🏽 ▲ 12 ★ ❤️ naïve";
    expect(plainText(text)).toBe(text);
  });

  it("removes what cannot be seen or steers a screen, and collapses whitespace", () => {
    const dirty = " a\u0000\u001B[31m\tb\u200B\u202E\u2066c\u{E0041}\n\n\u00A0d\uD800\uFEFF\u00ADe ";
    expect(plainText(dirty)).toBe("a[31m bc de");
  });

  it("is idempotent and leaves neither controls, format characters, lone surrogates nor runs of blanks", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string(), (one, two) => {
        const text = plainText(`${one} \u200D\n${two}\uDC00`);
        expect(plainText(text)).toBe(text);
        expect(text).not.toMatch(
          /[\p{Cc}\u200B-\u200F\u202A-\u202E\u2060-\u2069\u{E0000}-\u{E007F}]| {2}|^ | $/u,
        );
        expect(text.isWellFormed()).toBe(true);
      }),
    );
  });
});

describe("cutAtSentence", () => {
  it("leaves a short text alone", () => {
    expect(cutAtSentence("Short.", 6)).toBe("Short.");
  });

  it("cuts after a sentence that ends past the half", () => {
    expect(cutAtSentence("A first sentence. A second one follows here.", 30)).toBe("A first sentence.");
    expect(cutAtSentence("文章です。もう一つの文章です。", 8)).toBe("文章です。");
  });

  it("cuts at a word where no sentence ends past the half, abbreviations and decimals included", () => {
    expect(cutAtSentence("Yes. Many words come after the first one", 30)).toBe("Yes. Many words come after…");
    expect(cutAtSentence("It beats many models, e.g. Large ones, by 3.5 points", 30)).toBe(
      "It beats many models, e.g…",
    );
  });

  it("breaks no surrogate pair and no emoji sequence", () => {
    expect(cutAtSentence("👍🏽👍🏽👍🏽", 6)).toBe("👍🏽…");
    expect(cutAtSentence("e\u0301e\u0301e\u0301", 4)).toBe("e\u0301…");
  });

  it("is never longer than allowed and stays well formed", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", maxLength: 200 }),
        fc.integer({ min: 0, max: 100 }),
        (text, max) => {
          const cut = cutAtSentence(text, max);
          expect(cut.length).toBeLessThanOrEqual(max);
          expect(cut.isWellFormed()).toBe(text.isWellFormed());
        },
      ),
    );
  });
});

describe("largestLimit", () => {
  it("finds the largest limit that fits", () => {
    fc.assert(
      fc.property(fc.nat(500), fc.nat(500), fc.nat(1200), (from, more, last) => {
        const found = largestLimit(from, from + more, (limit) => limit <= last);
        expect(found).toBe(last < from ? null : Math.min(last, from + more));
      }),
    );
  });
});

function latex(): fc.Arbitrary<string> {
  const pieces = [
    "\\",
    "{",
    "}",
    "$",
    "^",
    "_",
    "`",
    "'",
    "--",
    "~",
    " ",
    "a",
    "2",
    "\\frac",
    "\\pi",
    "texttt",
    "https://",
  ];
  const piece = fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 3 }));
  return fc.array(piece, { maxLength: 60 }).map((parts) => parts.join(""));
}
