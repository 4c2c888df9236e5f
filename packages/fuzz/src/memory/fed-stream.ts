import { setImmediate as nextTurn } from 'node:timers/promises'
import { RpcError } from '@qrpc/core'
import { type ByteStream, type ByteStreamReader, FrameReader } from '@qrpc/wire'
import { concat } from '../engine/layout.ts'
import type { Random } from '../engine/random.ts'
import { expectThat } from '../targets/refusal.ts'

const LONGEST_CHUNK = 5000
// For how many turns a reader that has paused is waited for.
const PATIENCE = 3

/** A stream whose peer sends any bytes, in any chunks, and reads when it likes. */
export class FedStream implements ByteStream {
  reader: ByteStreamReader | undefined = undefined
  readonly #random: Random
  readonly #written: Uint8Array[] = []
  #wrong: string | undefined = undefined
  #paused = false
  #blocked = false
  #fin = false
  #gone = false

  constructor(random: Random) {
    this.#random = random
  }

  write(buffers: readonly Uint8Array[], size: number, fin: boolean): boolean {
    // Streams do not throw: it shows at the end.
    if (this.#fin) this.#wrong = 'something was written behind the end'
    if (size !== buffers.reduce((sum, { length }) => sum + length, 0)) this.#wrong = 'the size of a write is wrong'
    this.#written.push(...buffers)
    this.#fin = fin
    this.#blocked = this.#random.oneIn(4)
    return !this.#blocked
  }

  reset(): void {
    this.#close(undefined)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
  }

  /** Hands out the bytes, as far as they are taken. */
  async feed(bytes: Uint8Array): Promise<void> {
    const random = this.#random
    for (let at = 0; at < bytes.length && !this.#gone; ) {
      const size = 1 + random.scale(LONGEST_CHUNK)
      for (let turn = 0; turn < PATIENCE && (this.#paused || random.oneIn(4)); turn++) await nextTurn()
      if (this.#paused) return
      this.#deliver(bytes.slice(at, at + size))
      at += size
      if (this.#blocked && random.oneIn(2)) this.#drain()
    }
  }

  /** The end of what the peer sends, and of the stream. */
  async close(): Promise<void> {
    const random = this.#random
    if (!this.#gone && random.oneIn(2)) this.reader?.onEnd()
    for (let turn = 0; turn < PATIENCE && !this.#fin; turn++) await nextTurn()
    if (this.#blocked && random.oneIn(2)) this.#drain()
    await nextTurn()
    this.#close(random.oneIn(2) ? undefined : new RpcError('unavailable', 'the connection was lost'))
  }

  /** @throws Error where what was written is not how one writes to a stream, or no frames. */
  check(): void {
    expectThat(this.#wrong === undefined, this.#wrong ?? '')
    const reader = new FrameReader()
    reader.push(concat(this.#written))
    while (reader.next() !== undefined);
    expectThat(!reader.partial, 'a frame was written in part')
  }

  #deliver(chunk: Uint8Array): void {
    let rest = chunk
    const space = this.#random.oneIn(2) ? this.reader?.space : undefined
    if (space !== undefined) {
      const size = Math.min(space.length, rest.length)
      space.set(rest.subarray(0, size))
      rest = rest.subarray(size)
      this.reader?.onSpaceFilled?.(size)
    }
    if (rest.length > 0 && !this.#gone) this.reader?.onBytes(rest)
  }

  #drain(): void {
    this.#blocked = false
    if (!this.#gone) this.reader?.onDrain()
  }

  #close(error: RpcError | undefined): void {
    if (this.#gone) return
    this.#gone = true
    this.reader?.onClosed(error)
  }
}
