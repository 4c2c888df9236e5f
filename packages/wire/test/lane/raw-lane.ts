import type { Channel, RpcError } from '@qrpc/core'
import {
  ByteChannel,
  type ByteStream,
  type ByteStreamReader,
  ChannelTable,
  type ChannelTableSettings,
  ClientLane,
  type ClientLaneObserver,
  type ControlItem,
  decodeVarint,
  encodeVarint,
  WireFormat,
  type WireOptions,
} from '@qrpc/wire'
import { join } from '../hex.ts'

const PEER = { transport: 'raw', address: 'raw:' }

export const MESSAGE = 0
export const START = 1
export const PIECE = 2

/** A frame as it was on the lane. */
export interface SentFrame {
  readonly call?: number
  readonly kind?: number
  readonly payload?: Uint8Array
  readonly control?: ControlItem
}

/** A stream of which the test is the other end. */
export class RawStream implements ByteStream {
  reader: ByteStreamReader | undefined = undefined
  /** Whether it is no lane. */
  plain = false
  /** Whether writers are told to wait. */
  full = false
  fin = false
  resetWith: RpcError | undefined = undefined
  /** Frames that this side has sent, since they were last taken. */
  readonly #frames: SentFrame[] = []
  readonly #incoming
  readonly #format: WireFormat
  #first: boolean

  constructor(format: WireFormat, first: boolean) {
    this.#format = format
    this.#incoming = format.createReader()
    this.#first = first
  }

  write(buffers: readonly Uint8Array[], _size: number, fin: boolean): boolean {
    if (this.fin) throw new Error('a write after the end of the stream')
    this.#incoming.push(join([...buffers]))
    for (let frame = this.#incoming.next(); frame !== undefined; frame = this.#incoming.next()) {
      this.#frames.push(this.#decoded(frame.control, frame.payload))
    }
    if (fin) this.fin = true
    return !this.full
  }

  /** There is room again. */
  drain(): void {
    this.full = false
    this.reader?.onDrain()
  }

  reset(error: RpcError): void {
    this.resetWith = error
    this.reader?.onClosed(undefined)
  }

  pause(): void {}

  resume(): void {}

  push(...frames: Uint8Array[]): void {
    this.reader?.onBytes(join(frames))
  }

  /** What was sent since it was last asked for, once this turn is over. */
  async taken(): Promise<SentFrame[]> {
    await new Promise(setImmediate)
    return this.#frames.splice(0)
  }

  #decoded(control: boolean, payload: Uint8Array): SentFrame {
    if (control && (this.plain || this.#first || payload.length === 0)) {
      this.#first = false
      return { control: this.#format.decodeControl(payload) }
    }
    const { value, size } = decodeVarint(payload) as { value: number; size: number }
    const rest = payload.subarray(size)
    if (control) return { call: value, control: this.#format.decodeControl(rest) }
    return { call: Math.floor(value / 4), kind: value % 4, payload: rest }
  }
}

/** A frame with this payload. */
export function frame(control: boolean, ...payload: Uint8Array[]): Uint8Array {
  const bytes = join(payload)
  return join([encodeVarint(bytes.length * 2 + (control ? 1 : 0)), bytes])
}

/** A message frame on a lane. */
export function laneFrame(call: number, kind: number, ...payload: Uint8Array[]): Uint8Array {
  return frame(false, encodeVarint(call * 4 + kind), ...payload)
}

/** A control frame for a call. */
export function signal(
  format: WireFormat,
  call: number,
  kind: 'cancel' | 'status' | 'stop',
  error?: RpcError,
): Uint8Array {
  const batch = format.createBatch()
  format.addSignalOnLane(batch, call, kind, error)
  return join(batch.take())
}

/** The payload of a request. */
export function requestBytes(format: WireFormat, message: unknown, method = 'a/b'): Uint8Array {
  const batch = format.createBatch()
  format.addFirst(batch, { method, metadata: undefined, timeout: undefined, message })
  const reader = format.createReader()
  reader.push(join(batch.take()))
  return reader.next()?.payload as Uint8Array
}

/** The payload of a message. */
export function messageBytes(format: WireFormat, message: unknown): Uint8Array {
  const batch = format.createBatch()
  format.addMessage(batch, message)
  const reader = format.createReader()
  reader.push(join(batch.take()))
  return reader.next()?.payload as Uint8Array
}

/** The first frame of a lane. */
export const LANE: Uint8Array = frame(true, Uint8Array.of(0x81, 4))
/** The end of a lane, or the wish for no more calls. */
export const LANE_END: Uint8Array = frame(true)

/** The server's side of a connection, the client of which is the test. */
export function rawClient(options: Partial<ChannelTableSettings> & WireOptions = {}) {
  const format = new WireFormat(options)
  const accepted: Channel[] = []
  const table = new ChannelTable(
    { format, receiveWindow: 65_536, closeTimeoutMs: 1000, firstFrameTimeoutMs: 1000, maxLaneCalls: 10, ...options },
    { onAccepted: (channel) => accepted.push(channel), onGone() {} },
  )
  const open = (method?: string): RawStream => {
    const stream = new RawStream(format, false)
    const channel = new ByteChannel(table, stream, PEER, false, method)
    stream.reader = channel
    table.addAccepted(channel)
    return stream
  }
  const lane = open()
  lane.plain = options.maxLaneCalls === 0
  lane.push(LANE)
  return {
    format,
    table,
    accepted,
    open,
    lane,
    request: (call: number, message: unknown) => laneFrame(call, MESSAGE, requestBytes(format, message)),
  }
}

/** The client's side of a connection, the server of which is the test. */
export function rawServer(maxCalls = 10, options: Partial<ChannelTableSettings> & WireOptions = {}) {
  const format = new WireFormat(options)
  const stream = new RawStream(format, true)
  const told: string[] = []
  const table = new ChannelTable(
    { format, receiveWindow: 65_536, closeTimeoutMs: 1000, firstFrameTimeoutMs: 1000, ...options },
    { onGone() {} },
  )
  const observer: ClientLaneObserver = {
    onCallOver: () => told.push('over'),
    onGoingAway: () => told.push('going away'),
    onLaneGone: () => told.push('gone'),
    openElsewhere: () => {
      told.push('elsewhere')
      return Promise.reject(new Error('elsewhere'))
    },
  }
  const lane = new ClientLane(format, stream, PEER, maxCalls, observer, table)
  table.addLane(lane)
  const open = (signalToAbort?: AbortSignal) => lane.open({ pattern: 'unary', signal: signalToAbort })
  const call = (message: unknown): Channel => {
    const channel = open() as Channel
    void channel.send({ method: 'a/b', metadata: undefined, timeout: undefined, message }, true)
    return channel
  }
  return {
    format,
    table,
    stream,
    lane,
    told,
    open,
    call,
    response: (number: number, message: unknown) => laneFrame(number, MESSAGE, messageBytes(format, message)),
  }
}
