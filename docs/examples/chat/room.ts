import { setTimeout as delay } from 'node:timers/promises'
import { type Channel, createChannelPair, type RpcError } from '@qrpc/core'
import { Chat, type Event } from './contract.ts'

/** What a room is bounded by. */
export interface RoomLimits {
  /** Members of a room. Default: 1000. */
  readonly members?: number
  /** Events that a member may be behind before those who speak wait. Default: 100. */
  readonly behind?: number
  /** How long they wait, in ms, before the member is put out. Default: 1000. */
  readonly patienceMs?: number
}

/** Somebody in a room. */
export interface Member {
  /** What happens in the room, until the member has left. */
  readonly events: AsyncIterable<Event>
  /** Says something to all. It waits for those who are behind, but not for long. */
  say(text: string): Promise<void>
  /** Leaves; again is a no-op. @param error What the events end with. Default: they just end. */
  leave(error?: RpcError): void
}

/**
 * Hands each event to all members. Each has a queue of its own, bounded as a channel is: a member who reads slowly first
 * holds up those who speak, so that a burst costs nobody anything, and is then put out, so that nobody waits for ever.
 */
export class Room {
  readonly #limits: Required<RoomLimits>
  readonly #queues = new Map<string, Channel<Event, never>>()

  constructor({ members = 1000, behind = 100, patienceMs = 1000 }: RoomLimits) {
    this.#limits = { members, behind, patienceMs }
  }

  get names(): string[] {
    return [...this.#queues.keys()]
  }

  /** @throws RpcError `NameTaken` or `Full`. */
  join(name: string): Member {
    if (this.#queues.has(name)) throw Chat.join.error('NameTaken', { name })
    if (this.#queues.size >= this.#limits.members) throw Chat.join.error('Full', { most: this.#limits.members })
    const [queue, events] = createChannelPair<Event, never>({ window: this.#limits.behind })
    this.#queues.set(name, queue)
    void this.#tell({ kind: 'joined', name })
    return {
      events,
      say: (text) => (this.#queues.get(name) === queue ? this.#tell({ kind: 'said', name, text }) : Promise.resolve()),
      leave: (error) => this.#leave(name, queue, error),
    }
  }

  #leave(name: string, queue: Channel<Event, never>, error?: RpcError): void {
    if (this.#queues.get(name) !== queue) return
    this.#queues.delete(name)
    queue.end(error)
    void this.#tell({ kind: 'left', name })
  }

  async #tell(event: Event): Promise<void> {
    const behind = new Map<string, Channel<Event, never>>()
    const waits: Promise<unknown>[] = []
    for (const [name, queue] of this.#queues) {
      const room = queue.send(event)
      if (room === undefined) continue
      behind.set(name, queue)
      const over = (): unknown => behind.delete(name)
      waits.push(room.then(over, over))
    }
    if (waits.length === 0) return
    const patience = new AbortController()
    const { signal } = patience
    await Promise.race([Promise.all(waits), delay(this.#limits.patienceMs, undefined, { signal })])
    patience.abort()
    const error = Chat.join.error('TooSlow', { behind: this.#limits.behind })
    for (const [name, queue] of behind) this.#leave(name, queue, error)
  }
}
