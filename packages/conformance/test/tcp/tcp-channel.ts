import type { Socket } from 'node:net'
import {
  addObserver,
  type Channel,
  type ChannelObserver,
  isRequest,
  type Peer,
  ReceiveHalf,
  RpcError,
  tellClosed,
} from '@qrpc/core'
import { encodeFrame, type Frame, FrameReader, fromStatus, toStatus } from './frame.ts'

/** Messages that a sender may be ahead of its reader. */
export const WINDOW = 64

/** What a channel tells whoever opened or accepted it. */
export interface TcpChannelOwner {
  /** The peer has sent for the first time: an accepted channel can be handed out. */
  onFirstFrame?(channel: TcpChannel): void
  /** Both halves are over. */
  onOver(channel: TcpChannel): void
}

/** A channel on a TCP connection of its own. */
export class TcpChannel extends ReceiveHalf<unknown> implements Channel {
  readonly peer: Peer
  readonly #socket: Socket
  readonly #owner: TcpChannelOwner
  readonly #reader = new FrameReader()
  #announced = false
  #sendOver = false
  #peerOver = false
  #told = false
  // Why the peer, or the loss of the connection, ended the send half.
  #stopped: RpcError | undefined = undefined
  #cutOff: RpcError | undefined = undefined
  #lost: Error | undefined = undefined
  #observer: ChannelObserver | undefined = undefined
  // Messages that were sent and that the peer's reader has not taken.
  #ahead = 0
  readonly #waiting = new Set<PromiseWithResolvers>()

  constructor(socket: Socket, peer: Peer, owner: TcpChannelOwner) {
    super()
    this.#socket = socket
    this.peer = peer
    this.#owner = owner
    socket.setNoDelay()
    socket.on('data', (chunk) => this.#onData(chunk))
    socket.on('error', (error) => {
      this.#lost = error
    })
    socket.on('close', () => {
      this.#lose(new RpcError('unavailable', 'the connection was lost', { cause: this.#lost }), false)
    })
  }

  /** Whether both halves are over. */
  get over(): boolean {
    return this.#sendOver && this.#peerOver
  }

  send(message: unknown, last = false): Promise<void> | undefined {
    this.#sendNow(message, last)
    if (last || this.#ahead <= WINDOW) return undefined
    const room = promiseWithResolvers()
    room.promise.catch(ignore)
    this.#waiting.add(room)
    return room.promise
  }

  trySend(message: unknown): boolean {
    if (!this.#sendOver && this.#ahead >= WINDOW) return false
    this.#sendNow(message, false)
    return true
  }

  end(error?: RpcError): void {
    if (this.#sendOver) return
    this.#write({ kind: 'end', status: error && toStatus(error) })
    this.#endSending(undefined)
  }

  reset(error: RpcError): void {
    if (this.#sendOver) return
    this.#write({ kind: 'reset', status: toStatus(error) })
    this.#endSending(undefined)
  }

  stop(error: RpcError): void {
    this.abort(error)
    if (this.#peerOver) return
    this.#write({ kind: 'stop', status: toStatus(error) })
    this.#endPeer()
  }

  cancel(error: RpcError): void {
    if (this.over) return
    this.#write({ kind: 'cancel', status: toStatus(error) })
    this.abort(error)
    this.#peerOver = true
    this.#loseRoom(error)
    this.#endSending(undefined)
  }

  /** Cuts off both ends, as the loss of a connection does: each side sees its own error. */
  sever(errorHere: RpcError, errorThere: RpcError): void {
    if (this.over) return
    this.#write({ kind: 'cancel', status: toStatus(errorThere) })
    this.#lose(errorHere, true)
  }

  observe(observer: ChannelObserver): void {
    if (this.#told) tellClosed(observer, this.#cutOff)
    else this.#observer = addObserver(this.#observer, observer)
  }

  protected onRoom(): void {
    if (!this.#peerOver) this.#write({ kind: 'credit' })
  }

  #sendNow(message: unknown, last: boolean): void {
    if (this.#sendOver) {
      throw (
        this.#stopped ?? new RpcError('failed_precondition', 'the send half has ended: nothing can be sent after it')
      )
    }
    this.#write({ kind: 'message', message: plain(message), last })
    this.#ahead++
    if (last) this.#endSending(undefined)
  }

  #onData(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.push(chunk)) if (!this.over) this.#onFrame(frame)
    } catch (error) {
      this.cancel(new RpcError('invalid_argument', 'the peer sent what is no frame', { cause: error }))
    }
  }

  #onFrame(frame: Frame): void {
    switch (frame.kind) {
      case 'message':
        this.#onMessage(frame.message, frame.last)
        break
      case 'end':
        this.finish(frame.status && fromStatus(frame.status))
        this.#endPeer()
        break
      case 'reset':
        this.#cutOff ??= fromStatus(frame.status)
        this.abort(fromStatus(frame.status))
        this.#endPeer()
        break
      case 'stop':
        this.#endSending(fromStatus(frame.status))
        return
      case 'cancel':
        this.#lose(fromStatus(frame.status), true)
        return
      case 'credit':
        this.#onCredit()
        return
    }
    this.#announce()
  }

  #onMessage(message: unknown, last: boolean): void {
    if (this.#peerOver) return
    const before = this.buffered
    this.deliver(message, last)
    if (last) this.#endPeer()
    // A reader that waited has taken it at once.
    else if (this.buffered === before) this.onRoom()
  }

  #onCredit(): void {
    if (--this.#ahead > WINDOW) return
    for (const { resolve } of this.#waiting) resolve()
    this.#waiting.clear()
  }

  #announce(): void {
    if (this.#announced) return
    this.#announced = true
    this.#owner.onFirstFrame?.(this)
  }

  /** Cut off by the peer's doing, or by nobody's. */
  #lose(error: RpcError, dropUnread: boolean): void {
    if (this.over) return
    this.#cutOff ??= error
    this.#peerOver = true
    if (dropUnread || !this.finished) this.abort(error)
    this.#endSending(error)
  }

  #endPeer(): void {
    this.#peerOver = true
    this.#closeWhenOver()
  }

  #endSending(stopped: RpcError | undefined): void {
    if (!this.#sendOver) this.#stopped = stopped
    this.#sendOver = true
    if (stopped !== undefined) this.#loseRoom(stopped)
    this.#closeWhenOver()
  }

  #loseRoom(error: RpcError): void {
    for (const { reject } of this.#waiting) reject(error)
    this.#waiting.clear()
  }

  #closeWhenOver(): void {
    if (!this.over || this.#told) return
    this.#told = true
    // What still comes is read and dropped, so that the peer's end of the connection is seen.
    this.#socket.end()
    tellClosed(this.#observer, this.#cutOff)
    this.#owner.onOver(this)
  }

  #write(frame: Frame): void {
    this.#socket.write(encodeFrame(frame))
  }
}

/** A request may be anything that looks like one: its time left is read now, and a getter would not be cloned. */
function plain(message: unknown): unknown {
  if (!isRequest(message)) return message
  const { method, metadata, timeout, message: request } = message
  return { method, metadata, timeout, message: request }
}

interface PromiseWithResolvers {
  readonly promise: Promise<void>
  readonly resolve: () => void
  readonly reject: (error: RpcError) => void
}

function promiseWithResolvers(): PromiseWithResolvers {
  let resolve!: () => void
  let reject!: (error: RpcError) => void
  const promise = new Promise<void>((fulfil, fail) => {
    resolve = fulfil
    reject = fail
  })
  return { promise, resolve, reject }
}

function ignore(): void {}
