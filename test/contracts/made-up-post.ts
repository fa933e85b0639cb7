import type { Post } from "../../src/core/bot.ts";
import type { ChannelKey } from "../../src/core/channel.ts";
import type { Message } from "../../src/core/message.ts";

/** The first attempt at a digest. */
export function madeUpPost(to: ChannelKey, message: Message, nonce: string): Post {
  return { to, person: null, kind: "digest", attempt: 1, message, nonce };
}
