import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseRow } from "../../src/core/hugging-face-rows.ts";
import { arxivUrl, hasOf, paperUrl, parsePaperId } from "../../src/core/paper.ts";

const ID = "2504.06261";
const BARE = parseRow({ id: ID, title: "A title" });

describe("parsePaperId", () => {
  test.each([
    ["2504.06261"],
    [" 2504.06261v2 "],
    ["arXiv:2504.06261"],
    ["ARXIV: 2504.06261v12"],
    ["https://arxiv.org/abs/2504.06261"],
    ["http://www.arxiv.org/abs/2504.06261v1"],
    ["arxiv.org/pdf/2504.06261v2.pdf"],
    ["https://arxiv.org/pdf/2504.06261#page=3"],
    ["https://export.arxiv.org/abs/2504.06261?context=cs"],
    ["https://arxiv.org/html/2504.06261v1/"],
    ["https://huggingface.co/papers/2504.06261"],
    ["https://huggingface.co/papers/2504.06261.md"],
    ["HTTPS://HUGGINGFACE.CO/papers/2504.06261#community"],
    ["hf.co/papers/2504.06261"],
    ["https://www.alphaxiv.org/abs/2504.06261v1"],
    ["https://alphaxiv.org/overview/2504.06261"],
    ["<https://arxiv.org/abs/2504.06261>"],
    ["<https://arxiv.org/abs/2504.06261|arxiv.org/abs/2504.06261>"],
  ])("%s is 2504.06261", (text) => {
    expect(parsePaperId(text)).toBe(ID);
  });

  test.each([
    ["hep-th/9901001", "hep-th/9901001"],
    ["https://arxiv.org/abs/math.GT/0309136v1", "math.GT/0309136"],
    ["0704.0001", "0704.0001"],
  ])("%s is %s", (text, id) => {
    expect(parsePaperId(text)).toBe(id);
  });

  test.each([
    [""],
    ["agents"],
    ["2504.062"],
    ["2504.062611"],
    ["2504.06261 and more"],
    ["https://example.com/abs/2504.06261"],
    ["https://arxiv.org.example.com/abs/2504.06261"],
    ["https://huggingface.co/papers/date/2026-04-22"],
    ["https://huggingface.co/papers/2504.06261/../../evil"],
    ["https://huggingface.co/models/2504.06261"],
    [`https://arxiv.org/abs/2504.06261?${"x".repeat(2_000)}`],
  ])("%s is no paper", (text) => {
    expect(parsePaperId(text)).toBeNull();
  });

  test("the paper's own links lead back to its id", () => {
    const ids = fc.stringMatching(/^\d{4}\.\d{4,5}$/);
    fc.assert(
      fc.property(ids, (id) => {
        expect(parsePaperId(paperUrl(id))).toBe(id);
        expect(parsePaperId(arxivUrl(id))).toBe(id);
      }),
    );
  });

  test("whatever is typed, the answer is an id or null", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 5_000 }), (text) => {
        expect(parsePaperId(text) ?? ID).toMatch(/^(\d{4}\.\d{4,5}|[a-z-]+(\.[A-Za-z]{2})?\/\d{7})$/);
      }),
    );
    for (const unit of ["<", "arxiv:", "https://arxiv.org/abs/", ".pdf", "-", "/", "|"]) {
      expect(parsePaperId(unit.repeat(40))).toBeNull();
    }
  });
});

describe("hasOf", () => {
  test("a bare paper comes with nothing", () => {
    expect(hasOf(BARE)).toEqual([]);
  });

  test("code, video and project page are seen on the paper itself", () => {
    const paper = {
      ...BARE,
      codeUrl: "https://github.com/owner/name",
      projectUrl: "https://example.org/",
      mediaUrls: ["https://cdn-uploads.huggingface.co/a.png", "https://cdn-uploads.huggingface.co/a.MP4?x=1"],
    };
    expect(hasOf(paper)).toEqual(["code", "video", "project"]);
  });

  test("a picture is no video, and QuickTime's two endings are", () => {
    const has = (url: string) => hasOf({ ...BARE, mediaUrls: [url] });
    expect(has("https://cdn-uploads.huggingface.co/mp4.png")).toEqual([]);
    expect(has("https://cdn-uploads.huggingface.co/a.gif")).toEqual([]);
    expect(has("https://cdn-uploads.huggingface.co/a.qt")).toEqual(["video"]);
    expect(has("https://cdn-uploads.huggingface.co/a.mov#t=1")).toEqual(["video"]);
  });

  test("models, datasets and spaces count where there is at least one", () => {
    const linked = { models: 2, datasets: 0, spaces: 1, modelIds: [], datasetIds: [], spaceIds: [] };
    expect(hasOf({ ...BARE, linked })).toEqual(["model", "space"]);
  });
});
