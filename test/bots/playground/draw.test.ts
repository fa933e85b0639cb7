import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Message } from "../../../src/core/message.ts";
import { renderDiscord } from "../../../src/bots/discord/render.ts";
import { drawDiscord } from "../../../src/bots/playground/draw-discord.ts";
import { drawSlack } from "../../../src/bots/playground/draw-slack.ts";
import type { Frame } from "../../../src/bots/playground/draw.ts";
import { renderSlack } from "../../../src/bots/slack/render.ts";

const FRAME: Frame = {
  ref: null,
  source: "kind=search&query=x",
  time: "9:00 AM",
  at: null,
  used: null,
  onlyYou: false,
  pages: "v1:page",
  thread: null,
  file: null,
};

function discord(payload: unknown, frame: Frame = FRAME): string {
  return String(drawDiscord(payload, frame));
}
function slack(payload: unknown, frame: Frame = FRAME): string {
  return String(drawSlack(payload, frame));
}
function discordText(content: string): string {
  return inner(discord({ components: [{ type: 10, content }] }));
}
function slackText(text: string): string {
  return inner(slack({ blocks: [{ type: "section", text: { type: "mrkdwn", text } }] }));
}
/** What stands in the body, without the frame and the blanks between tags. */
function inner(html: string): string {
  const body = /<div class="body">([\s\S]*?)<\/div>\s*(?:<a\s+class="payload-link"|<p class="only-you")/.exec(
    html,
  )?.[1];
  return (body ?? html).replace(/>\s*\n\s*</g, "><").trim();
}
const link = (url: string, label: string) =>
  `<a class="link" href="${url}" target="_blank" rel="noreferrer noopener">${label}</a>`;

describe("the Discord drawer", () => {
  it.each([
    ["**a _b_ c**", "<p><strong>a <em>b</em> c</strong></p>"],
    ["*a* ~~b~~ __c__ `d*e*`", "<p><em>a</em> <s>b</s> <u>c</u> <code>d*e*</code></p>"],
    ["## Head\n-# small", `<h3 class="middle">Head</h3><p class="subtext">small</p>`],
    ["\\*not\\* \\# \\[x\\]\\(y\\)", "<p>*not* # [x](y)</p>"],
    ["snake_case_name 2*3", "<p>snake_case_name 2*3</p>"],
    ["> said", "<blockquote>said</blockquote>"],
    ["```bib\n@a{<b>}\n```", "<pre><code>@a{&lt;b&gt;}\n</code></pre>"],
  ])("draws %j", (content, html) => {
    expect(discordText(content)).toContain(html);
  });

  it("draws a masked link with brackets and marks in its label", () => {
    expect(discordText("**1 · [\\[Re\\] A *B*](https://a.example/x)**")).toContain(
      `<strong>1 · ${link("https://a.example/x", "[Re] A <em>B</em>")}</strong>`,
    );
  });

  it("shows a mention as one, so that a payload which pings is seen", () => {
    expect(discordText("@everyone <@123>")).toContain(
      `<span class="mention">@everyone</span> <span class="mention">&lt;@123&gt;</span>`,
    );
  });

  it("draws container, section, menu and buttons", () => {
    const html = discord({
      components: [
        {
          type: 17,
          accent_color: 0xffd21e,
          components: [
            {
              type: 9,
              components: [{ type: 10, content: "text" }],
              accessory: { type: 11, media: { url: "https://a.example/t.png" }, description: "alt" },
            },
            { type: 14 },
            {
              type: 1,
              components: [{ type: 3, custom_id: "v1:show", options: [{ label: "A", value: "1" }] }],
            },
            {
              type: 1,
              components: [
                { type: 2, style: 1, label: "Save", custom_id: "v1:save:1" },
                { type: 2, style: 5, label: "Open", url: "https://a.example/" },
              ],
            },
          ],
        },
      ],
    });
    expect(html).toContain(`fill="#ffd21e"`);
    expect(html).toMatch(
      /<img\s+src="https:\/\/a\.example\/t\.png"\s+alt="alt"\s+width="85"\s+height="85"\s+loading="lazy"/,
    );
    expect(html).toContain("<hr");
    expect(html).toMatch(/<select data-action="v1:show"[\s\S]*<option value="1">A<\/option>/);
    expect(html).toMatch(/class="button primary"\s+data-action="v1:save:1"/);
    expect(html).toMatch(/<a\s+class="button secondary"\s+href="https:\/\/a\.example\/"/);
  });

  it("shows what it does not know as unsupported", () => {
    expect(discordText("")).not.toContain(`class="unsupported"`);
    for (const component of [{ type: 99 }, { type: 10 }, {}, null, "x", { type: 9, components: [] }]) {
      expect(discord({ components: [component] })).toContain("Unsupported here: component");
    }
    expect(discord("no payload")).toContain("Unsupported here");
  });
});

describe("the Slack drawer", () => {
  it.each([
    ["*a _b_ c* ~d~ `e*f*`", "<p><strong>a <em>b</em> c</strong> <s>d</s> <code>e*f*</code></p>"],
    ["snake_case_name 2*3*4", "<p>snake_case_name 2*3*4</p>"],
    ["&gt; said", "<blockquote>said</blockquote>"],
    ["AT&amp;T &amp;lt;b&amp;gt;", "<p>AT&amp;T &amp;lt;b&amp;gt;</p>"],
    ["<!channel> <@U1>", `<span class="mention">!channel</span> <span class="mention">@U1</span>`],
    ["<!date^1^{date}|22 April>", "<p>22 April</p>"],
  ])("draws %j", (text, html) => {
    expect(slackText(text)).toContain(html);
  });

  it("decodes entities after parsing, so that a title with <think> stays whole", () => {
    expect(slackText("*1  <https://a.example/x?a=1&amp;b=2|A &lt;think&gt; B>*")).toContain(
      `<strong>1  ${link("https://a.example/x?a=1&amp;b=2", "A &lt;think&gt; B")}</strong>`,
    );
  });

  it("draws header, section, context, actions and image", () => {
    const html = slack({
      blocks: [
        { type: "header", text: { type: "plain_text", text: "*Head*" } },
        {
          type: "section",
          text: { type: "mrkdwn", text: "text" },
          accessory: { type: "image", image_url: "https://a.example/t.png", alt_text: "alt" },
        },
        { type: "context", elements: [{ type: "mrkdwn", text: "small" }] },
        { type: "divider" },
        {
          type: "actions",
          elements: [
            {
              type: "static_select",
              action_id: "v1:show",
              options: [{ text: { type: "plain_text", text: "A" }, value: "1" }],
            },
            {
              type: "button",
              action_id: "v1:save:1",
              text: { type: "plain_text", text: "Save" },
              style: "primary",
            },
          ],
        },
        { type: "image", image_url: "https://a.example/i.png", alt_text: "wide" },
      ],
    });
    expect(html).toContain(`<h3 class="header">*Head*</h3>`);
    expect(html).toMatch(/src="https:\/\/a\.example\/t\.png"\s+alt="alt"\s+width="88"/);
    expect(html).toContain(`<div class="context"><span><p>small</p></span></div>`);
    expect(html).toMatch(/<select data-action="v1:show"[\s\S]*<option value="1">A<\/option>/);
    expect(html).toMatch(/class="button primary"\s+data-action="v1:save:1"/);
    expect(html).toContain("<figure>");
  });

  it("shows what it does not know as unsupported", () => {
    for (const block of [{ type: "video" }, { type: "header" }, null, 1]) {
      expect(slack({ blocks: [block] })).toContain("Unsupported here: block");
    }
    expect(slack({ blocks: [{ type: "actions", elements: [{ type: "datepicker" }] }] })).toContain(
      "Unsupported here: element datepicker",
    );
    expect(slack(null)).toContain("Unsupported here");
  });
});

describe("both drawers", () => {
  it.each(["http://a.example/", "javascript:alert(1)", "data:text/html,x"])(
    "make no link or picture of %s",
    (url) => {
      const drawn = [
        discord({
          components: [
            { type: 2, style: 5, label: "x", url },
            { type: 11, media: { url } },
          ],
        }),
        slack({ blocks: [{ type: "image", image_url: url, alt_text: "x" }] }),
        slackText(`<${url}|x>`),
        discordText(`[x](${url})`),
      ].join("");
      expect(drawn).not.toMatch(/(?:href|src)="(?!\/(?:favicon|payload))/);
    },
  );

  it("mark the answer to a command as seen by who asked only", () => {
    const answer: Frame = {
      ...FRAME,
      used: { name: "Ada", command: "/papers search <b>" },
      onlyYou: true,
    };
    for (const html of [discord({ components: [] }, answer), slack({ text: "x" }, answer)]) {
      expect(html).toContain("<code>/papers search &lt;b&gt;</code>");
      expect(html).toMatch(/Only (?:you can see this|visible to you)/);
      expect(html).toContain(`class="message ephemeral"`);
    }
  });

  it("name who used the command, before everybody", () => {
    const answer: Frame = { ...FRAME, used: { name: "Ada", command: "/papers today" } };
    for (const html of [discord({ components: [] }, answer), slack({ text: "x" }, answer)]) {
      expect(html).toMatch(/Ada(?:<\/b>)? used <code>\/papers today<\/code>/);
      expect(html).not.toContain("ephemeral");
    }
  });

  it("draw a file and a thread, whatever their names", () => {
    const frame: Frame = {
      ...FRAME,
      thread: `"><img src=x>`,
      file: { name: `<b>.bib`, type: `a"b`, text: "</code><img src=x>" },
    };
    for (const html of [discord({ components: [] }, frame), slack({ text: "x" }, frame)]) {
      expect(html).toContain("&lt;b&gt;.bib");
      expect(html).toContain("18 bytes");
      expect(html).not.toContain("<img src=x>");
      expect(html).toContain("<details");
    }
  });

  it("keep any text of a paper text, through the renderers", () => {
    const nasty = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 60 }),
      fc.stringMatching(/^[<>&"'`*_~[\]()|\\#@!:/a-z ]{0,40}$/),
    );
    fc.assert(
      fc.property(nasty, nasty, nasty, (title, body, fact) => {
        const message: Message = {
          title,
          intro: [fact],
          items: [
            {
              rank: 1,
              title,
              url: "https://a.example/x",
              body,
              facts: [fact],
              thumbnail: { url: "https://a.example/t.png", alt: title },
            },
          ],
          select: { id: "v1:show", placeholder: title, options: [{ label: title, value: "1" }] },
          buttons: [{ label: body, id: "v1:x" }],
          pages: null,
          footer: fact,
        };
        const drawn = discord(renderDiscord(message)) + slack(renderSlack(message));
        const tags = [...drawn.matchAll(/<(\w+)/g)].map((match) => match[1] ?? "");
        expect(tags.filter((tag) => !KNOWN_TAGS.has(tag))).toEqual([]);
        const targets = [...drawn.matchAll(/(?:href|src)="([^"]*)"/g)].map((match) => match[1] ?? "");
        expect(
          targets.filter(
            (target) => !/^(?:\/favicon\.svg$|\/payload\/|https:\/\/a\.example\/[xt])/.test(target),
          ),
        ).toEqual([]);
        expect(drawn).not.toContain(`class="unsupported"`);
        expect(drawn).not.toContain(`class="mention"`);
      }),
      { numRuns: 300 },
    );
  });
});

const KNOWN_TAGS = new Set(
  "article img header b span time div h3 h4 p svg rect strong em u s code pre a select option button hr blockquote path circle".split(
    " ",
  ),
);
