import { type Channel, ChannelFlags, ChannelType } from "discord.js";
import type { Rights } from "../../core/command.ts";
import { missingPermissions } from "./permissions.ts";

/** What kind of channel a message would go to, as far as posting there differs. */
export type PlaceKind = "text" | "announcement" | "thread" | "forum" | "direct";

/** Null for a kind that Paperboy never posts in, such as a category. */
export function kindOf(type: ChannelType): PlaceKind | null {
  switch (type) {
    case ChannelType.GuildText:
    case ChannelType.GuildVoice:
    case ChannelType.GuildStageVoice:
      return "text";
    case ChannelType.GuildAnnouncement:
      return "announcement";
    case ChannelType.PublicThread:
    case ChannelType.PrivateThread:
    case ChannelType.AnnouncementThread:
      return "thread";
    case ChannelType.GuildForum:
    case ChannelType.GuildMedia:
      return "forum";
    case ChannelType.DM:
    case ChannelType.GroupDM:
      return "direct";
    default:
      return null;
  }
}

/** The forum that a channel is, or is a post of; null elsewhere. */
export function forumOf(channel: Channel): Channel | null {
  if (kindOf(channel.type) === "forum") return channel;
  if (!channel.isThread()) return null;
  const { parent } = channel;
  return parent !== null && kindOf(parent.type) === "forum" ? parent : null;
}

/** A forum's tags, and its flags as the API has them. */
export type Tagging = {
  readonly tags: readonly { readonly id: string; readonly name: string; readonly moderated: boolean }[];
  readonly flags: number;
};

/** Null where posts have no tags. */
export function forumTagging(channel: Channel): Tagging | null {
  if (!("availableTags" in channel)) return null;
  return { tags: channel.availableTags, flags: channel.flags.bitfield };
}

/** The tag for a digest's post: one that speaks of papers, else the first that anybody may use; none where none must be. */
export function tagsFor({ tags, flags }: Tagging): readonly string[] {
  const open = tags.filter(({ moderated }) => !moderated);
  const fitting = open.find(({ name }) => /paper|digest|research|daily/i.test(name));
  const tag = fitting ?? ((flags & ChannelFlags.RequireTag) !== 0 ? open[0] : undefined);
  return tag === undefined ? [] : [tag.id];
}

/**
 * What Paperboy may do in a place.
 * @param type of the channel that digests would go to
 * @param held the app's permissions there, as an interaction brings them
 */
export function rightsIn(type: ChannelType, held: bigint): Rights {
  const missing = missingPermissions(type, held);
  const lacking = new Set(missingPermissions(type, held, "everything"));
  return {
    obstacle:
      missing.length === 0
        ? null
        : `Paperboy may not post here: allow it ${missing.join(" and ")} (channel settings, Permissions).`,
    granted: missingPermissions(type, 0n, "everything").map((name) => ({
      name,
      isGranted: !lacking.has(name),
    })),
    canPublish: kindOf(type) === "announcement",
  };
}
