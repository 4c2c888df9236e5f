import { ReceiveHalf, RpcError } from '@qrpc/core'
import type { Signal } from '../control/control-item.ts'
import type { TrafficObserver } from '../counters/traffic-observer.ts'
import type { FrameBatch } from '../frame/frame-batch.ts'
import type { WireFormat } from '../wire-format.ts'
import type { ByteStream } from './byte-stream.ts'
import { flushSoon } from './flush-queue.ts'
import { Room } from './room.ts'

// What is gathered before it leaves without waiting for the turn to end.
const FLUSH_SIZE = 64 * 1024

/** What a sending half asks of the connection that it is on. */
export interface SendingHalfOwner extends TrafficObserver {
  readonly format: WireFormat
}

/**
 * The half of a {@link ByteChannel} that sends: what is sent in one turn leaves together, and who sends more than the
 * stream takes waits. It is a class between the two for the sake of speed: an object of its own would cost each call.
 */
export abstract class SendingHalf extends ReceiveHalf<unknown> {
  protected readonly stream: ByteStream
  protected readonly batch: FrameBatch
  protected readonly opened: boolean
  protected sendOver = false
  /** What sending fails with from now on. */
  protected stopped: RpcError | undefined = undefined
  /** The stream has all that it takes for now. */
  protected blocked = false
  protected wrote = false
  protected finSent = false
  protected senders: Room | undefined = undefined
  /** The stream is gone. */
  protected gone = false
  /** Bytes for a client that the stream was given since it last had room; what this side asks for itself is its own affair. */
  protected unsent = 0

  protected readonly owner: SendingHalfOwner
  private sentFirst = false
  private flushing = false

  constructor(owner: SendingHalfOwner, stream: ByteStream, opened: boolean) {
    super()
    this.owner = owner
    this.stream = stream
    this.opened = opened
    this.batch = owner.format.createBatch()
  }

  /** Whether both halves are over. */
  abstract get over(): boolean

  send(message: unknown, last = false): Promise<void> | undefined {
    if (this.sendOver) throw this.notSending()
    this.add(message)
    if (last) {
      this.owner.format.addEnd(this.batch)
      this.endSending()
      return undefined
    }
    if (this.blocked) return this.room().wait()
    if (this.batch.size < FLUSH_SIZE) this.flushLater()
    else {
      this.flush()
      if (this.blocked) return this.room().wait()
    }
    return undefined
  }

  trySend(message: unknown): boolean {
    if (this.sendOver) throw this.notSending()
    if (this.blocked) return false
    this.add(message)
    if (this.batch.size < FLUSH_SIZE) this.flushLater()
    else this.flush()
    return true
  }

  end(error?: RpcError): void {
    if (this.sendOver) return
    if (error === undefined) this.owner.format.addEnd(this.batch)
    else this.owner.format.addSignal(this.batch, 'status', error)
    this.endSending()
  }

  reset(error: RpcError): void {
    if (this.sendOver) return
    this.signalInstead('reset', error)
    this.endSending()
  }

  /** Hands what was gathered to the stream. */
  flush(): void {
    this.flushing = false
    if (this.gone) {
      this.batch.take()
      return
    }
    const size = this.batch.size
    const fin = this.over && !this.finSent
    if (size === 0 && !fin) return
    if (fin) this.finSent = true
    this.wrote = true
    this.owner.onSent(size)
    if (this.stream.write(this.batch.take(), size, fin)) return
    this.blocked = true
    if (this.opened) return
    this.unsent += size
    this.countKept()
  }

  onDrain(): void {
    this.blocked = false
    this.unsent = 0
    this.flush()
    if (this.blocked) return
    if (!this.opened) this.countKept()
    this.senders?.made()
  }

  /** The own half is over; what says so is in the batch. */
  protected endSending(): void {
    this.sendOver = true
    this.progress()
  }

  /** Has what is in the batch leave: at once where both halves are over. */
  protected progress(): void {
    if (!this.over) {
      if (!this.blocked) this.flushLater()
      return
    }
    this.onBothOver()
    // With nothing more to gather there is nothing to wait for.
    if (!this.blocked) this.flush()
  }

  /** Says that a half, or the channel, is over in place of what has not left yet. */
  protected signalInstead(signal: Signal, error: RpcError): void {
    this.batch.take()
    this.owner.format.addSignal(this.batch, signal, error)
  }

  protected abstract onBothOver(): void

  /** Tells the owner how much the channel keeps, where that has changed. */
  abstract countKept(): void

  private room(): Room {
    this.senders ??= new Room()
    return this.senders
  }

  private add(message: unknown): void {
    if (this.sentFirst || !this.opened) this.owner.format.addMessage(this.batch, message)
    else {
      this.owner.format.addFirst(this.batch, message)
      this.sentFirst = true
    }
  }

  private flushLater(): void {
    if (this.flushing) return
    this.flushing = true
    flushSoon(this)
  }

  private notSending(): RpcError {
    return this.stopped ?? new RpcError('failed_precondition', 'the send half has ended: nothing can be sent after it')
  }
}
