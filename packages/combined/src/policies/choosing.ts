import type { Channel, OpenOptions } from '@qrpc/core'
import { isMembersFault, type Member } from '../member.ts'
import type { Open } from '../policy.ts'
import { OpeningRace, type OpenMember } from './opening-race.ts'

/** The member for a call among those that are thought to work, or none. */
export type Choose = () => Member | undefined

/**
 * Opens each channel on the member that is chosen, and on another choice where that fails: a member that has failed is
 * no longer among those that work. With none left to choose all of them race. None has sent anything by then.
 *
 * @param order Who starts first in a race. Default: their order.
 */
export function choosing(
  members: readonly Member[],
  choose: Choose,
  open: OpenMember,
  order: () => readonly Member[] = () => members,
): Open {
  const openChosen = (options: OpenOptions | undefined, tries: number): Channel | Promise<Channel> => {
    // A member that works now and then must not keep a call going round.
    const member = tries < members.length ? choose() : undefined
    if (member === undefined) return openAny(options)
    const next = (error: unknown): Channel | Promise<Channel> => {
      if (!isMembersFault(error, options)) throw error
      return openChosen(options, tries + 1)
    }
    try {
      const channel = open(member, options)
      return channel instanceof Promise ? channel.catch(next) : channel
    } catch (error) {
      return next(error)
    }
  }
  const openAny = async (options: OpenOptions | undefined): Promise<Channel> => {
    const { channel } = await new OpeningRace(order(), options, undefined, open).won
    return channel
  }
  return (options) => openChosen(options, 0)
}
