import { type Handlers, RpcError, type UpdateStream } from '@qrpc/core'
import { Chat } from './contract.ts'
import { type Member, Room, type RoomLimits } from './room.ts'

const MOST_ROOMS = 1000

export function chatHandlers(limits: RoomLimits = {}): Handlers<typeof Chat> {
  const rooms = new Map<string, Room>()

  function roomOf(name: string): Room {
    const there = rooms.get(name)
    if (there !== undefined) return there
    if (rooms.size >= MOST_ROOMS) throw Chat.join.error('Full', { most: MOST_ROOMS })
    const room = new Room(limits)
    rooms.set(name, room)
    return room
  }

  return {
    async *join({ room: roomName, name }, updates) {
      const room = roomOf(roomName)
      const member = room.join(name)
      void hear(member, updates)
      try {
        yield* member.events
      } finally {
        member.leave()
        if (room.names.length === 0 && rooms.get(roomName) === room) rooms.delete(roomName)
      }
    },

    *rooms() {
      for (const [room, { names }] of rooms) yield { room, members: names }
    },
  }
}

/** Passes on what a member says. `updates` end when the member leaves the room, and throw when the call is lost. */
async function hear(member: Member, updates: UpdateStream<string>): Promise<void> {
  try {
    for await (const text of updates) await member.say(text)
    member.leave()
  } catch (error) {
    member.leave(RpcError.from(error))
  }
}
