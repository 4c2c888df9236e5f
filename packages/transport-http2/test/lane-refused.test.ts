import { type Code, createClient } from '@qrpc/core'
import { connectHttp2 } from '@qrpc/transport-http2'
import { expect, test } from 'vitest'
import { signal } from '../../wire/test/support/wire-bytes.ts'
import { END_HEADERS, END_STREAM, FRAME, field, http2Frame, uint32 } from './http2-bytes.ts'
import { RawServer } from './raw-server.ts'
import { Echo } from './service.ts'

// Two bytes, and then the calls that a lane may carry.
const LANES = http2Frame(FRAME.settings, 0, 0, Buffer.concat([Buffer.from('f0c2', 'hex'), uint32(100)]))
const OK = Buffer.concat([field(':status', '200'), field('content-type', 'application/qrpc+cbor')])

test.each<Code>(['unavailable', 'deadline_exceeded'])(
  'calls on a lane that the server cancels before it knows that it is one: %s',
  async (code) => {
    await using server = await RawServer.listen()
    server.opening = LANES
    server.answer = (id) => [
      http2Frame(FRAME.headers, END_HEADERS, id, OK),
      http2Frame(FRAME.data, END_STREAM, id, signal('cancel', code, 'not now')),
    ]
    await using connector = connectHttp2(server.address, { initialBackoffMs: 1, closeTimeoutMs: 10 })
    const rpc = createClient(Echo, connector)
    const calls = [rpc.echo(1), rpc.echo(2)]
    for (const call of calls) {
      await expect(call).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('not now') })
    }
  },
)
