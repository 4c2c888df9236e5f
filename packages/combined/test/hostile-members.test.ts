import { getEventListeners, once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { balance, combineConnectors, failover, type Policy, race } from '@qrpc/combined'
import { type Channel, createClient, RpcError, serve } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { failing, hanging, node, ScriptedConnector, Who } from './node.ts'

const POLICIES: Readonly<Record<string, () => Policy>> = {
  failover,
  race: () => race({ delayMs: 5 }),
  'balance by round_robin': () => balance('round_robin'),
  'balance by least_in_flight': () => balance('least_in_flight'),
  'balance by power_of_two_choices': () => balance(),
}

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

const unavailable = expect.objectContaining({ code: 'unavailable' }) as unknown

/** A server that takes connections and says nothing. */
async function listenSilently() {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

describe.each(Object.entries(POLICIES))('%s', (policyName, policy) => {
  test('calls that come together while all are down each fail once all have been tried once', async () => {
    const members = [failing('a:'), failing('b:'), failing('c:')]
    const { name } = createClient(Who, combineConnectors(members, policy()))
    const results = await Promise.allSettled(Array.from({ length: 50 }, () => name()))
    for (const result of results) expect(result).toMatchObject({ status: 'rejected', reason: unavailable })
    // A probe and a try of its own a call at most: nobody waits for one failure after the other.
    for (const { opens } of members) expect(opens.length).toBeLessThanOrEqual(150)
  })

  test('one that accepts and never answers holds up no call for long', async () => {
    const silent = await listenSilently()
    const good = node('good')
    const http2 = await listenHttp2()
    const server = serve(Who, { name: () => 'good', names: () => [], hold: () => 'good' }, http2)
    const [address] = http2.addresses as [string]
    // The order is what failover goes by, and so its calls wait until the connector gives up; the others do not wait.
    const connectTimeoutMs = policyName === 'failover' ? 50 : 600_000
    const connectors = [connectHttp2(silent.address, { connectTimeoutMs }), connectHttp2(address), good.connector]
    const combined = combineConnectors(connectors, policy())
    const { name } = createClient(Who, combined)
    for (let n = 0; n < 10; n++) {
      const names = await Promise.all(Array.from({ length: 10 }, () => name()))
      expect(names).toEqual(Array.from({ length: 10 }, () => 'good'))
    }
    await combined.close()
    await server.close()
    await silent.close()
  })

  test('one that comes and goes costs no call, and no more opens than calls', async () => {
    const [flapping, steady] = [node('flapping'), node('steady')]
    let opens = 0
    const connector = new ScriptedConnector('flapping:', async () => {
      if (opens++ % 2 === 0) throw new RpcError('unavailable', 'down again')
      return flapping.connector.open()
    })
    const { name } = createClient(
      Who,
      combineConnectors([connector, steady.connector], policy(), { initialBackoffMs: 0.01, maxBackoffMs: 0.01 }),
    )
    for (let n = 0; n < 40; n++) {
      const names = await Promise.all(Array.from({ length: 25 }, () => name()))
      for (const each of names) expect(each).toMatch(/flapping|steady/)
    }
    expect(flapping.calls() + steady.calls()).toBe(1000)
    expect(opens).toBeLessThanOrEqual(3000)
  })

  test('an open that waits when all are closed fails for that', async () => {
    const { connector } = createMemoryTransport({ maxConcurrentStreams: 1 })
    const other = createMemoryTransport({ maxConcurrentStreams: 1 })
    const combined = combineConnectors([connector, other.connector], policy())
    await connector.open()
    await other.connector.open()
    const opening = Promise.resolve(combined.open())
    const called = createClient(Who, combined).name()
    await combined.close()
    await expect(opening).rejects.toMatchObject({ code: 'failed_precondition' })
    await expect(called).rejects.toMatchObject({ code: 'failed_precondition' })
  })

  test('one that was closed by itself is passed over', async () => {
    const [a, b] = [node('a'), node('b')]
    const { name } = createClient(Who, combineConnectors([a.connector, b.connector], policy()))
    await name()
    await a.connector.close()
    for (let n = 0; n < 10; n++) expect(await name()).toBe('b')
  })

  test('one that throws what is no RpcError is passed over', async () => {
    const bad = new ScriptedConnector('bad:', () => {
      throw new TypeError('a mistake of its maker')
    })
    const { name } = createClient(Who, combineConnectors([bad, node('b').connector], policy()))
    for (let n = 0; n < 10; n++) expect(await name()).toBe('b')
  })

  test('a call that was sent is never moved', async () => {
    const [a, b] = [node('a'), node('b')]
    const { hold, name } = createClient(Who, combineConnectors([a.connector, b.connector], policy()))
    const held = Promise.allSettled(Array.from({ length: 10 }, () => hold()))
    await name()
    const sent = a.calls() + b.calls()
    await a.stop()
    b.release()
    const outcomes = (await held).map((result) =>
      result.status === 'fulfilled' ? result.value : (result.reason as RpcError).code,
    )
    for (const outcome of outcomes) expect(['b', 'unavailable']).toContain(outcome)
    expect(a.calls() + b.calls()).toBe(sent)
  })

  test('a server never sees the channels that were opened to try it', async () => {
    const seen: Channel[] = []
    const [a, b] = [createMemoryTransport(), createMemoryTransport()]
    for (const { listener } of [a, b]) listener.onChannel((channel) => seen.push(channel))
    const combined = combineConnectors([a.connector, b.connector], policy(), { initialBackoffMs: 1, maxBackoffMs: 1 })
    await a.listener.close({ graceMs: 0 })
    const opened = await combined.open()
    a.listen().onChannel((channel) => seen.push(channel))
    for (let n = 0; n < 50; n++) {
      ;(await combined.open()).cancel(new RpcError('cancelled', 'never mind'))
      await new Promise(setImmediate)
    }
    expect(seen).toEqual([])
    await opened.send('hello')
    expect(seen).toHaveLength(1)
  })

  test('an open that was given up leaves no listener on its signal, no timer, and no channel', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const opened: Channel[] = []
    const settle: (() => void)[] = []
    const late = (address: string): ScriptedConnector =>
      new ScriptedConnector(address, () => {
        return new Promise((resolve) => {
          settle.push(() => {
            const [channel] = [createMemoryTransport().connector.open() as Channel]
            opened.push(channel)
            resolve(channel)
          })
        })
      })
    const combined = combineConnectors([late('a:'), late('b:'), late('c:')], policy())
    const controller = new AbortController()
    const opening = Array.from({ length: 5 }, () => createClient(Who, combined).name(undefined, controller))
    await vi.advanceTimersByTimeAsync(1000)
    controller.abort()
    for (const result of await Promise.allSettled(opening)) {
      expect(result).toMatchObject({ status: 'rejected', reason: expect.objectContaining({ code: 'cancelled' }) })
    }
    for (const each of settle) each()
    await vi.advanceTimersByTimeAsync(1000)
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
    expect(combined.members.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0])
    const over = await Promise.all(
      opened.map((channel) => new Promise((resolve) => channel.observe({ onClose: () => resolve(true) }))),
    )
    expect(over).toHaveLength(settle.length)
  })
})

describe('a race', () => {
  test('is run once for all calls that come meanwhile, also when nobody wins', async () => {
    const members = [failing('a:'), failing('b:')]
    const { name } = createClient(Who, combineConnectors(members, race()))
    await Promise.allSettled(Array.from({ length: 50 }, () => name()))
    expect(members.map(({ opens }) => opens.length)).toEqual([1, 1])
  })

  test('goes on without calls that are given up before the next may start', async () => {
    const silent = hanging('silent:')
    const { name } = createClient(Who, combineConnectors([silent, node('b').connector], race({ delayMs: 20 })))
    const outcomes = new Set<string>()
    for (let n = 0; n < 1000 && !outcomes.has('b'); n++) {
      outcomes.add(await name(undefined, { timeout: 1 }).catch((error: RpcError) => error.code))
    }
    expect([...outcomes]).toEqual(['deadline_exceeded', 'b'])
    expect(silent.opens.length).toBe(1)
  })

  test('that is over starts nobody else', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const last = hanging('last:')
    const down = new ScriptedConnector('down:', () => {
      throw new RpcError('unavailable', 'down')
    })
    const { name } = createClient(Who, combineConnectors([down, node('b').connector, hanging('c:'), last], race()))
    expect(await name()).toBe('b')
    expect(vi.getTimerCount()).toBe(0)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(last.opens).toEqual([])
  })

  test('gives the winner the first start once its connection is gone', async () => {
    const server = await listenHttp2()
    const [address] = server.addresses as [string]
    const handlers = { name: () => 'http2', names: () => [], hold: () => 'http2' }
    let serving = serve(Who, handlers, server)
    const loser = failing('quic:')
    const winner = connectHttp2(address)
    const combined = combineConnectors([loser, winner], race({ delayMs: 60_000 }))
    const { name } = createClient(Who, combined)
    expect(await name()).toBe('http2')
    const gone = new Promise((resolve) => winner.observeState(resolve))
    await serving.close({ graceMs: 0 })
    expect(await gone).toBe('idle')
    serving = serve(Who, handlers, await listenHttp2({ port: Number(new URL(address).port) }))
    expect(await name()).toBe('http2')
    expect(loser.opens.length).toBe(1)
    await combined.close()
    await serving.close()
  })

  test('whose winner is gone again before each call gets to it ends', async () => {
    let opens = 0
    const unsteady = new ScriptedConnector('unsteady:', () => {
      // Well for the race, and not for the call.
      if (opens++ % 2 === 0) return createMemoryTransport().connector.open()
      throw new RpcError('unavailable', 'gone again')
    })
    const { name } = createClient(Who, combineConnectors([unsteady, failing('b:')], race()))
    await expect(name()).rejects.toMatchObject({ code: 'unavailable', message: 'gone again' })
    expect(opens).toBe(6)
  })
})

describe('the circuit of a member', () => {
  test('counts one outage once, however many calls hear of it', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    const a = failing('a:')
    const combined = combineConnectors([a, node('b').connector], failover(), {
      initialBackoffMs: 100,
      maxBackoffMs: 1e9,
    })
    const { name } = createClient(Who, combined)
    await Promise.all(Array.from({ length: 64 }, () => name()))
    expect(a.opens.length).toBe(64)
    const [member] = combined.members
    expect(member).toMatchObject({ healthy: false, available: false })
    vi.advanceTimersByTime(79)
    expect(member?.available).toBe(false)
    vi.advanceTimersByTime(42)
    expect(member?.available).toBe(true)
    await name()
    await new Promise(setImmediate)
    expect(a.opens.length).toBe(65)
    expect(member).toMatchObject({ healthy: false, available: false })
    vi.advanceTimersByTime(159)
    expect(member?.available).toBe(false)
    vi.advanceTimersByTime(82)
    expect(member?.available).toBe(true)
  })
})

describe('balance', () => {
  test('takes out a member whose server cuts calls off, and none whose calls the caller has cut off', async () => {
    const [a, b] = [node('a'), node('b')]
    const combined = combineConnectors({ a: a.connector, b: b.connector }, balance('round_robin'))
    const { hold } = createClient(Who, combined)
    const controller = new AbortController()
    const given = Promise.allSettled([hold(undefined, controller), hold(undefined, controller)])
    controller.abort()
    await given
    expect(combined.members.map(({ healthy }) => healthy)).toEqual([true, true])
    const held = Promise.allSettled([hold(), hold()])
    await a.stop()
    b.release()
    await held
    expect(combined.members.map(({ healthy }) => healthy)).toEqual([false, true])
    expect(combined.members.map(({ inFlight }) => inFlight)).toEqual([0, 0])
  })
})

describe('close', () => {
  test('closes all, also where one fails to', async () => {
    const reported = vi.spyOn(console, 'error').mockImplementation(() => {})
    const [bad, good] = [hanging('bad:'), hanging('good:')]
    const error = new Error('it does not close')
    bad.close = () => Promise.reject(error)
    await combineConnectors({ bad, good }).close()
    expect(good.closed).toBe(true)
    expect(reported.mock.calls).toEqual([[expect.stringContaining('bad'), error]])
  })
})
