import type { Channel, ChannelObserver, Peer } from '../channel/channel.ts'
import { ContextValues } from '../context-values.ts'
import { Deadline, deadlineExceeded } from '../deadline.ts'
import { RpcError } from '../error.ts'
import { LazySignal } from '../interceptor/lazy-signal.ts'
import { Metadata } from '../metadata.ts'
import type { Request } from '../request.ts'
import type { AbandonedCalls } from './abandoned-calls.ts'
import type { Context } from './context.ts'
import type { ReportError } from './report.ts'
import type { Route } from './route.ts'

// One for all calls: to make an error is dear, and this one only says that an answered call takes no more updates.
const ANSWERED = new RpcError('cancelled', 'the server takes no more updates')

/** One call on the server, from its request to its answer; the handler sees it as its {@link Context}. */
export class ServerCall implements Context, ChannelObserver {
  readonly channel: Channel
  readonly request: Request
  readonly route: Route
  private readonly reportError: ReportError
  /** Answered, failed or cut short: nothing that the handler does matters any more. */
  over = false

  private cutShort: RpcError | undefined = undefined
  private lazyCutOff: LazySignal | undefined = undefined
  private timer: Deadline | undefined = undefined
  private deadlineAt: number | undefined = undefined
  private lazyValues: ContextValues | undefined = undefined
  private lazyMetadata: Metadata | undefined = undefined
  private whenOver: (() => void)[] | undefined = undefined
  private readonly abandoned: AbandonedCalls
  private handling = false

  constructor(channel: Channel, request: Request, route: Route, report: ReportError, abandoned: AbandonedCalls) {
    this.channel = channel
    this.request = request
    this.route = route
    this.reportError = report
    this.abandoned = abandoned
    const timeout = request.timeout
    if (timeout !== undefined) {
      this.deadlineAt = Date.now() + timeout
      if (timeout > 0) this.timer = new Deadline(timeout, () => this.abort(deadlineExceeded()))
      else this.abort(deadlineExceeded())
    }
    channel.observe(this)
  }

  get method(): string {
    return this.route.path
  }

  get peer(): Peer {
    return this.channel.peer
  }

  get deadline(): number | undefined {
    return this.deadlineAt
  }

  get metadata(): Metadata {
    this.lazyMetadata ??= new Metadata(this.request.metadata)
    return this.lazyMetadata
  }

  get values(): ContextValues {
    this.lazyValues ??= new ContextValues()
    return this.lazyValues
  }

  get signal(): AbortSignal {
    return this.cutOff.signal
  }

  /** The signal, for those who need not have a real one. */
  get cutOff(): LazySignal {
    if (this.lazyCutOff === undefined) {
      this.lazyCutOff = new LazySignal()
      if (this.cutShort !== undefined) this.lazyCutOff.abort(this.cutShort)
    }
    return this.lazyCutOff
  }

  /** The handler runs from now on. */
  begin(): void {
    this.handling = true
  }

  /** The handler runs no more. */
  ended(): void {
    if (!this.handling) return
    this.handling = false
    if (this.over) this.abandoned.remove(this.peer)
  }

  /** Answers with the only response. */
  respond(response: unknown): void {
    this.ended()
    if (this.over) return
    this.finish()
    try {
      void this.send(response, true)
      if (!this.channel.ended) this.channel.stop(ANSWERED)
    } catch (error) {
      this.refuse(error)
    }
  }

  /**
   * Sends a response.
   *
   * @throws TypeError when it is of a kind that does not travel: that is the server's mistake, and the client is not told
   * what is wrong with it. RpcError as the channel's `send`; `resource_exhausted` has been reported.
   */
  send(response: unknown, last: boolean): Promise<void> | undefined {
    try {
      return this.channel.send(response, last)
    } catch (error) {
      throw this.unsendable(error)
    }
  }

  /** Ends the responses of a stream. */
  complete(): void {
    this.ended()
    if (this.over) return
    this.finish()
    this.channel.end()
    this.channel.stop(ANSWERED)
  }

  /** Answers with what the handler threw: an `RpcError` as it is, anything else as `internal` without a word about it. */
  fail(thrown: unknown): void {
    this.ended()
    if (this.over) {
      this.afterwards(thrown)
      return
    }
    this.finish()
    this.refuse(thrown)
  }

  /** Tells `onError` of something that the client is not told. */
  report(error: unknown): void {
    this.reportError(error, { method: this.route.path, peer: this.channel.peer })
  }

  /** Runs the callback once the call is over, however it ended; at once when it is. */
  onOver(callback: () => void): void {
    if (this.over) {
      callback()
      return
    }
    this.whenOver ??= []
    this.whenOver.push(callback)
  }

  onClose(error: RpcError | undefined): void {
    if (!this.over) this.cut(error ?? new RpcError('cancelled', 'the client wants no answer any more'))
  }

  /** Cuts the call short from this side. */
  abort(error: RpcError): void {
    if (this.over) return
    this.cut(error)
    this.channel.cancel(error)
  }

  /** What a stopped handler throws is the reason that it was stopped for, as a rule; anything else wants to be known. */
  private afterwards(thrown: unknown): void {
    const stopped = thrown instanceof RpcError || (thrown instanceof Error && thrown.name === 'AbortError')
    if (!stopped) this.report(thrown)
  }

  private cut(error: RpcError): void {
    this.cutShort = error
    this.lazyCutOff?.abort(error)
    this.finish()
    if (this.handling) this.abandoned.add(this.peer)
  }

  private finish(): void {
    this.over = true
    this.timer?.clear()
    if (this.whenOver === undefined) return
    for (const callback of this.whenOver) callback()
    this.whenOver = undefined
  }

  private unsendable(thrown: unknown): unknown {
    const code = thrown instanceof RpcError ? thrown.code : undefined
    if (code !== 'invalid_argument' && code !== 'resource_exhausted') return thrown
    const mistake = new TypeError(`the response cannot be sent: ${(thrown as RpcError).message}`, { cause: thrown })
    if (code === 'invalid_argument') return mistake
    this.report(mistake)
    return thrown
  }

  private refuse(thrown: unknown): void {
    const error = thrown instanceof RpcError ? thrown : new RpcError('internal', 'internal error')
    if (error !== thrown) this.report(thrown)
    this.channel.end(error)
    this.channel.stop(error)
  }
}
