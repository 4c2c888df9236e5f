import {
  type Client,
  type ClientOptions,
  createClient,
  type ServeOptions,
  serve,
  serverStreaming,
  service,
  unary,
} from '@qrpc/core'
import { createMemoryTransport } from '@qrpc/transport-mem'

export const Bench = service('bench', {
  sqr: unary<number, number>(),
  count: serverStreaming<number, number>(),
})

/** What the handler of `sqr` does, for those that call it without a library. */
export async function sqr(n: number): Promise<number> {
  return n * n
}

// Small sums: numbers that leave the range of small integers would be measured instead of the calls.
const MASK = 7

export async function* asyncNumbers(count: number): AsyncGenerator<number> {
  for (let n = 0; n < count; n++) yield n & MASK
}

export function* syncNumbers(count: number): Generator<number> {
  for (let n = 0; n < count; n++) yield n & MASK
}

/** A client of the service over mem. */
export function memoryClient(
  count: (count: number) => AsyncIterable<number> | Iterable<number>,
  options: ClientOptions & ServeOptions = {},
): Client<typeof Bench> {
  const { connector, listener } = createMemoryTransport()
  serve(Bench, { sqr, count }, listener, options)
  return createClient(Bench, connector, options)
}

/** Calls one after the other. */
export async function inSequence(count: number, call: (n: number) => Promise<number>): Promise<number> {
  let sum = 0
  for (let n = 0; n < count; n++) sum = (sum + (await call(n & MASK))) | 0
  return sum
}

/** Calls with so many in flight at any time. */
export async function inParallel(count: number, inFlight: number, call: (n: number) => Promise<number>): Promise<void> {
  await Promise.all(Array.from({ length: inFlight }, () => inSequence(Math.ceil(count / inFlight), call)))
}

/** Reads a stream to its end. */
export async function drain(items: AsyncIterable<number>): Promise<number> {
  let sum = 0
  for await (const item of items) sum = (sum + item) | 0
  return sum
}
