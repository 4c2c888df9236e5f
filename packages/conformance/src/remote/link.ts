import type { ChildProcess } from 'node:child_process'
import { RpcError } from '@qrpc/core'
import type { AcceptedChannel, Notice, Question, Questions, Report } from './messages.ts'
import { fromPlain, type PlainError } from './plain-error.ts'

interface Pending {
  readonly resolve: (value: unknown) => void
  readonly reject: (error: RpcError) => void
}

/** Told that a channel is over. */
type Observer = (error: RpcError | undefined) => void

/** The kit's end of the line to the process in which the listeners are. */
export class Link {
  readonly #child: ChildProcess
  readonly #pending = new Map<number, Pending>()
  readonly #consumers = new Map<number, (accepted: AcceptedChannel) => void>()
  readonly #observers = new Map<number, Observer>()
  #lastId = 0
  /** Resolves once the other process listens to what is said. */
  readonly ready: Promise<void>
  /** Why there is nobody at the other end any more. */
  failure: RpcError | undefined = undefined

  constructor(child: ChildProcess) {
    this.#child = child
    this.ready = new Promise((resolve) => {
      child.on('message', (report) => this.#onReport(report as Report, resolve))
    })
  }

  /**
   * Asks and waits for the answer.
   *
   * @throws RpcError at once `invalid_argument` for what structured clone does not take; as a rejection what the other
   * process failed with, and `unavailable` when that is gone.
   */
  ask<Type extends keyof Questions>(type: Type, ask: Questions[Type]['ask']): Promise<Questions[Type]['answer']> {
    if (this.failure !== undefined) return Promise.reject(this.failure)
    const id = ++this.#lastId
    this.#post({ ...ask, type, id } as unknown as Question)
    return new Promise<unknown>((resolve, reject) => this.#pending.set(id, { resolve, reject })) as Promise<
      Questions[Type]['answer']
    >
  }

  /** Tells, in the order of the calls; the data of an error is left out where it cannot be cloned. */
  tell(notice: Notice): void {
    if (this.failure !== undefined) return
    try {
      this.#post(notice)
    } catch (error) {
      if (!('error' in notice) || notice.error === undefined) throw error
      this.#post({ ...notice, error: { ...notice.error, data: undefined } })
    }
  }

  /** Hands the channels of a listener to the consumer. */
  consume(listener: number, consumer: (accepted: AcceptedChannel) => void): void {
    this.#consumers.set(listener, consumer)
    this.tell({ type: 'consume', listener })
  }

  /** Tells the observer once that the channel is over. */
  observe(channel: number, observer: Observer): void {
    if (this.failure === undefined) {
      this.#observers.set(channel, observer)
      this.tell({ type: 'observe', channel })
    } else observer(this.failure)
  }

  /** Nothing of the released listeners comes any more. */
  forget(listeners: readonly number[]): void {
    for (const listener of listeners) this.#consumers.delete(listener)
  }

  /** The other process is gone: all that waits for it fails. */
  fail(failure: RpcError): void {
    if (this.failure !== undefined) return
    this.failure = failure
    for (const observer of this.#observers.values()) observer(failure)
    for (const { reject } of this.#pending.values()) reject(failure)
    this.#observers.clear()
    this.#pending.clear()
    this.#consumers.clear()
  }

  #post(message: Question | Notice): void {
    try {
      // The end of the process is told by an event of its own.
      this.#child.send(message, ignore)
    } catch (error) {
      throw new RpcError('invalid_argument', 'what is not structured cloneable cannot be relayed', { cause: error })
    }
  }

  #onReport(report: Report, ready: () => void): void {
    switch (report.type) {
      case 'answer':
        this.#take(report.id)?.resolve(report.value)
        return
      case 'refusal':
        this.#take(report.id)?.reject(fromPlain(report.error))
        return
      case 'channel':
        this.#consumers.get(report.listener)?.(report.accepted)
        return
      case 'closed':
        this.#onClosed(report.channel, report.error)
        return
      case 'ready':
        ready()
    }
  }

  #onClosed(channel: number, error: PlainError | undefined): void {
    const observer = this.#observers.get(channel)
    this.#observers.delete(channel)
    observer?.(error && fromPlain(error))
  }

  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id)
    this.#pending.delete(id)
    return pending
  }
}

function ignore(): void {}
