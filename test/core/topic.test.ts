import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { HAS } from "../../src/core/paper.ts";
import { parseSearch, parseTopic, topicName, TopicError } from "../../src/core/topic.ts";

describe("reading a topic", () => {
  test.each([
    ["agents -robotics org:nvidia has:code min:20", "agents org:nvidia has:code -robotics min:20"],
    ['agents author:"Song Han"', 'agents author:"song han"'],
    ["reinforcement learning OR RL has:code", "reinforcement learning OR rl has:code"],
    ["agents org:nvidia benchmarks", "agents benchmarks org:nvidia"],
    ["  Agents,   PLANNING! ", "agents planning"],
    [
      "“sparse attention” ‘linear attention’ „rope“ «moe»",
      '"sparse attention" "linear attention" "rope" "moe"',
    ],
    ["models’ bias don’t", "models bias don't"],
    ["agents –robotics —games −speech", "agents -robotics -games -speech"],
    ['agents -"video games"', 'agents -"video games"'],
    ["agents—robots", "agents robots"],
    ["ＯＲＧ：ｎｖｉｄｉａ　ａｇｅｎｔｓ", "org:nvidia agents"],
    ["org: nvidia HAS: Code", "org:nvidia has:code"],
    ['"an open quote', '"an open quote"'],
    ["(agents OR robots) has:code", "agents OR robots has:code"],
    ["OR agents OR OR robots OR", "agents OR robots"],
    ["cats or dogs", "cats or dogs"],
    ["agents min:5 min:20 min:007", "agents min:20"],
    ["agents -games -Games", "agents -games"],
    ["a:b GPT:4o max:3", "a:b gpt:4o max:3"],
    ["C++ c# (((", "c++ c#"],
    ["the of", "the of"],
    ["min:10", "min:10"],
    ["org:alibaba-inc", "org:alibaba-inc"],
    ["has:video", "has:video"],
    ["大语言模型", "大语言模型"],
  ])("%s is %s", (text, canonical) => {
    expect(parseTopic(text).text).toBe(canonical);
  });

  test("OR joins the runs of words on its sides, and filters one by one", () => {
    expect(parseTopic("reinforcement learning OR RL has:code OR has:model").groups).toEqual([
      [
        {
          kind: "words",
          terms: [
            { text: "reinforcement", phrase: false },
            { text: "learning", phrase: false },
          ],
        },
        { kind: "words", terms: [{ text: "rl", phrase: false }] },
      ],
      [
        { kind: "has", value: "code" },
        { kind: "has", value: "model" },
      ],
    ]);
  });

  test("words and a filter can be alternatives of each other", () => {
    expect(parseTopic("agents OR org:nvidia").groups).toEqual([
      [
        { kind: "words", terms: [{ text: "agents", phrase: false }] },
        { kind: "org", value: "nvidia" },
      ],
    ]);
  });

  test("what is left out holds for the whole topic and does not part the words around it", () => {
    const topic = parseTopic('reinforcement -games learning OR RL -"Atari 2600"');
    expect(topic.text).toBe('reinforcement learning OR rl -games -"atari 2600"');
    expect(topic.excluded).toEqual([
      { text: "games", phrase: false },
      { text: "atari 2600", phrase: true },
    ]);
  });
});

describe("a mistake", () => {
  test.each([
    ["", "There is no word", "agents has:code"],
    ["😀 ???", "There is no word", "agents has:code"],
    ["-robotics", "not what to find", "agents -robotics"],
    ["agents has:cod", '"has:" takes one of', "agents has:code"],
    ["has:datasets", '"has:" takes one of', "has:dataset"],
    ["min:abc", '"min:" takes a whole number', "min:10"],
    ["min:25+x agents", '"min:" takes a whole number', "agents min:25"],
    ["min:9999999", '"min:" takes a whole number', "min:999999"],
    ["orgs:nvidia", 'did you mean "org:"', "org:nvidia"],
    ['authors:"Song Han"', 'did you mean "author:"', 'author:"song han"'],
    ["org:", '"org:" needs a name', "org:nvidia"],
    ['author:"" x', '"author:" needs a name', 'author:"song han" x'],
    ["agents -org:google", "A minus leaves out", "agents"],
    ["agents -(games video)", "A minus leaves out", "agents -games -video"],
    ["agents OR -games", "cannot stand beside OR", "agents -games"],
    ["min:5 OR agents", "cannot stand beside OR", "agents min:5"],
    ["hass:cod mins:x agents -org:y", "did you mean", "has:code agents min:10"],
  ])("%s is told in one sentence, with the nearest topic", (text, message, suggestion) => {
    const error = errorOf(() => parseTopic(text));
    expect(error.message).toContain(message);
    expect(error.message).toMatch(/^[^\n]+[.?]$/);
    expect(error.suggestion).toBe(suggestion);
  });

  test("a topic can have 300 characters and no more", () => {
    expect(parseTopic("a".repeat(300)).text).toHaveLength(300);
    expect(errorOf(() => parseTopic("a".repeat(301))).message).toContain("300");
    expect(parseTopic(`a${" ".repeat(400)}b`).text).toBe("a b");
    expect(parseTopic("a".repeat(301), { maxLength: 1_000 }).text).toHaveLength(301);
  });
});

describe("reading a search", () => {
  test.each([
    "GPT-4o",
    "C++",
    "a:b",
    "大语言模型的推理",
    "the of",
    "x".repeat(10_000),
    "word ".repeat(10_000),
  ])("free text has an answer", (text) => {
    expect(parseSearch(text).groups).toHaveLength(1);
  });

  test("in prose longer than a topic a mistake is plain words", () => {
    const { groups, excluded } = parseSearch(
      `${"long ".repeat(100)} it has:parts authors:all -org:none OR -x`,
    );
    expect(groups).toHaveLength(1);
    expect(JSON.stringify(groups)).toContain('"parts"');
    expect(excluded.map(({ text }) => text)).toEqual(["org", "none", "x"]);
    expect(parseSearch(`${"long ".repeat(100)} "two words"`).text).not.toContain('"');
  });

  test("a mistake in a short search is told", () => {
    expect(errorOf(() => parseSearch("agents has:cod")).suggestion).toBe("agents has:code");
  });
});

describe("for any text", () => {
  const odd = fc.string({
    unit: fc.oneof(
      fc.constantFrom(
        ..."\"'-–—“”‘’„«():, +#.OR",
        "OR ",
        " OR ",
        "org:",
        "min:",
        "has:code",
        "author:",
        "-(",
        "9",
      ),
      fc.string({ unit: "binary", minLength: 1, maxLength: 1 }),
    ),
    maxLength: 60,
  });

  test("it is read or a TopicError is thrown, and its canonical form is read as the same topic", () => {
    fc.assert(
      fc.property(odd, (text) => {
        for (const parse of [parseTopic, parseSearch]) {
          try {
            const topic = parse(text);
            expect(parse(topic.text)).toEqual(topic);
          } catch (error) {
            if (!(error instanceof TopicError)) throw error;
            if (error.suggestion !== null) expect(parseTopic(error.suggestion).text).toBe(error.suggestion);
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("valid pieces in any order and any spelling of them are read, and printed as they were read", () => {
    const word = fc.constantFrom("agents", "Fine-Tuning", "GPT-4o", "c++", "the", "学习", "a:b", "OR's");
    const phrase = word.map((own) => `"${own} learning"`);
    const filter = fc.oneof(
      fc.constantFrom("org:nvidia", "ORG:x-y", 'org:"Google DeepMind"', 'author:"Song Han"', "author:LeCun"),
      fc.constantFrom(...HAS).map((has) => `has:${has}`),
    );
    const found = fc.oneof(word, phrase, filter);
    const group = fc.array(found, { minLength: 1, maxLength: 4 }).map((parts) => parts.join(" OR "));
    const bound = fc.oneof(
      fc.oneof(word, phrase).map((own) => `-${own}`),
      fc.nat(9_999).map((min) => `min:${min}`),
    );
    const topics = fc.tuple(group, fc.array(fc.oneof(group, bound), { maxLength: 5 }));
    fc.assert(
      fc.property(topics, ([first, rest]) => {
        const topic = parseTopic([first, ...rest].join(" "));
        expect(parseTopic(topic.text)).toEqual(topic);
      }),
    );
  });
});

function errorOf(run: () => unknown): TopicError {
  try {
    run();
  } catch (error) {
    if (error instanceof TopicError) return error;
    throw error;
  }
  throw new Error("No TopicError was thrown.");
}

test("a topic's name is what it asks for, without what it leaves out", () => {
  expect(topicName(parseTopic('agents -robotics org:nvidia OR org:google -"a b" min:20'))).toBe(
    "agents org:nvidia OR org:google",
  );
  expect(topicName(parseTopic("min:20"))).toBe("min:20");
});
