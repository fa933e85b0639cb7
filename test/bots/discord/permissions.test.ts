import {
  ChannelType,
  Client,
  type Guild,
  type GuildMember,
  PermissionFlagsBits,
  PermissionsBitField,
  type TextChannel,
} from "discord.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Holdings,
  inviteLink,
  LEAST_PERMISSIONS,
  missingPermissions,
  permissionsIn,
} from "../../../src/bots/discord/permissions.ts";

const { ViewChannel, SendMessages, SendMessagesInThreads, CreatePublicThreads, AttachFiles, Administrator } =
  PermissionFlagsBits;
const EVERYTHING = ViewChannel | SendMessages | SendMessagesInThreads | CreatePublicThreads | AttachFiles;

describe("the invite link", () => {
  test("asks for the bot, its commands and the least permissions, and nothing else", () => {
    const link = new URL(inviteLink("123"));
    expect(link.origin + link.pathname).toBe("https://discord.com/oauth2/authorize");
    expect(Object.fromEntries(link.searchParams)).toEqual({
      client_id: "123",
      scope: "bot applications.commands",
      permissions: String(EVERYTHING),
    });
    expect(new PermissionsBitField(EVERYTHING).toArray().toSorted()).toEqual(LEAST_PERMISSIONS.toSorted());
  });
});

describe("what is missing in a channel", () => {
  test.each<[string, ChannelType, bigint, readonly string[]]>([
    ["a text channel", ChannelType.GuildText, 0n, ["View Channel", "Send Messages"]],
    ["an announcement channel", ChannelType.GuildAnnouncement, ViewChannel, ["Send Messages"]],
    ["a thread", ChannelType.PublicThread, ViewChannel | SendMessages, ["Send Messages in Threads"]],
    ["a private thread", ChannelType.PrivateThread, ViewChannel | SendMessagesInThreads, []],
    ["a forum", ChannelType.GuildForum, ViewChannel, ["Create Posts"]],
    ["a voice channel's chat", ChannelType.GuildVoice, ViewChannel | SendMessages, ["Connect"]],
  ])("for a digest in %s is named as its settings name it", (_, type, held, missing) => {
    expect(missingPermissions(type, held)).toEqual(missing);
  });

  test("for everything includes discussions and exports", () => {
    const held = ViewChannel | SendMessages;
    expect(missingPermissions(ChannelType.GuildText, held, "everything")).toEqual([
      "Create Public Threads",
      "Send Messages in Threads",
      "Attach Files",
    ]);
    expect(missingPermissions(ChannelType.GuildForum, held, "everything")).toEqual([
      "Send Messages in Posts",
      "Attach Files",
    ]);
    expect(missingPermissions(ChannelType.GuildText, EVERYTHING, "everything")).toEqual([]);
  });

  test("is nothing for an administrator", () => {
    expect(missingPermissions(ChannelType.GuildVoice, Administrator, "everything")).toEqual([]);
  });
});

describe("what a member may do in a channel", () => {
  test("is what discord.js reckons, whatever the roles and overwrites", () => {
    const bits = fc.constantFrom(
      ViewChannel,
      SendMessages,
      AttachFiles,
      Administrator,
      ViewChannel | SendMessages,
    );
    const few = fc.oneof({ weight: 3, arbitrary: fc.constant(0n) }, bits);
    const overwrite = (id: string) => fc.record({ id: fc.constant(id), allow: few, deny: few });
    const holdings: fc.Arbitrary<Holdings> = fc.record({
      guild: fc.record({
        id: fc.constant(GUILD),
        ownerId: fc.constantFrom(BOT, "9", "9", "9"),
        roles: fc.tuple(
          ...[GUILD, ...ROLES].map((id) => fc.record({ id: fc.constant(id), permissions: few })),
        ),
      }),
      member: fc.record({ id: fc.constant(BOT), roles: fc.subarray(ROLES) }),
      overwrites: fc
        .tuple(...[GUILD, ...ROLES, BOT, "8"].map(overwrite))
        .chain((all) => fc.shuffledSubarray(all)),
    });
    fc.assert(
      fc.property(holdings, (made) => {
        expect(permissionsIn(made) & EVERYTHING).toBe(reckonedByDiscordJs(made) & EVERYTHING);
      }),
      { numRuns: 500 },
    );
  });
});

const GUILD = "1";
const BOT = "2";
const ROLES = ["3", "4", "5"];

/** How discord.js takes in what the gateway sends; its types keep it to themselves. */
type Cache<Kept> = { _add(data: object, within?: Guild): Kept };

function reckonedByDiscordJs({ guild, member, overwrites }: Holdings): bigint {
  const client = new Client({ intents: [] });
  const server = (client.guilds as unknown as Cache<Guild>)._add({
    id: guild.id,
    owner_id: guild.ownerId,
    roles: guild.roles.map(({ id, permissions }) => ({ id, permissions: String(permissions), colors: {} })),
  });
  const channel = (client.channels as unknown as Cache<TextChannel>)._add(
    {
      id: "6",
      type: ChannelType.GuildText,
      permission_overwrites: overwrites.map(({ id, allow, deny }) => ({
        id,
        type: [BOT, "8"].includes(id) ? 1 : 0,
        allow: String(allow),
        deny: String(deny),
      })),
    },
    server,
  );
  const self = (server.members as unknown as Cache<GuildMember>)._add({
    user: { id: BOT },
    roles: member.roles,
  });
  return channel.permissionsFor(self).bitfield;
}
