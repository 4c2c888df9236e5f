import { bidiStreaming, serverStreaming, service } from '@qrpc/core'
import { z } from 'zod'

const Name = z.string().trim().min(1).max(50)

const Event = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('joined'), name: Name }),
  z.object({ kind: z.literal('said'), name: Name, text: z.string() }),
  z.object({ kind: z.literal('left'), name: Name }),
])
export type Event = z.infer<typeof Event>

export const Chat = service('chat', {
  /**
   * Joins a room, for as long as the call lasts: updates are what one says, responses what happens in the room, what one
   * says oneself included. Ending the updates, or leaving the call, leaves the room.
   */
  join: bidiStreaming({
    request: z.object({ room: Name, name: Name }),
    update: z.string().min(1).max(2000),
    response: Event,
    errors: {
      NameTaken: { code: 'already_exists', data: z.object({ name: Name }) },
      Full: { code: 'resource_exhausted', data: z.object({ most: z.number() }) },
      /** Comes behind the last event that there was room for. Join again to go on, and know that something is missing. */
      TooSlow: { code: 'aborted', data: z.object({ behind: z.number() }) },
    },
  }),
  /** The rooms in which somebody is. */
  rooms: serverStreaming({ response: z.object({ room: Name, members: z.array(Name) }) }),
})
