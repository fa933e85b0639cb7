import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { channelKey, type MessageLog } from "../../src/bots/playground/bot.ts";

/** What every log of the playground's messages keeps to; `make` gives an empty one. */
export function messageLogContract(
  name: string,
  make: () => Promise<{ readonly log: MessageLog; close?(): Promise<void> }>,
): void {
  describe(`the message log ${name}`, () => {
    let log: MessageLog;
    let close: (() => Promise<void>) | undefined;
    beforeEach(async () => {
      ({ log, close } = await make());
    });
    afterEach(() => close?.());

    const papers = channelKey("discord", "papers");
    const agents = channelKey("discord", "agents");
    const append = (body: string, channel = papers, nonce: string | null = null) =>
      log.append({ channel, nonce, body });
    const bodies = async (channel = papers, limit = 100) =>
      (await log.list(channel, limit)).map(({ body }) => body);

    test("keeps a channel's messages in their order, and gives the newest", async () => {
      for (const body of ["1", "2", "3"]) await append(body);
      await append("elsewhere", agents);
      await append("on the other client", channelKey("slack", "papers"));
      expect(await bodies()).toEqual(["1", "2", "3"]);
      expect(await bodies(papers, 2)).toEqual(["2", "3"]);
      expect((await log.list(agents, 9))[0]).toMatchObject({ channel: agents, body: "elsewhere" });
    });

    test("appends the same nonce once a channel, also when it is asked for at the same time", async () => {
      const [first, second] = await Promise.all([append("a", papers, "n"), append("b", papers, "n")]);
      const third = await append("c", papers, "n");
      expect([first.isNew, second.isNew, third.isNew]).toEqual([true, false, false]);
      expect([second.ref, third.ref, third.body]).toEqual([first.ref, first.ref, "a"]);
      expect((await append("d", agents, "n")).isNew).toBe(true);
      expect((await append("e")).isNew && (await append("f")).isNew).toBe(true);
      expect(await bodies()).toEqual(["a", "e", "f"]);
    });

    test("replaces a message in its place, and tells of it as news", async () => {
      const first = await append("a");
      const second = await append("b");
      expect(await log.revision()).toBe(second.revision);
      const replaced = await log.replace(first.ref, "a2");
      expect(replaced).toMatchObject({ ref: first.ref, body: "a2", channel: papers });
      expect(await bodies()).toEqual(["a2", "b"]);
      expect((await log.since(first.revision, 9)).map(({ body }) => body)).toEqual(["b", "a2"]);
      expect((await log.since(first.revision, 1)).map(({ body }) => body)).toEqual(["b"]);
      expect(await log.find(first.ref)).toEqual(replaced);
      expect(await log.revision()).toBe(replaced?.revision);
    });

    test("knows nothing of what was never there", async () => {
      expect(await log.revision()).toBe(0);
      expect(await log.find("7")).toBeNull();
      expect(await log.replace("7", "x")).toBeNull();
      expect(await log.list(papers, 5)).toEqual([]);
    });
  });
}
