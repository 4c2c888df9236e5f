import { type Client, type ClientOptions, createClient, type Interceptor, serve, service, unary } from '@qrpc/core'
import { createMemoryTransport } from '@qrpc/transport-mem'
import type { Part } from './measure.ts'

const Square = service('square', { sqr: unary<number, number>() })

// Small numbers: those that leave the range of small integers would be measured instead of the calls.
const MASK = 7

/** What the options of a call cost, where the call itself costs next to nothing. */
export function callOptions(): Part {
  const pass: Interceptor = (call, next) => next(call)
  const plain = client()
  const intercepted = client({ interceptors: [pass] })
  return {
    title: 'Unary calls over mem, and what options add',
    contestants: [
      { name: 'without options', run: (count) => inSequence(count, plain.sqr) },
      { name: 'with a timeout', run: (count) => inSequence(count, (n) => plain.sqr(n, { timeout: 10_000 })) },
      { name: 'with metadata', run: (count) => inSequence(count, (n) => plain.sqr(n, { metadata: { key: 'value' } })) },
      { name: 'with an interceptor each side', run: (count) => inSequence(count, intercepted.sqr) },
    ],
  }
}

function client(options: ClientOptions = {}): Client<typeof Square> {
  const { connector, listener } = createMemoryTransport()
  serve(Square, { sqr: async (n) => n * n }, listener, options)
  return createClient(Square, connector, options)
}

async function inSequence(count: number, call: (n: number) => Promise<number>): Promise<void> {
  for (let n = 0; n < count; n++) await call(n & MASK)
}
