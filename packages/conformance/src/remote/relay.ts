import { type Channel, type Listener, RpcError } from '@qrpc/core'
import { leftSince, openHandles } from '../leftovers.ts'
import { nextTurns } from '../turns.ts'
import type { AcceptedChannel, Leftovers, Notice, Question, Questions, RelayOptions, Report } from './messages.ts'
import { fromPlain, toPlain } from './plain-error.ts'
import { RelayedChannel } from './relayed-channel.ts'

type Listen = (options: RelayOptions) => Listener | Promise<Listener>
type Answer = Questions[keyof Questions]['answer']

interface OpenListener {
  readonly listener: Listener
  readonly channels: Set<number>
}

/** The listeners of a process, and their channels, at the service of the kit's process. */
export class Relay {
  readonly #listen: Listen
  readonly #report: (report: Report) => void
  readonly #listeners = new Map<number, OpenListener>()
  readonly #channels = new Map<number, RelayedChannel>()
  readonly #rejections: string[] = []
  #handlesBefore: ReadonlyMap<string, number> = new Map()
  #lastChannel = 0

  constructor(listen: Listen, report: (report: Report) => void) {
    this.#listen = listen
    this.#report = report
  }

  onMessage(message: Question | Notice): void {
    if ('id' in message) void this.#onQuestion(message)
    else this.#onNotice(message)
  }

  onUnhandledRejection(reason: unknown): void {
    this.#rejections.push(reason instanceof Error ? String(reason.stack) : String(reason))
  }

  async #onQuestion(question: Question): Promise<void> {
    const { id } = question
    try {
      this.#report({ type: 'answer', id, value: await this.#answer(question) })
    } catch (error) {
      this.#report({ type: 'refusal', id, error: toPlain(error) })
    }
  }

  #answer(question: Question): Answer | Promise<Answer> {
    switch (question.type) {
      case 'listen':
        return this.#open(question.listener, question.options)
      case 'accept':
        return this.#accept(this.#listener(question.listener))
      case 'close':
        return this.#listener(question.listener).listener.close(question.options) as Promise<undefined>
      case 'release':
        return this.#release(question.listeners)
      case 'synchronize':
        return undefined
      case 'pull':
        return this.#channel(question.channel).pull(question.count)
      case 'started':
        return this.#channel(question.channel).channel.started() as Promise<undefined>
      case 'send':
        return this.#channel(question.channel).send(question.message, question.last, question.heard)
    }
  }

  #onNotice(notice: Notice): void {
    if (notice.type === 'consume') {
      const open = this.#listener(notice.listener)
      open.listener.onChannel((channel) => {
        this.#report({ type: 'channel', listener: notice.listener, accepted: this.#add(open, channel) })
      })
      return
    }
    const channel = this.#channels.get(notice.channel)?.channel
    // A handler may go on after its listener was released, and then end what is gone.
    if (channel === undefined) return
    if (notice.type === 'observe') this.#observe(notice.channel, channel)
    else if (notice.type === 'end') channel.end(notice.error && fromPlain(notice.error))
    else channel[notice.type](fromPlain(notice.error))
  }

  #observe(id: number, channel: Channel): void {
    channel.observe({
      onClose: (error) => this.#report({ type: 'closed', channel: id, error: error && toPlain(error) }),
    })
  }

  async #open(id: number, options: RelayOptions): Promise<Questions['listen']['answer']> {
    if (this.#listeners.size === 0) this.#handlesBefore = openHandles()
    const listener = await this.#listen(options)
    this.#listeners.set(id, { listener, channels: new Set() })
    return { addresses: listener.addresses }
  }

  async #accept(open: OpenListener): Promise<AcceptedChannel | undefined> {
    const channel = await open.listener.accept()
    return channel && this.#add(open, channel)
  }

  #add(open: OpenListener, channel: Channel): AcceptedChannel {
    const id = ++this.#lastChannel
    this.#channels.set(id, new RelayedChannel(channel))
    open.channels.add(id)
    return { channel: id, peer: channel.peer }
  }

  /** Closes the listeners, and forgets them and their channels. With the last of them nothing may be left. */
  async #release(ids: readonly number[]): Promise<Leftovers> {
    for (const id of ids) {
      const open = this.#listeners.get(id)
      // One that could not be opened.
      if (open === undefined) continue
      const { listener, channels } = open
      await listener.close({ graceMs: 0 })
      this.#listeners.delete(id)
      for (const channel of channels) this.#channels.delete(channel)
    }
    // A rejection is unhandled when its turn has ended.
    await nextTurns(2)
    const handles = this.#listeners.size === 0 ? await leftSince(this.#handlesBefore) : []
    return { handles, rejections: this.#rejections.splice(0) }
  }

  #listener(id: number): OpenListener {
    const open = this.#listeners.get(id)
    if (open === undefined) throw new RpcError('failed_precondition', 'the listener was released')
    return open
  }

  #channel(id: number): RelayedChannel {
    const relayed = this.#channels.get(id)
    if (relayed === undefined) throw new RpcError('failed_precondition', 'the listener of the channel was released')
    return relayed
  }
}
