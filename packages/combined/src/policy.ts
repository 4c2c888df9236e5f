import type { Channel, OpenOptions } from '@qrpc/core'
import type { Member } from './member.ts'

/** Opens a channel on one of the members. It throws or rejects with an `RpcError`. */
export type Open = (options: OpenOptions | undefined) => Channel | Promise<Channel>

/**
 * Decides which member opens a channel: called once with the members, of which there is at least one.
 *
 * @example A policy of one's own: `const last: Policy = (members) => (options) => members.at(-1).open(options)`
 */
export type Policy = (members: readonly Member[]) => Open
