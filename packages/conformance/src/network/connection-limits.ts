import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { expect, test } from 'vitest'
import { failure, settled, until } from '../wait.ts'
import type { NetworkUnderTest } from './network.ts'
import { LimitedSite } from './site.ts'

/** How many connections and streams there may be, and what an operator hears of them. */
export function testConnectionLimits(network: NetworkUnderTest, lanes: boolean): void {
  test('maxConnections: as many get in, the next one does not and is counted, and a place that is left is taken', async () => {
    await using site = await LimitedSite.open(network, { maxConnections: 2, lanes })
    const first = site.client({ lanes })
    const second = site.client({ lanes })
    expect(await Promise.all([first.client.echo(1), second.client.echo(2)])).toEqual([1, 2])
    expect(site.counters.limits.maxConnections).toBe(0)
    const third = site.client({ lanes, connectTimeoutMs: 500 })
    expect((await failure(third.client.echo(3))).code).toBe('unavailable')
    expect(site.counters.limits.maxConnections).toBeGreaterThan(0)
    expect(third.connector.counters).toMatchObject({ connectionsMade: 0, connectionsFailed: 1 })
    await first.connector.close()
    await until(() => site.counters.connections === 1)
    expect(await site.client({ lanes }).client.echo(4)).toBe(4)
    expect(await second.client.echo(5)).toBe(5)
  })

  test('maxConcurrentStreams: as many calls run, and the next one waits in line', async () => {
    await using site = await LimitedSite.open(network, { maxConcurrentStreams: 3, lanes })
    const { client } = site.client({ lanes })
    const running = [client.unread(), client.unread(), client.unread()]
    for (const call of running) await call.send(Uint8Array.of(1))
    for (const call of running) expect(await call.receive()).toEqual(Uint8Array.of(1))
    const waiting = client.unread()
    let answered = 0
    void waiting.send(Uint8Array.of(2))
    const answer = (async () => {
      const response = await waiting.receive()
      answered++
      return response
    })()
    expect(await settled(() => answered)).toBe(0)
    running[0]?.cancel()
    expect(await answer).toEqual(Uint8Array.of(2))
    for (const call of [...running, waiting]) call.cancel()
    expect(site.counters.limits.maxConcurrentStreams).toBe(0)
  })

  test('channels of node:diagnostics_channel tell of connections and limits, on both sides', async () => {
    const told: [string, Record<string, unknown>][] = []
    const listeners = ['qrpc:connection:open', 'qrpc:connection:close', 'qrpc:limit'].map((name) => {
      const listen = (event: unknown): void => void told.push([name, event as Record<string, unknown>])
      subscribe(name, listen)
      return () => unsubscribe(name, listen)
    })
    await using site = await LimitedSite.open(network, { maxMessageSize: 4096, lanes })
    const { client, connector } = site.client({ lanes })
    const error = await failure(client.echo(new Uint8Array(5000)))
    expect(error.code).toBe('resource_exhausted')
    await connector.close()
    await until(() => told.filter(([name]) => name === 'qrpc:connection:close').length === 2)
    for (const stop of listeners) stop()
    const of = (name: string, side: string) => told.filter(([on, event]) => on === name && event.side === side)
    for (const side of ['client', 'server']) {
      const [[, opened] = [], ...moreOpened] = of('qrpc:connection:open', side)
      const [[, closed] = [], ...moreClosed] = of('qrpc:connection:close', side)
      expect([moreOpened, moreClosed]).toEqual([[], []])
      expect(opened?.peer).toMatchObject({ transport: expect.any(String), address: expect.any(String) })
      expect(closed).toMatchObject({ side, peer: opened?.peer, error: { code: expect.any(String) } })
      expect(closed?.durationMs).toBeGreaterThan(0)
      expect(closed?.bytesSent).toBeGreaterThan(0)
      expect(closed?.bytesReceived).toBeGreaterThan(0)
    }
    expect(of('qrpc:limit', 'client')).toEqual([])
    expect(of('qrpc:limit', 'server')).toMatchObject([[expect.any(String), { limit: 'maxMessageSize' }]])
  })

  test('connections and bytes are counted alike on both sides, and connections are given back', async () => {
    await using site = await LimitedSite.open(network, { lanes })
    const { client, connector } = site.client({ lanes })
    expect(connector.counters).toMatchObject({ connections: 0, connectionsMade: 0, bytesSent: 0, bytesReceived: 0 })
    await client.echo(new Uint8Array(100_000))
    expect(await client.bytes(50_000)).toHaveLength(50_000)
    expect(site.counters).toMatchObject({ connections: 1, connectionsMade: 1, connectionsFailed: 0, bytesKept: 0 })
    expect(connector.counters).toMatchObject({ connections: 1, connectionsMade: 1, connectionsFailed: 0, bytesKept: 0 })
    await until(() => site.counters.bytesReceived === connector.counters.bytesSent)
    expect(site.counters.bytesSent).toBe(connector.counters.bytesReceived)
    expect(connector.counters.bytesSent).toBeGreaterThan(100_000)
    expect(connector.counters.bytesSent).toBeLessThan(101_000)
    expect(connector.counters.bytesReceived).toBeGreaterThan(150_000)
    expect(connector.counters.bytesReceived).toBeLessThan(151_000)
    await connector.close()
    await until(() => site.counters.connections === 0)
    expect(connector.counters).toMatchObject({ connections: 0, connectionsMade: 1 })
    expect(Object.values(site.counters.limits).every((count) => count === 0)).toBe(true)
  })
}
