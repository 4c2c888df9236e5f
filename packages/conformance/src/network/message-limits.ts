import { expect, test } from 'vitest'
import { failure } from '../wait.ts'
import type { Limits, NetworkUnderTest } from './network.ts'
import { LimitedSite } from './site.ts'

/** A limit of messages: what is just under it, and just over it. */
interface MessageLimit {
  readonly limit: keyof Limits
  readonly value: number
  readonly code: string
  /** The largest size that passes. */
  readonly under: number
  readonly message: (size: number) => unknown
  readonly metadata?: (size: number) => Record<string, string>
}

// A request of `limited/echo`: its header, and the head of a byte string of up to 64 KiB.
const HEAD_OF_BYTES = 3
const REQUEST_OVERHEAD = 1 + 1 + 'limited/echo'.length + HEAD_OF_BYTES
// The same header with an entry of metadata: `[method, null, [['k', value]]]`.
const HEADER_OVERHEAD = 1 + 1 + 'limited/echo'.length + 1 + 1 + 1 + 2 + 3

const LIMITS: readonly MessageLimit[] = [
  {
    limit: 'maxMessageSize',
    value: 4096,
    code: 'resource_exhausted',
    under: 4096 - REQUEST_OVERHEAD,
    message: (size) => new Uint8Array(size),
  },
  {
    limit: 'maxHeaderSize',
    value: 512,
    code: 'resource_exhausted',
    under: 512 - HEADER_OVERHEAD,
    message: () => 'small',
    metadata: (size) => ({ k: 'v'.repeat(size) }),
  },
  { limit: 'maxDepth', value: 8, code: 'invalid_argument', under: 8, message: nested },
  {
    limit: 'maxItems',
    value: 100,
    code: 'invalid_argument',
    under: 99,
    message: (size) => new Array<number>(size).fill(1),
  },
  {
    limit: 'maxExpansion',
    value: 1,
    code: 'invalid_argument',
    // An empty object weighs 72 and has a byte, and so does the array but for two bytes more; a MiB is free.
    under: Math.floor((1024 * 1024 + 3 - 72) / 71),
    message: (size) => Array.from({ length: size }, () => ({})),
  },
]

/** Each side holds what it is sent to its own limits: to the last byte, and it counts what it has refused. */
export function testMessageLimits(network: NetworkUnderTest, lanes: boolean): void {
  for (const { limit, value, code, under, message, metadata } of LIMITS) {
    const options = (size: number) => (metadata === undefined ? {} : { metadata: metadata(size) })

    test(`${limit} of a server: just under it all is well, just over it that call fails, and is counted`, async () => {
      await using site = await LimitedSite.open(network, { [limit]: value, lanes })
      const { client } = site.client({ lanes })
      await client.echo(message(under), options(under))
      expect(site.counters.limits[limit]).toBe(0)
      const error = await failure(client.echo(message(under + 1), options(under + 1)).then(() => 'an answer'))
      expect(error.code).toBe(code)
      expect(error.message).toContain(limit)
      expect(site.counters.limits[limit]).toBe(1)
      expect(await client.echo('goes on')).toBe('goes on')
    })
  }

  test('maxMessageSize of a client: just under it the response arrives, just over it that call fails, and is counted', async () => {
    await using site = await LimitedSite.open(network, { lanes })
    const { client, connector } = site.client({ maxMessageSize: 4096, lanes })
    const under = 4096 - HEAD_OF_BYTES
    expect(await client.bytes(under)).toHaveLength(under)
    expect(connector.counters.limits.maxMessageSize).toBe(0)
    expect((await failure(client.bytes(under + 1))).code).toBe('resource_exhausted')
    expect(connector.counters.limits.maxMessageSize).toBe(1)
    expect(await client.bytes(1)).toHaveLength(1)
    expect(site.counters.limits.maxMessageSize).toBe(0)
  })

  test.each(LIMITS)(
    '$limit of a client: what is just over it is not even sent',
    async ({ limit, value, code, ...sizes }) => {
      const { under, message, metadata } = sizes
      await using site = await LimitedSite.open(network, { lanes })
      const { client, connector } = site.client({ [limit]: value, lanes })
      const options = metadata === undefined ? {} : { metadata: metadata(under + 1) }
      const error = await failure(client.echo(message(under + 1), options).then(() => 'an answer'))
      expect(error.code).toBe(code)
      expect(error.message).toContain(limit)
      expect(connector.counters.limits[limit]).toBe(0)
      expect(await client.echo('goes on')).toBe('goes on')
      expect(site.counters.limits[limit]).toBe(0)
    },
  )
}

/** Arrays inside each other. */
function nested(depth: number): unknown {
  let value: unknown = 'the innermost'
  for (let n = 0; n < depth; n++) value = [value]
  return value
}
