import { createClient, RpcError, readRequest, serve, service, unary } from '@qrpc/core'
import { createMemoryTransport, type StrictCodec } from '@qrpc/transport-mem'
import { describe, expect, test } from 'vitest'

const Service = service('service', { echo: unary<unknown, unknown>() })

/** As a codec may be by its contract: one buffer for all messages, and what is decoded is a view on the bytes. */
function reusingCodec(): StrictCodec {
  const buffer = new Uint8Array(1)
  return { encode: (value) => buffer.fill(value as number), decode: (bytes) => bytes }
}

describe('a strict memory transport', () => {
  test('copies what the codec encodes before it encodes the next', async () => {
    const { connector, listener } = createMemoryTransport({ strict: reusingCodec() })
    const opened = await connector.open()
    for (const n of [1, 2, 3]) void opened.send(n)
    const accepted = await listener.accept()
    expect([1, 2, 3].map(() => accepted?.receive())).toEqual([Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)])
    await connector.close()
  })

  test('passes the message of a request through the codec, and no more of it', async () => {
    const encoded: unknown[] = []
    const strict: StrictCodec = {
      encode: (value, name) => {
        encoded.push([name, value])
        return new Uint8Array(0)
      },
      decode: () => 'decoded',
    }
    const { connector, listener } = createMemoryTransport({ strict })
    const client = createClient(Service, connector)
    const response = client.echo('sent', { timeout: 10_000, metadata: { key: 'value' } })
    const accepted = await listener.accept()
    if (accepted === undefined) throw new Error('there is no channel')
    const request = await readRequest(accepted)
    expect(request).toMatchObject({ method: 'service/echo', metadata: [['key', 'value']], message: 'decoded' })
    expect(request.timeout).toBeGreaterThan(0)
    void accepted.send({ method: 'looks like a request' }, true)
    expect(await response).toBe('decoded')
    expect(encoded).toEqual([
      ['request', 'sent'],
      ['message', { method: 'looks like a request' }],
    ])
    await connector.close()
  })

  test('passes the first message of a channel that was opened by hand through the codec as it is', async () => {
    const { connector, listener } = createMemoryTransport({ strict: reusingCodec() })
    const opened = await connector.open()
    expect(opened.trySend(7)).toBe(true)
    expect((await listener.accept())?.receive()).toEqual(Uint8Array.of(7))
    await connector.close()
  })

  test('makes invalid_argument of what the codec throws, unless that is an RpcError', async () => {
    const own = new RpcError('resource_exhausted', 'too much')
    const strict: StrictCodec = {
      encode: (value) => {
        if (value === 'own') throw own
        throw new TypeError('no')
      },
      decode: () => undefined,
    }
    const { connector, listener } = createMemoryTransport({ strict })
    await using _ = serve(Service, { echo: async () => 1 }, listener)
    await using client = createClient(Service, connector)
    await expect(client.echo('own')).rejects.toBe(own)
    await expect(client.echo(1)).rejects.toMatchObject({
      code: 'invalid_argument',
      message: 'request cannot be encoded',
      cause: new TypeError('no'),
    })
  })

  test('encodes nothing for a half that is over', async () => {
    let encoded = 0
    const strict: StrictCodec = { encode: () => new Uint8Array(++encoded), decode: () => undefined }
    const { connector } = createMemoryTransport({ strict })
    const opened = await connector.open()
    opened.end()
    const over = expect.objectContaining({ code: 'failed_precondition' })
    expect(() => opened.send(1)).toThrow(over)
    expect(() => opened.trySend(1)).toThrow(over)
    expect(encoded).toBe(0)
    await connector.close()
  })
})
