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
const REQUEST_OVERHEAD = 1 + 1 + 'limited/echo'.length + 3
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

/** Arrays inside each other. */
function nested(depth: number): unknown {
  let value: unknown = 'the innermost'
  for (let n = 0; n < depth; n++) value = [value]
  return value
}

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

    if (metadata !== undefined) continue
    test(`${limit} of a client: the same holds for responses`, async () => {
      await using site = await LimitedSite.open(network, { lanes })
      const { client, connector } = site.client({ [limit]: value, lanes })
      if (limit !== 'maxMessageSize') {
        // It does not send what it does not take.
        expect((await failure(client.echo(message(under + 1)))).code).toBe(code)
        return
      }
      const size = under + REQUEST_OVERHEAD - 3
      expect(await client.bytes(size)).toHaveLength(size)
      expect(connector.counters.limits[limit]).toBe(0)
      expect((await failure(client.bytes(size + 1))).code).toBe(code)
      expect(connector.counters.limits[limit]).toBe(1)
      expect(await client.bytes(1)).toHaveLength(1)
    })
  }
}
