import fc from "fast-check";
import type { Item, Message } from "../../src/core/message.ts";

/** Says nothing. */
export const EMPTY: Message = {
  title: "",
  intro: [],
  items: [],
  select: null,
  buttons: [],
  pages: null,
  footer: null,
};

/** A day's digest of `count` papers; `changes` replace parts of it and `item` parts of every item. */
export function digest(count: number, changes: Partial<Message> = {}, item: Partial<Item> = {}): Message {
  const ids = Array.from({ length: count }, (_, i) => String(2504.00001 + i * 0.00001).slice(0, 10));
  return {
    title: "Daily Papers · Wednesday 22 April",
    intro: ["5 of 28 papers"],
    items: ids.map((id, i) => ({
      rank: i + 1,
      title: `Paper ${i + 1}`,
      url: `https://huggingface.co/papers/${id}`,
      body: "One sentence on it.",
      facts: ["▲ 45", "code ★ 11", "matches agents"],
      thumbnail: { url: `https://cdn.example/${i + 1}.png`, alt: `First page of paper ${i + 1}` },
      ...item,
    })),
    select: {
      id: "v1:open",
      placeholder: "Choose a paper",
      options: ids.map((id, i) => ({ label: `${i + 1} Paper ${i + 1}`, value: id })),
    },
    buttons: [],
    pages: null,
    footer: "Next: Thu 23 April, 09:00 Paris",
    ...changes,
  };
}

const SNIPPETS = [
  "@everyone",
  "<@123>",
  "<@&1>",
  "<#1>",
  "<t:1:R>",
  "<:a:1>",
  "</papers:1>",
  "[x](https://evil.example)",
  "](https://evil.example)",
  "https://evil.example",
  "<!channel>",
  "<!here|x>",
  "<@U1>",
  "<#C1|x>",
  "<https://evil.example|x>",
  "<!date^1^{date}|x>",
  "&lt;!channel&gt;",
  "&",
  "*b*",
  "~s~",
  "int_8",
  "discord.gg/x",
  ":tada:",
  "**b**",
  "__u__",
  "_i_",
  "~~s~~",
  "||p||",
  "`c`",
  "```\nx\n```",
  "\n# h",
  "\n> q",
  "\n- l",
  "\n1. l",
  "\\",
  "$\\pi_0$",
  "\u202E",
  "\u200B",
  "\uD800",
  "مرحبا",
  "日本語",
  "👍🏽",
  " ",
  "word",
  "[",
  "]",
  "(",
];

/** Text that tries to ping, link, format, hide or break. */
export function hostile(maxLength: number): fc.Arbitrary<string> {
  const piece = fc.oneof(
    fc.constantFrom(...SNIPPETS),
    fc.string({ unit: "binary", maxLength: 6 }),
    fc.string({ maxLength: 9 }),
  );
  return fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join("").slice(0, maxLength));
}

/** Any message at all, of hostile text. */
export function messages(): fc.Arbitrary<Message> {
  const text = hostile(200);
  const long = fc
    .tuple(text, fc.integer({ min: 0, max: 40 }))
    .map(([unit, times]) => `${unit} `.repeat(times).slice(0, 3000));
  const url = fc.oneof(
    fc.webUrl({ validSchemes: ["https"] }),
    fc.webUrl(),
    text,
    fc.constant("https://a.b/(x)*[y]?q='|`"),
  );
  const id = fc.oneof(fc.constantFrom("v1:a", "v1:b"), text);
  const item: fc.Arbitrary<Item> = fc.record({
    rank: fc.option(fc.nat(999)),
    title: fc.oneof(text, long),
    url: fc.option(url),
    body: fc.option(long),
    facts: fc.array(text, { maxLength: 6 }),
    thumbnail: fc.option(fc.record({ url, alt: text })),
  });
  const button = fc.oneof(
    fc.record({ label: text, id }),
    fc.record({ label: text, id, style: fc.constantFrom("primary" as const, "danger" as const) }),
    fc.record({ label: text, url }),
  );
  return fc.record({
    title: fc.oneof(text, long),
    intro: fc.array(fc.oneof(text, long), { maxLength: 6 }),
    items: fc.array(item, { maxLength: 30 }),
    select: fc.option(
      fc.record({
        id,
        placeholder: text,
        options: fc.array(fc.record({ label: text, value: text }), { maxLength: 30 }),
      }),
    ),
    buttons: fc.array(button, { maxLength: 12 }),
    pages: fc.option(fc.record({ id, offset: fc.nat(50), total: fc.nat(100) })),
    footer: fc.option(fc.oneof(text, long)),
  });
}
