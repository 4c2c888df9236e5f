import { setTimeout as sleep } from 'node:timers/promises'
import type { CallOptions, Client } from '@qrpc/core'
import { bytesOf, type Chaos, flawIn, type Item } from '../contract.ts'
import type { CallPlan } from './plan.ts'

/** What a call is made with. */
export interface CallTools {
  readonly client: Client<typeof Chaos>
  readonly options: CallOptions
  /** Aborts the signal of the options. */
  readonly abort: AbortController
  /** Counts iterables of updates. */
  readonly sources: { openSources: number }
}

/** How a call that did not fail has ended. */
export interface Ended {
  /** The client has left before the end. */
  readonly left: boolean
  /** What is wrong with what it was given. */
  readonly flaw: string | undefined
}

/** Makes a call. It is rejected with what the call fails with. */
export async function makeCall(plan: CallPlan, tools: CallTools): Promise<Ended> {
  const call = new PlannedCall(plan, tools)
  switch (plan.method) {
    case 'echo':
      return call.echo()
    case 'tell':
      return call.tell()
    case 'collect':
      return call.collect()
    case 'produce':
      return call.produce()
    case 'talk':
      return call.talk()
  }
}

/** What of a call can be cut short. */
interface Cancellable {
  cancel(): void
}

class PlannedCall {
  readonly #plan: CallPlan
  readonly #tools: CallTools
  #messages = 0
  #received = 0
  #flaw: string | undefined = undefined

  constructor(plan: CallPlan, tools: CallTools) {
    this.#plan = plan
    this.#tools = tools
  }

  async echo(): Promise<Ended> {
    const { client, options } = this.#tools
    const answer = client.echo(this.#plan.asked, options)
    this.#quitIfDue(undefined)
    return this.#answered(await answer, 0)
  }

  async tell(): Promise<Ended> {
    const { client, options } = this.#tools
    const handedOver = client.tell(this.#plan.asked, options)
    this.#quitIfDue(undefined)
    await handedOver
    return { left: false, flaw: undefined }
  }

  async collect(): Promise<Ended> {
    const { client, options } = this.#tools
    const { asked, byHand } = this.#plan
    const last = asked.answerAfter ?? asked.updates
    if (!byHand) return this.#answered(await client.collect(asked, this.#updates(undefined), options), last)
    using call = client.collect(asked, options)
    if (this.#quitIfDue(call)) return LEFT
    for (let n = 0; n < asked.updates && !call.stopped; n++) {
      await call.send(this.#update(n))
      if (this.#quitIfDue(call)) return LEFT
    }
    return this.#answered(await call.finish(), last)
  }

  async produce(): Promise<Ended> {
    const { client, options } = this.#tools
    const call = client.produce(this.#plan.asked, options)
    if (this.#quitIfDue(call)) return this.#leave(call)
    return this.#read(call)
  }

  async talk(): Promise<Ended> {
    const { client, options } = this.#tools
    const { asked, byHand } = this.#plan
    if (!byHand) return this.#read(client.talk(asked, this.#updates(undefined), options))
    const call = client.talk(asked, options)
    const sending = (async () => {
      for (let n = 0; n < asked.updates && !call.stopped; n++) {
        await call.send(this.#update(n))
        if (this.#quitIfDue(call)) call.cancel()
      }
      call.end()
    })()
    // Both have to be over, and what is received says why.
    const [reading] = await Promise.allSettled([this.#read(call), sending])
    if (reading.status === 'rejected') throw reading.reason
    return reading.value
  }

  /** All responses, each once and in order. */
  async #read(call: Cancellable & AsyncIterable<Item>): Promise<Ended> {
    const { stall } = this.#plan
    if (stall?.before === 0) await sleep(stall.ms)
    for await (const item of call) {
      this.#check(item, this.#received++)
      if (this.#quitIfDue(call)) return LEFT
      if (stall?.before === this.#received) await sleep(stall.ms)
    }
    const { updates, responses, answerAfter } = this.#plan.asked
    const expected = answerAfter ?? updates + responses
    if (this.#received !== expected) {
      this.#flaw ??= `ended after ${this.#received} of ${expected} responses, without an error`
    }
    return { left: false, flaw: this.#flaw }
  }

  async #leave(call: AsyncIterable<Item>): Promise<Ended> {
    for await (const item of call) {
      this.#check(item, this.#received++)
      break
    }
    return { left: true, flaw: this.#flaw }
  }

  #answered(item: Item, n: number): Ended {
    this.#check(item, n)
    return { left: false, flaw: this.#flaw }
  }

  #check({ n, bytes }: Item, expected: number): void {
    const { id, bytes: request } = this.#plan.asked
    const flaw = n === expected ? flawIn(bytes, id, n, request.length) : `came instead of ${expected}`
    if (flaw !== undefined) this.#flaw ??= `was answered with ${n}, which ${flaw}`
  }

  #update(n: number): Item {
    return { n, bytes: bytesOf(this.#plan.asked.id, n, this.#plan.updateSize) }
  }

  async *#updates(call: Cancellable | undefined): AsyncGenerator<Item> {
    this.#tools.sources.openSources++
    try {
      for (let n = 0; n < this.#plan.asked.updates; n++) {
        yield this.#update(n)
        this.#quitIfDue(call)
      }
    } finally {
      this.#tools.sources.openSources--
    }
  }

  /** Ends the call if it is time to. @returns Whether its loop is to be left. */
  #quitIfDue(call: Cancellable | undefined): boolean {
    const { quit } = this.#plan
    if (quit === undefined || this.#messages++ !== quit.after) return false
    if (quit.by === 'leaving' && call !== undefined) return true
    if (quit.by === 'cancel' && call !== undefined) call.cancel()
    else this.#tools.abort.abort()
    return false
  }
}

const LEFT: Ended = { left: true, flaw: undefined }
