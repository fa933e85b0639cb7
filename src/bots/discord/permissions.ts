import { ChannelType, OAuth2Scopes, PermissionFlagsBits } from "discord.js";

/**
 * All that Paperboy ever asks for: digests in channels, threads and forums, threads for discussions, files with
 * exports. https://docs.discord.com/developers/topics/permissions
 */
export const LEAST_PERMISSIONS = [
  "ViewChannel",
  "SendMessages",
  "SendMessagesInThreads",
  "CreatePublicThreads",
  "AttachFiles",
] as const satisfies readonly (keyof typeof PermissionFlagsBits)[];

/** The link by which an admin brings the bot into a server, with the least permissions. */
export function inviteLink(applicationId: string): string {
  const link = new URL("https://discord.com/oauth2/authorize");
  link.searchParams.set("client_id", applicationId);
  link.searchParams.set("scope", `${OAuth2Scopes.Bot} ${OAuth2Scopes.ApplicationsCommands}`);
  link.searchParams.set("permissions", String(bitsOf(LEAST_PERMISSIONS)));
  return link.href;
}

/**
 * What the bot lacks in a channel, by the names that Discord's settings show; empty for nothing.
 * @param type of the channel; a forum is asked about new posts, a thread or a post about messages in it
 * @param held what it holds there, as `permissionsIn`, `permissionsFor` of discord.js or an interaction's
 * `app_permissions` tell; of a thread, what it holds in the channel above
 * @param purpose `digest`: to post one there. `everything`: discussions and exports too
 */
export function missingPermissions(
  type: ChannelType,
  held: bigint,
  purpose: "digest" | "everything" = "digest",
): readonly string[] {
  if ((held & PermissionFlagsBits.Administrator) !== 0n) return [];
  const { digest, discussion } = NEEDS[type] ?? TEXT;
  const needed: readonly Permission[] =
    purpose === "digest" ? digest : [...digest, ...discussion, "AttachFiles"];
  const names = type === ChannelType.GuildForum || type === ChannelType.GuildMedia ? FORUM_NAMES : NAMES;
  return needed.filter((each) => (held & PermissionFlagsBits[each]) === 0n).map((each) => names[each]);
}

/** What a server and a channel say of the bot, of Discord's own objects. */
export type Holdings = {
  readonly guild: {
    readonly id: string;
    readonly ownerId: string;
    readonly roles: readonly { readonly id: string; readonly permissions: bigint }[];
  };
  readonly member: { readonly id: string; readonly roles: readonly string[] };
  /** Of the channel; of a thread, those of the channel above. */
  readonly overwrites: readonly { readonly id: string; readonly allow: bigint; readonly deny: bigint }[];
};

/**
 * What a member may do in a channel: the roles' permissions, then the channel's overwrites for everyone, for roles and
 * for the member. https://docs.discord.com/developers/topics/permissions#permission-overwrites
 */
export function permissionsIn({ guild, member, overwrites }: Holdings): bigint {
  // The role of everyone has the guild's id.
  const roles = new Set([guild.id, ...member.roles]);
  const base = guild.roles
    .filter(({ id }) => roles.has(id))
    .reduce((bits, role) => bits | role.permissions, 0n);
  if (guild.ownerId === member.id || (base & PermissionFlagsBits.Administrator) !== 0n) return ALL;
  const isRole = (id: string) => id !== guild.id && roles.has(id);
  return [(id: string) => id === guild.id, isRole, (id: string) => id === member.id].reduce(
    (bits, concerns) => {
      const layer = overwrites.filter(({ id }) => concerns(id));
      const deny = layer.reduce((sum, each) => sum | each.deny, 0n);
      const allow = layer.reduce((sum, each) => sum | each.allow, 0n);
      return (bits & ~deny) | allow;
    },
    base,
  );
}

const ALL = Object.values(PermissionFlagsBits).reduce((bits, bit) => bits | bit, 0n);

type Permission = (typeof LEAST_PERMISSIONS)[number] | "Connect";
type Needs = { readonly digest: readonly Permission[]; readonly discussion: readonly Permission[] };

const TEXT: Needs = {
  digest: ["ViewChannel", "SendMessages"],
  discussion: ["CreatePublicThreads", "SendMessagesInThreads"],
};
/** SEND_MESSAGES is not inherited by threads: https://docs.discord.com/developers/topics/threads#permissions */
const THREAD: Needs = { digest: ["ViewChannel", "SendMessagesInThreads"], discussion: [] };
/** Posts in a forum take SEND_MESSAGES, and are threads themselves. */
const FORUM: Needs = { digest: ["ViewChannel", "SendMessages"], discussion: ["SendMessagesInThreads"] };
/** Without CONNECT a voice channel's chat is closed too, and it has no threads. */
const VOICE: Needs = { digest: ["ViewChannel", "Connect", "SendMessages"], discussion: [] };
const NEEDS: Readonly<Partial<Record<ChannelType, Needs>>> = {
  [ChannelType.PublicThread]: THREAD,
  [ChannelType.PrivateThread]: THREAD,
  [ChannelType.AnnouncementThread]: THREAD,
  [ChannelType.GuildForum]: FORUM,
  [ChannelType.GuildMedia]: FORUM,
  [ChannelType.GuildVoice]: VOICE,
  [ChannelType.GuildStageVoice]: VOICE,
};

const NAMES: Readonly<Record<Permission, string>> = {
  ViewChannel: "View Channel",
  Connect: "Connect",
  SendMessages: "Send Messages",
  SendMessagesInThreads: "Send Messages in Threads",
  CreatePublicThreads: "Create Public Threads",
  AttachFiles: "Attach Files",
};
/** A forum's settings name the same bits otherwise. */
const FORUM_NAMES: typeof NAMES = {
  ...NAMES,
  SendMessages: "Create Posts",
  SendMessagesInThreads: "Send Messages in Posts",
};

function bitsOf(permissions: readonly Permission[]): bigint {
  return permissions.reduce((bits, each) => bits | PermissionFlagsBits[each], 0n);
}
