import { type Code, createClient, RpcError } from '@qrpc/core'
import { connectQuic, type QuicConnectOptions } from '@qrpc/transport-quic'
import { Counters } from '@qrpc/wire'
import { expect } from 'vitest'
import { LANE, LaneReader } from '../../wire/test/support/lane-bytes.ts'
import { END, message } from '../../wire/test/support/wire-bytes.ts'
import { loadBinding } from '../src/binding.ts'
import type { QuicByteStream } from '../src/connection/quic-byte-stream.ts'
import { Acceptor } from '../src/endpoint/acceptor.ts'
import { Endpoint } from '../src/endpoint/endpoint.ts'
import { checkQuicOptions } from '../src/options.ts'
import { checkCredentials } from '../src/tls/credentials.ts'
import { createConfig, SPARE_STREAMS } from '../src/tls/quic-config.ts'
import { makeCertificates } from './certificates.ts'
import { Echo } from './service.ts'

const CLOSED = new RpcError('unavailable', 'the test is over')

/** A lane on which the test is the server. */
export interface MisledLane {
  readonly stream: QuicByteStream
  /** What the client has sent. */
  readonly reader: LaneReader
  /** The stream is gone: the code of a reset, or `undefined`. */
  readonly closed: Promise<Code | undefined>
  write(...frames: Uint8Array[]): void
  end(): void
}

/** How the server behaves. */
export interface MisledLaneOptions extends QuicConnectOptions {
  /** Calls that it takes on a lane, and streams besides. Default: 100. */
  readonly laneCalls?: number
  /** What it does with a lane at first. Default: nothing. */
  readonly begin?: (lane: MisledLane) => void
}

const { ca, server: tls } = await makeCertificates()

/** A client of a server that takes lanes, which the test then serves; streams are answered with `good`. */
export async function misledOnLane({ laneCalls = 100, begin, ...options }: MisledLaneOptions = {}) {
  const binding = await loadBinding()
  const checked = checkQuicOptions({})
  const endpoint = await Endpoint.bind(binding, { host: '127.0.0.1', port: 0 })
  const config = createConfig(binding, checked, {
    credentials: checkCredentials(tls),
    verifyPeer: false,
    maxStreams: laneCalls + SPARE_STREAMS,
    datagramSize: 1350,
    earlyData: false,
  })
  const lanes: MisledLane[] = []
  const left: Promise<void>[] = []
  const close: (() => void)[] = []
  let streams = 0
  let onLane = (): void => {}

  const serveLane = (stream: QuicByteStream, closed: Promise<Code | undefined>): LaneReader => {
    const lane: MisledLane = {
      stream,
      reader: new LaneReader(true),
      closed,
      write(...frames) {
        const bytes = Buffer.concat(frames)
        stream.write([bytes], bytes.length, false)
      },
      end: () => void stream.write([], 0, true),
    }
    begin?.(lane)
    lanes.push(lane)
    onLane()
    return lane.reader
  }

  const serveStream = (stream: QuicByteStream): void => {
    let reader: LaneReader | undefined
    let begun = false
    let onClosed!: (code: Code | undefined) => void
    const closed = new Promise<Code | undefined>((resolve) => {
      onClosed = resolve
    })
    stream.reader = {
      onBytes(chunk) {
        if (!begun && LANE.equals(chunk.subarray(0, LANE.length))) reader = serveLane(stream, closed)
        else if (!begun) {
          streams++
          const bytes = Buffer.concat([message('good'), END])
          stream.write([bytes], bytes.length, true)
        }
        begun = true
        reader?.push(chunk)
      },
      onDrain() {},
      onEnd() {},
      onClosed: (error) => onClosed(error?.code),
    }
  }

  const acceptor = new Acceptor(
    endpoint,
    {
      config,
      maxConnections: 1000,
      retryAbove: 100,
      handshakeTimeoutMs: 10_000,
      keyLogFile: undefined,
      counters: new Counters('server'),
    },
    (connect) => {
      let onLeft!: () => void
      left.push(
        new Promise((resolve) => {
          onLeft = resolve
        }),
      )
      const connection = connect({
        onEstablished() {},
        onStream: serveStream,
        onTurn() {},
        onReset() {},
        onClosed: () => onLeft(),
      })
      close.push(() => connection.close(0, CLOSED))
    },
  )
  endpoint.accept = acceptor.accept

  const address = `quic://127.0.0.1:${endpoint.local.port}`
  const connector = connectQuic(address, { tls: { ca }, initialBackoffMs: 1, closeTimeoutMs: 20, ...options })
  const rpc = createClient(Echo, connector)
  // The connection is there from now on, and the server has not heard of a call.
  const unused = await connector.open()
  unused.cancel(new RpcError('cancelled', 'it was never used'))
  return {
    rpc,
    connector,
    /** For each connection: the client has closed it. */
    left,
    /** How many streams there were besides lanes. */
    get streams() {
      return streams
    },
    /** The lane of the client's first connection, or of a later one, once it is there. */
    async lane(index = 0): Promise<MisledLane> {
      while (lanes.length <= index) {
        await new Promise<void>((resolve) => {
          onLane = resolve
        })
      }
      return lanes[index] as MisledLane
    },
    /** A call that has its own stream, on the same connection. */
    async expectStreams() {
      const before = streams
      expect(await rpc.echo('on a stream')).toBe('good')
      expect(streams).toBe(before + 1)
      expect(left).toHaveLength(1)
      expect(connector.state).toBe('ready')
    },
    async [Symbol.asyncDispose]() {
      await connector.close()
      for (const one of close) one()
      await endpoint.close()
    },
  }
}
