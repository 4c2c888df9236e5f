import { balance, combineConnectors, failover, type Policy, race } from '@qrpc/combined'
import { createClient, RpcError, serve, service, unary } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { describe, expect, test } from 'vitest'

const Counter = service('counter', { count: unary<number, number>() })

const CALLS = 1000

/** A server that counts how often each call was run. */
async function startNode(runs: Map<number, number>, port = 0) {
  const listener = await listenHttp2({ port })
  const handlers = {
    async count(n: number) {
      runs.set(n, (runs.get(n) ?? 0) + 1)
      // Some of the calls run while a server goes down.
      if (n % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
      return n
    },
  }
  const server = serve(Counter, handlers, listener)
  const [address] = listener.addresses as [string]
  return { address, port: Number(new URL(address).port), stop: () => server.close({ graceMs: 0 }) }
}

const policies: Readonly<Record<string, () => Policy>> = {
  failover,
  race: () => race({ delayMs: 5 }),
  'balance by round_robin': () => balance('round_robin'),
  'balance by least_in_flight': () => balance('least_in_flight'),
  'balance by power_of_two_choices': () => balance(),
}

describe.each(Object.entries(policies))('%s', (_, policy) => {
  test('each member dies and comes back among 1,000 calls: none hangs, none runs twice, few fail', async () => {
    const runs = new Map<number, number>()
    const nodes = await Promise.all([startNode(runs), startNode(runs)])
    const combined = combineConnectors(
      nodes.map(({ address }) => connectHttp2(address, { initialBackoffMs: 1, maxBackoffMs: 5 })),
      policy(),
      { initialBackoffMs: 1, maxBackoffMs: 5 },
    )
    const client = createClient(Counter, combined)
    let done = 0
    const failed: unknown[] = []
    const call = async (n: number): Promise<void> => {
      try {
        expect(await client.count(n)).toBe(n)
      } catch (error) {
        failed.push(error)
      }
      done++
    }
    /** Resolves once so many calls are over. */
    const reached = async (count: number): Promise<void> => {
      while (done < count) await new Promise(setImmediate)
    }
    const calling = (async () => {
      for (let n = 0; n < CALLS; n += 20) await Promise.all(Array.from({ length: 20 }, (_, i) => call(n + i)))
    })()
    for (const [i, after] of [200, 600].entries()) {
      await reached(after)
      const port = nodes[i]?.port as number
      await nodes[i]?.stop()
      await reached(after + 100)
      nodes[i] = await startNode(runs, port)
      await reached(after + 200)
    }
    await calling
    expect(done).toBe(CALLS)
    // Cut off is what was on its way to one server, twice.
    expect(failed.length).toBeLessThanOrEqual(40)
    for (const error of failed) {
      expect(error).toBeInstanceOf(RpcError)
      expect(error).toMatchObject({ code: 'unavailable' })
    }
    expect([...runs.values()].filter((count) => count !== 1)).toEqual([])
    expect(runs.size).toBeGreaterThanOrEqual(CALLS - failed.length)
    await combined.close()
    await Promise.all(nodes.map((node) => node.stop()))
  })
})
