import { type Channel, type Connector, type Listener, RpcError } from '@qrpc/core'
import {
  AcceptQueue,
  ByteChannel,
  ChannelTable,
  ClientLane,
  type ClientLaneObserver,
  WireFormat,
  type WireOptions,
} from '@qrpc/wire'
import { PipeStream } from '../pipe-stream.ts'

const PEER = { transport: 'pipe', address: 'pipe:' }

/** How the ends of a lane are told apart, and from the defaults. */
export interface LanePairOptions {
  /** Bytes that arrive in one piece at most. Default: 64 KiB. */
  readonly chunkSize?: number
  /** Bytes that a side takes before its writer has to wait. Default: 32 KiB. */
  readonly window?: number
  /** Default: 100. */
  readonly maxCalls?: number
  readonly client?: WireOptions
  readonly server?: WireOptions
}

/** Both ends of a lane over a pipe. */
export function lanePair({
  chunkSize = 65_536,
  window = 32_768,
  maxCalls = 100,
  client,
  server,
}: LanePairOptions = {}) {
  const [here, there] = PipeStream.pair({ chunkSize, window })
  const queue = new AcceptQueue()
  const table = new ChannelTable(
    {
      format: new WireFormat(server),
      receiveWindow: 65_536,
      closeTimeoutMs: 1000,
      firstFrameTimeoutMs: 60_000,
      maxLaneCalls: maxCalls,
    },
    { onAccepted: (channel) => queue.add(channel), onGone: (channel) => queue.forget(channel) },
  )
  const first = new ByteChannel(table, there, PEER, false)
  there.reader = first
  table.addAccepted(first)
  const told: string[] = []
  const format = new WireFormat(client)
  const own = new ChannelTable(
    { format, receiveWindow: 65_536, closeTimeoutMs: 1000, firstFrameTimeoutMs: 1000 },
    { onGone() {} },
  )
  const observer: ClientLaneObserver = {
    onCallOver() {},
    onGoingAway: () => told.push('going away'),
    onLaneGone: () => told.push('gone'),
    openElsewhere: () => Promise.reject(new RpcError('unavailable', 'the lane was lost')),
  }
  const lane = new ClientLane(format, here, PEER, maxCalls, observer, own)
  const connector: Connector = {
    address: 'pipe:',
    open: (options) => lane.open(options),
    close: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  const listener: Listener = {
    addresses: ['pipe:'],
    accept: () => queue.accept(),
    onChannel: (callback) => queue.onChannel(callback),
    close: () => Promise.resolve(),
    [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator](),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
  return {
    lane,
    table,
    here,
    there,
    told,
    connector,
    listener,
    /** Opens a channel for a unary call; there must be room for it. */
    open: (): Channel => lane.open({ pattern: 'unary' }) as Channel,
    /** The next channel on the other side. */
    accept: async (): Promise<Channel> => (await queue.accept()) as Channel,
    /** Resolves once nothing is left of any call on either side. */
    settled: async (): Promise<void> => {
      while (lane.size > 0 || table.size > 0 || lane.unsent > 0) await turn()
    },
  }
}

/** A request for a method that nobody looks at. */
export function requestOf(message: unknown) {
  return { method: 'a/b', metadata: undefined, timeout: undefined, message }
}

export function turn(): Promise<void> {
  return new Promise(setImmediate)
}

export async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await turn()
}

/** The code with which it fails, or what it gives. */
export async function outcomeOf(result: unknown): Promise<unknown> {
  try {
    return await result
  } catch (error) {
    if (error instanceof RpcError) return error.code
    throw error
  }
}
