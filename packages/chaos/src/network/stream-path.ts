import type { Socket } from 'node:net'
import type { Random } from '../random.ts'
import { type Direction, RETRANSMISSION_MS, swallows, type Weather } from './network.ts'
import type { PendingCut } from './pending-cut.ts'

/** The network that a path is part of. */
export interface StreamConditions {
  readonly weather: Weather
  readonly random: Random
  readonly pending: PendingCut
  readonly passed: Record<Direction, number>
}

/** Bytes that may be under way: less than the windows of what is tested, so that a stall reaches the sender. */
const MOST_UNDER_WAY = 256 * 1024

/** One direction of a connection: what comes in goes out in order, when its time has come. */
export class StreamPath {
  readonly #direction: Direction
  readonly #from: Socket
  readonly #to: Socket
  readonly #conditions: StreamConditions
  // No chunk: the end.
  readonly #waiting: { readonly due: number; readonly chunk: Buffer | undefined }[] = []
  #timer: NodeJS.Timeout | undefined = undefined
  #underWay = 0
  #dropped = false

  constructor(direction: Direction, from: Socket, to: Socket, conditions: StreamConditions) {
    this.#direction = direction
    this.#from = from
    this.#to = to
    this.#conditions = conditions
    from.on('data', (chunk) => this.#put(chunk))
    from.on('end', () => this.#put(undefined))
  }

  /** Looks whether something can go out now. */
  flow(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    while (!this.#dropped && !swallows(this.#conditions.weather, this.#direction)) {
      const next = this.#waiting[0]
      if (next === undefined) return
      const early = next.due - performance.now()
      if (early > 0) {
        this.#timer = setTimeout(() => this.flow(), early)
        return
      }
      this.#waiting.shift()
      this.#deliver(next.chunk)
    }
  }

  /** Lets nothing pass any more. */
  drop(): void {
    this.#dropped = true
    clearTimeout(this.#timer)
    this.#waiting.length = 0
    this.#from.resume()
  }

  #put(chunk: Buffer | undefined): void {
    if (this.#dropped) return
    const { weather, random } = this.#conditions
    const late = weather.loss > 0 && random.chance(weather.loss) ? RETRANSMISSION_MS : 0
    const jitter = weather.jitterMs > 0 ? random.between(0, weather.jitterMs) : 0
    const due = performance.now() + weather.delayMs + jitter + late
    this.#waiting.push({ due: Math.max(due, this.#waiting.at(-1)?.due ?? 0), chunk })
    this.#underWay += chunk?.length ?? 0
    if (this.#underWay > MOST_UNDER_WAY) this.#from.pause()
    this.flow()
  }

  #deliver(chunk: Buffer | undefined): void {
    if (chunk === undefined) {
      this.#to.end()
      return
    }
    const { pending, passed } = this.#conditions
    const room = pending.take(this.#direction, chunk.length)
    passed[this.#direction] += room
    if (room === chunk.length) {
      this.#to.write(chunk, () => {
        this.#underWay -= chunk.length
        if (this.#underWay <= MOST_UNDER_WAY) this.#from.resume()
      })
      return
    }
    this.drop()
    // What is written is with the kernel, and on its way, before the cut.
    if (room === 0) pending.fire()
    else this.#to.write(chunk.subarray(0, room), () => pending.fire())
  }
}
