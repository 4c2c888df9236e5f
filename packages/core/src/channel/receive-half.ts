import { RpcError } from '../error.ts'
import { Queue } from './queue.ts'

type Resolve = (value: unknown) => void
type Reject = (error: RpcError) => void

interface Started {
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly reject: Reject
}

// What the reader waits for: nothing, a message, an iterator's result, or the half's only message.
const IDLE = 0
const RECEIVE = 1
const NEXT = 2
const ONLY = 3
type Waiting = typeof IDLE | typeof RECEIVE | typeof NEXT | typeof ONLY

/**
 * The receive half of a channel: what a transport delivers, in order, to one reader.
 *
 * A transport extends it and calls `deliver`, `finish` and `abort`; the reader's side of the `Channel` interface is here.
 */
export abstract class ReceiveHalf<In> implements AsyncIterable<In> {
  ended = false

  // The oldest message has a place of its own: most channels never hold more than one.
  private first: In | undefined = undefined
  private rest: Queue<In> | undefined = undefined
  /** How many messages wait for the reader. */
  protected buffered = 0
  /** Whether nothing more can arrive: the half was finished or aborted. */
  protected finished = false
  private arrived = false
  private start: Started | undefined = undefined
  private error: RpcError | undefined = undefined
  private waiting: Waiting = IDLE
  private resolve: Resolve | undefined = undefined
  private reject: Reject | undefined = undefined

  /** Ends the half from the reader's side. */
  abstract stop(error: RpcError): void

  /** The reader took messages: the transport may let the sender go on. */
  protected abstract onRoom(buffered: number): void

  /** The reader waits for the half's only message, which it gets once the half has ended. */
  protected onWaitForOnly(): void {}

  /** The peer sent more than the half's only message: it does not keep to what was agreed. */
  protected onTooMany(error: RpcError): void {
    this.stop(error)
  }

  /** Whether it does. Until then what has arrived is no reason to stop the sender. */
  protected get waitsForOnly(): boolean {
    return this.waiting === ONLY
  }

  /** Hands the reader a message, and the clean end with it where it is the last. The half must not be finished. */
  protected deliver(message: In, last: boolean): void {
    if (last) this.finished = true
    this.arrived = true
    if (this.start !== undefined) this.start.resolve()
    const waiting = this.waiting
    if (waiting === RECEIVE) this.settle()(message)
    else if (waiting === NEXT) this.settle()({ value: message, done: false })
    else if (waiting === ONLY && last && this.buffered === 0) this.settle()(message)
    else {
      this.store(message)
      if (waiting === ONLY) this.settleOnly()
    }
  }

  /** Ends the half after what was delivered: cleanly, or with an error. */
  protected finish(error: RpcError | undefined): void {
    if (this.finished) return
    this.finished = true
    this.error = error
    this.settleStarted()
    const waiting = this.waiting
    if (waiting === IDLE) return
    if (waiting === ONLY) this.settleOnly()
    else if (error !== undefined) this.fail(error)
    else {
      this.ended = true
      this.settle()(waiting === NEXT ? { value: undefined, done: true } : undefined)
    }
  }

  /** Ends the half at once: what was not read is dropped. No-op once the reader has seen the end. */
  protected abort(error: RpcError): void {
    if (this.ended) return
    this.finished = true
    this.error = error
    this.first = undefined
    this.rest = undefined
    this.buffered = 0
    this.settleStarted()
    if (this.waiting !== IDLE) this.fail(error)
  }

  receive(): In | undefined | Promise<In | undefined> {
    if (this.waiting !== IDLE) throw concurrentReceive()
    if (this.buffered > 0) return this.take()
    if (this.finished) return this.atEnd()
    return this.wait(RECEIVE) as Promise<In | undefined>
  }

  receiveOnly(): Promise<In> {
    if (this.waiting !== IDLE) return Promise.reject(concurrentReceive())
    const only = this.wait(ONLY) as Promise<In>
    if (this.finished || this.buffered > 1) this.settleOnly()
    else this.onWaitForOnly()
    return only
  }

  started(): Promise<void> {
    if (this.start === undefined) {
      let resolve!: () => void
      let reject!: Reject
      const promise = new Promise<void>((fulfil, fail) => {
        resolve = fulfil
        reject = fail
      })
      promise.catch(ignore)
      this.start = { promise, resolve, reject }
      if (this.arrived || this.finished) this.settleStarted()
    }
    return this.start.promise
  }

  [Symbol.asyncIterator](): AsyncIterator<In, undefined> {
    return {
      next: () => this.next(),
      return: () => {
        this.stop(new RpcError('cancelled', 'the reader left the loop'))
        return Promise.resolve({ value: undefined, done: true })
      },
    }
  }

  private next(): Promise<IteratorResult<In, undefined>> {
    try {
      if (this.waiting !== IDLE) throw concurrentReceive()
      if (this.buffered > 0) return Promise.resolve({ value: this.take() as In, done: false })
      if (!this.finished) return this.wait(NEXT) as Promise<IteratorResult<In, undefined>>
      this.atEnd()
      return Promise.resolve({ value: undefined, done: true })
    } catch (error) {
      return Promise.reject(error)
    }
  }

  private settleStarted(): void {
    if (this.start === undefined) return
    if (this.error !== undefined && !this.arrived) this.start.reject(this.error)
    else this.start.resolve()
  }

  private store(message: In): void {
    if (this.buffered++ === 0) this.first = message
    else {
      this.rest ??= new Queue()
      this.rest.push(message)
    }
  }

  private take(): In | undefined {
    const message = this.first
    this.first = --this.buffered > 0 ? this.rest?.shift() : undefined
    this.onRoom(this.buffered)
    return message
  }

  private atEnd(): undefined {
    if (this.error !== undefined) throw this.error
    this.ended = true
    return undefined
  }

  private wait(waiting: Waiting): Promise<unknown> {
    this.waiting = waiting
    return new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }

  private settle(): Resolve {
    const resolve = this.resolve as Resolve
    this.waiting = IDLE
    this.resolve = undefined
    this.reject = undefined
    return resolve
  }

  private fail(error: RpcError): void {
    const reject = this.reject as Reject
    this.settle()
    reject(error)
  }

  private settleOnly(): void {
    if (this.error !== undefined) this.fail(this.error)
    else if (this.buffered > 1) {
      const error = new RpcError('internal', 'the peer sent more than the one message that was due')
      this.fail(error)
      this.onTooMany(error)
    } else if (this.finished) {
      if (this.buffered === 1) this.settle()(this.take())
      else this.fail(new RpcError('unavailable', 'the peer ended before it sent the message that was due'))
    }
  }
}

function ignore(): void {}

function concurrentReceive(): RpcError {
  return new RpcError('failed_precondition', 'a receive is under way already: wait for it before the next')
}
