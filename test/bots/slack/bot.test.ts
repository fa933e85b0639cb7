import { afterAll, beforeAll } from "vitest";
import { botContract } from "../../contracts/bot.ts";
import { createDesk, type TestDesk } from "../../contracts/desk.ts";
import { createWorld } from "./world.ts";

let library: TestDesk;
beforeAll(async () => {
  library = await createDesk({ days: 1 });
});
afterAll(() => library.close());

for (const over of ["socket", "http"] as const) {
  botContract(`on Slack over ${over}`, async () => {
    const { bot, slack, team, channel, close } = await createWorld({
      library,
      over,
      isStarted: false,
      isTimeless: true,
    });
    const gone = slack.addChannel(team, { name: "elsewhere", kind: "private" }).id;
    const key = { platform: "slack", workspace: team } as const;
    return {
      bot,
      to: { ...key, channel },
      unknown: { ...key, channel: gone },
      standing: async () => slack.messages(channel).map((message) => slack.read(message)),
      close,
    };
  });
}
