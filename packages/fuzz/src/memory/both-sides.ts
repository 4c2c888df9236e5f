import { setImmediate as nextTurn } from 'node:timers/promises'
import { type Connector, createClient, type Listener, RpcError, serve } from '@qrpc/core'
import { type AcceptedChannel, AcceptQueue, ByteChannel, ChannelTable, ClientLane, WireFormat } from '@qrpc/wire'
import { createHandlers, Tried } from '../contract.ts'
import type { Random } from '../engine/random.ts'
import { expectThat } from '../targets/refusal.ts'
import { FedStream } from './fed-stream.ts'
import { callSome } from './some-calls.ts'

const PEER = { transport: 'fuzz', address: 'fuzz:' }
const LANE_CALLS = 4
// How many turns all may take that has to happen once the stream is gone.
const TURNS = 200

/** A listener and a connector of their own would hide which bytes go where. */
const CLOSABLE = {
  close: () => Promise.resolve(),
  [Symbol.asyncDispose]: () => Promise.resolve(),
}

/** Feeds the bytes to a server, as one stream of a client. @throws Error where something is left or comes out wrong. */
export async function feedServer(bytes: Uint8Array, random: Random, method: string | undefined): Promise<void> {
  const stream = new FedStream(random)
  const queue = new AcceptQueue()
  const table = createTable(queue)
  const { handlers, running } = createHandlers()
  const errors: unknown[] = []
  const listener: Listener = {
    addresses: [],
    accept: () => queue.accept(),
    onChannel: (callback) => queue.onChannel(callback),
    [Symbol.asyncIterator]: () => queue[Symbol.asyncIterator](),
    ...CLOSABLE,
  }
  const server = serve(Tried, handlers, listener, { onError: (error) => errors.push(error) })
  const channel = new ByteChannel(table, stream, PEER, false, method)
  stream.reader = channel
  table.addAccepted(channel)
  await stream.feed(bytes)
  await stream.close()
  await until(
    () => table.size === 0 && table.kept === 0 && running() === 0,
    () => {
      return `${table.size} channels, ${table.kept} bytes and ${running()} handlers are left of a stream that is gone`
    },
  )
  table.lose(new RpcError('unavailable', 'the connection was lost'))
  await server.close({ graceMs: 0 })
  for (const error of errors) if (!(error instanceof RpcError)) throw error
  stream.check()
  table.check()
}

/** Feeds the bytes to a client, as what a server answers. @throws Error as {@link feedServer} does. */
export async function feedClient(bytes: Uint8Array, random: Random, onLane: boolean): Promise<void> {
  const stream = new FedStream(random)
  const table = createTable(new AcceptQueue())
  const open = onLane ? openLane(table, stream) : openStream(table, stream)
  const connector: Connector = { address: 'fuzz:', open, ...CLOSABLE }
  let left = 0
  const calls = callSome(createClient(Tried, connector), random, onLane).map(async (call) => {
    left++
    try {
      await call
    } catch (error) {
      if (!(error instanceof RpcError)) throw error
    } finally {
      left--
    }
  })
  const outcomes = Promise.allSettled(calls)
  // What is sent in this turn leaves before anything can be answered.
  await nextTurn()
  await stream.feed(bytes)
  await stream.close()
  await until(
    () => table.size === 0 && table.kept === 0 && left === 0,
    () => {
      return `${table.size} channels, ${table.kept} bytes and ${left} calls are left of a stream that is gone`
    },
  )
  table.lose(new RpcError('unavailable', 'the connection was lost'))
  for (const outcome of await outcomes) if (outcome.status === 'rejected') throw outcome.reason
  stream.check()
  table.check()
}

/** Remembers what was thrown while bytes were read: to the peer, and to calls, it is an internal error. */
class WatchedTable extends ChannelTable {
  #unexpected: Error | undefined = undefined

  override onRefused(error: unknown): void {
    if (error instanceof RpcError && error.code === 'internal' && error.cause instanceof Error)
      this.#unexpected ??= error.cause
    super.onRefused(error)
  }

  /** @throws What was thrown. */
  check(): void {
    if (this.#unexpected !== undefined) throw this.#unexpected
  }
}

function createTable(queue: AcceptQueue): WatchedTable {
  return new WatchedTable(
    {
      format: new WireFormat({ maxMessageSize: 20_000 }),
      receiveWindow: 1024,
      closeTimeoutMs: 10_000,
      firstFrameTimeoutMs: 10_000,
      maxLaneCalls: LANE_CALLS,
    },
    { onAccepted: (channel: AcceptedChannel) => queue.add(channel), onGone: (channel) => queue.forget(channel) },
  )
}

/** One stream is there, and any further one is refused. */
function openStream(table: ChannelTable, stream: FedStream): Connector['open'] {
  return () => {
    if (stream.reader !== undefined) throw new RpcError('unavailable', 'there is only one stream')
    const channel = new ByteChannel(table, stream, PEER, true)
    stream.reader = channel
    table.addOpened(channel)
    return channel
  }
}

function openLane(table: ChannelTable, stream: FedStream): Connector['open'] {
  const lane = new ClientLane(
    table.format,
    stream,
    PEER,
    LANE_CALLS,
    {
      onCallOver() {},
      onGoingAway() {},
      onLaneGone: () => table.onLaneGone(lane),
      openElsewhere: () => Promise.reject(new RpcError('unavailable', 'there is only one stream')),
    },
    table,
  )
  table.addLane(lane)
  return (options) => {
    if (!lane.carries(options)) throw new RpcError('unavailable', 'the lane is gone')
    return lane.open(options)
  }
}

async function until(holds: () => boolean, otherwise: () => string): Promise<void> {
  for (let turn = 0; turn < TURNS && !holds(); turn++) await nextTurn()
  expectThat(holds(), otherwise().replaceAll(/[1-9]\d*/g, 'some'))
}
