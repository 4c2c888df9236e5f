import { type Channel, type OpenOptions, RpcError } from '@qrpc/core'
import { isMembersFault, type Member } from '../member.ts'

/** How a member is asked for a channel. */
export type OpenMember = (member: Member, options: OpenOptions | undefined) => Channel | Promise<Channel>

/**
 * Asks one member after the other until one opens a channel. None of them has sent anything by then.
 *
 * @throws RpcError (or a rejection) `unavailable` with what each of them failed with as cause, or what was nobody's fault.
 */
export function tryEach(
  members: Iterable<Member>,
  options: OpenOptions | undefined,
  open: OpenMember,
): Channel | Promise<Channel> {
  return tryNext(members[Symbol.iterator](), options, open, [])
}

function tryNext(
  members: Iterator<Member>,
  options: OpenOptions | undefined,
  open: OpenMember,
  errors: unknown[],
): Channel | Promise<Channel> {
  for (let next = members.next(); next.done !== true; next = members.next()) {
    try {
      const channel = open(next.value, options)
      if (!(channel instanceof Promise)) return channel
      return channel.catch((error: unknown) => {
        remember(errors, error)
        return tryNext(members, options, open, errors)
      })
    } catch (error) {
      remember(errors, error)
    }
  }
  throw allFailed(errors)
}

/** @throws what is no member's fault: no other would do better. */
function remember(errors: unknown[], error: unknown): void {
  if (!isMembersFault(error)) throw error
  errors.push(error)
}

/** The error where no member could open a channel. */
export function allFailed(errors: readonly unknown[]): RpcError {
  const texts = errors.map((error) => (error instanceof Error ? error.message : String(error)))
  return new RpcError('unavailable', `none of ${errors.length} connectors could open a channel: ${texts.join('; ')}`, {
    cause: new AggregateError(errors),
  })
}
