import { writeFileSync } from "node:fs";
import type { APIMessage } from "discord.js";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createWorld, type World } from "./world.ts";

const FILE = process.env["PAPERBOY_TRANSCRIPT"];

let world: World;
const lines: string[] = [];
beforeAll(async () => {
  world = await createWorld();
});
afterAll(async () => {
  await world.close();
  if (FILE !== undefined) writeFileSync(FILE, `${lines.join("\n")}\n`);
});

function tell(who: string, text: string): void {
  lines.push("", `${who}: ${text}`);
}

/** As a reader of plain text may take it: its words, then its menu and its buttons. */
function show(message: APIMessage | null, to: string): APIMessage {
  if (message === null) throw new Error("There is no answer.");
  const controls: string[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) for (const each of value) walk(each);
    else if (typeof value === "object" && value !== null) {
      if ("label" in value && "type" in value && value.type === 2) controls.push(`[${String(value.label)}]`);
      if ("placeholder" in value) controls.push(`[${String(value.placeholder)} ▾]`);
      if ("components" in value) walk(value.components);
      if ("accessory" in value) walk(value.accessory);
    }
  };
  walk(message.components ?? []);
  const files = message.attachments.map(({ filename }) => `(file: ${filename})`);
  const text = world.discord.textOf(message).split("\n");
  lines.push("", `Paperboy, ${to}:`, ...[...text, controls.join(" "), ...files].map((line) => `  ${line}`));
  return message;
}

test("from subscribing to a digest, a card, a thread, a saved paper and its export", async () => {
  const { discord, desk, sender, guildId, channelId, ada, sam } = world;
  const all = "to all in #papers";
  const alone = "to Sam alone";

  tell("Ada", "/papers subscribe robotics");
  show((await discord.slash(ada, channelId, "subscribe", { topic: "robotics" })).message, all);
  tell("Ada", "/papers schedule time:09:00 zone:Europe/Paris");
  const schedule = { time: "09:00", zone: "Europe/Paris" };
  show((await discord.slash(ada, channelId, "schedule", schedule)).message, all);

  const key = { platform: "discord", workspace: guildId, channel: channelId } as const;
  await desk.channels.change(key, (now) =>
    now === null
      ? null
      : { ...now, channel: { ...now.channel, next: { at: "2026-04-22T11:59:00.000Z", slot: "2026-04-22" } } },
  );
  lines.push("", "(The minute comes.)");
  await sender.tick();
  await sender.deliver();
  const digest = show(discord.messages(channelId).at(-1) ?? null, all);
  expect(discord.textOf(digest)).toContain("robotics");

  const [delivery] = await desk.ledger.history(key, 1);
  const [paper = ""] = delivery?.paperIds ?? [];
  tell("Sam", `chooses a paper in the menu`);
  const card = await discord.choose(sam, digest, "v1:show", [paper]);
  show(card.message, alone);
  tell("Sam", "presses Discuss");
  const discussed = await discord.press(sam, card.message ?? digest, "Discuss");
  show(discussed.message, all);
  await vi.waitFor(() => expect(discord.threads(channelId)).toHaveLength(1));
  const [thread] = discord.threads(channelId);
  lines.push(`  (with a thread: ${thread !== undefined && "name" in thread ? String(thread.name) : ""})`);
  tell("Sam", "presses Save on the card");
  show((await discord.press(sam, card.message ?? digest, "Save")).message, alone);
  tell("Sam", "/papers saved");
  const saved = await discord.slash(sam, channelId, "saved");
  show(saved.message, alone);
  tell("Sam", "presses BibTeX");
  const exported = show((await discord.press(sam, saved.message ?? digest, "BibTeX")).message, alone);
  const file = await (await fetch(exported.attachments[0]?.url ?? "")).text();
  lines.push(
    ...file
      .trimEnd()
      .split("\n")
      .map((line) => `  | ${line}`),
  );
  expect(file).toContain(paper);
  expect(lines.join("\n")).toMatch(/Subscribed.*Daily Papers.*Discussion.*Saved.*BibTeX/s);
});
