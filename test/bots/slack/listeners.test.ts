import { App } from "@slack/bolt";
import { afterEach, describe, expect, test, vi } from "vitest";
import { COMMANDS, EVENTS, SCOPES, SHORTCUTS } from "../../../src/bots/slack/manifest.ts";
import { createDesk } from "../../contracts/desk.ts";
import { createWorld, type World } from "./world.ts";

let world: World | null = null;
afterEach(async () => {
  vi.restoreAllMocks();
  await world?.close();
  world = null;
});

const OPTIONAL = SCOPES.filter(({ without }) => without !== null).map(({ name }) => name);

describe("what the adapter listens to", () => {
  test.each(["socket", "http"] as const)("is what the manifest asks for, over %s", async (over) => {
    const events = vi.spyOn(App.prototype, "event");
    const commands = vi.spyOn(App.prototype, "command");
    const shortcuts = vi.spyOn(App.prototype, "shortcut");
    world = await createWorld({ over, isTimeless: true });
    const named = (calls: readonly (readonly unknown[])[]) =>
      calls.map(([first]) => first).filter((first) => !(first instanceof RegExp));
    expect(named(events.mock.calls).toSorted()).toEqual([...EVENTS].toSorted());
    expect(named(commands.mock.calls)).toEqual(COMMANDS.map(({ command }) => command));
    expect(named(shortcuts.mock.calls)).toEqual(
      SHORTCUTS.map(({ callback_id, type }) => ({ callback_id, type: `${type}_action` })),
    );
  });

  test.each(OPTIONAL.map((scope) => [scope]))(
    "works without %s, and says once what is missing",
    async (refused) => {
      const library = await createDesk({ days: 1 });
      world = await createWorld({
        library,
        isTimeless: true,
        scopes: SCOPES.map(({ name }) => name).filter((name) => name !== refused),
      });
      const { slack, ada, channel, events } = world;
      const [newest] = await library.store.days({ limit: 1 });
      const papers = (await library.store.list(newest!.day))!.papers.slice(0, 3);
      for (const { id } of papers) {
        const search = await (await slack.command(ada, channel, "/papers", "search agents")).answered();
        expect(search.text).toContain("Search · agents");
        const subscribed = await slack.command(ada, channel, "/papers", `subscribe "${id}"`);
        await subscribed.until(({ messages }) => messages.some(({ via }) => via === "chat.postMessage"));
        await (await slack.openHome(ada)).answered();
        expect(slack.read(slack.home(ada)!)).toContain("Your digests");
        const url = `https://arxiv.org/abs/${id}`;
        const seen = await slack.postLink(ada, channel, url, [url]);
        if (refused === "links:write") {
          await slack.until(() => slack.requests.at(-1)?.method === "chat.unfurl");
        } else if (refused !== "links:read") {
          await seen.until(({ messages }) => messages.some(({ unfurls }) => url in unfurls));
        }
        const related = await slack.shortcut(ada, seen.posted!, "v1:related");
        expect((await related.answered()).text).toContain("Similar · ");
      }
      expect(events.filter(({ kind }) => kind === "unexpected")).toEqual([]);
      const said = events.filter(({ kind }) => kind === "trouble");
      const isTold = refused === "users:read" || refused === "links:write";
      expect(said).toMatchObject(
        isTold ? [{ detail: expect.stringContaining(`not granted ${refused}`) }] : [],
      );
      await library.close();
    },
  );
});
