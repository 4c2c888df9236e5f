import { expect, test } from 'vitest'
import { failure, settled, until } from '../wait.ts'
import type { NetworkUnderTest } from './network.ts'
import { type LimitedClient, LimitedSite } from './site.ts'

const KiB = 1024
const WINDOWS = { streamWindow: 64 * KiB, receiveWindow: 64 * KiB }
// What one stream can keep at most: its windows, and the message that goes beyond them.
const MOST_OF_A_STREAM = 160 * KiB
const MESSAGE = new Uint8Array(16 * KiB)

/** A stream whose updates nobody reads, filled until its sender has to wait. */
async function unreadStream({ client }: LimitedClient) {
  const call = client.unread()
  await call.send(MESSAGE)
  await call.receive()
  // Enough for the windows, however the two share them.
  while (call.trySend(MESSAGE));
  let code: string | undefined
  void failure(call.receive()).then((error) => {
    code = error.code
  })
  return {
    call,
    get code(): string | undefined {
      return code
    },
  }
}

type Unread = Awaited<ReturnType<typeof unreadStream>>

function cutOff(streams: readonly Unread[]): Unread[] {
  return streams.filter(({ code }) => code !== undefined)
}

/** What nobody reads has a bound, whatever the number of streams and connections it is spread over. */
export function testBufferLimits(network: NetworkUnderTest): void {
  test('maxConnectionBuffer: under it unread streams stay; over it those go that keep the most, and are counted', async () => {
    const limit = 4 * MOST_OF_A_STREAM
    await using site = await LimitedSite.open(network, { ...WINDOWS, maxConnectionBuffer: limit })
    const connected = site.client()
    const streams = [await unreadStream(connected), await unreadStream(connected), await unreadStream(connected)]
    const kept = await settled(() => site.counters.bytesKept)
    expect(kept).toBeGreaterThan(3 * WINDOWS.receiveWindow)
    expect(cutOff(streams)).toEqual([])
    expect(site.counters.limits.maxConnectionBuffer).toBe(0)
    for (let n = 0; n < 12; n++) streams.push(await unreadStream(connected))
    await until(() => cutOff(streams).length > 0)

    await settled(() => site.counters.bytesKept)
    expect(site.counters.bytesKept).toBeLessThanOrEqual(limit)
    expect(new Set(cutOff(streams).map(({ code }) => code))).toEqual(new Set(['resource_exhausted']))
    expect(cutOff(streams).length).toBeLessThan(streams.length)
    expect(site.counters.limits.maxConnectionBuffer).toBe(cutOff(streams).length)
    expect(await connected.client.echo('others go on')).toBe('others go on')
    for (const { call } of streams) call.cancel()
    await until(() => site.counters.bytesKept === 0)
  })

  test('maxListenerBuffer: the same for all connections together', async () => {
    const limit = 4 * MOST_OF_A_STREAM
    await using site = await LimitedSite.open(network, { ...WINDOWS, maxListenerBuffer: limit })
    const clients = Array.from({ length: 12 }, () => site.client())
    const streams: Unread[] = []
    for (const client of clients.slice(0, 3)) streams.push(await unreadStream(client))
    await settled(() => site.counters.bytesKept)
    expect(cutOff(streams)).toEqual([])
    expect(site.counters.limits.maxListenerBuffer).toBe(0)
    for (const client of clients.slice(3)) streams.push(await unreadStream(client))
    await until(() => cutOff(streams).length > 0)

    await settled(() => site.counters.bytesKept)
    expect(site.counters.bytesKept).toBeLessThanOrEqual(limit)
    expect(new Set(cutOff(streams).map(({ code }) => code))).toEqual(new Set(['resource_exhausted']))
    expect(site.counters.limits.maxListenerBuffer).toBe(cutOff(streams).length)
    for (const { client } of clients) expect(await client.echo('all go on')).toBe('all go on')
    for (const { call } of streams) call.cancel()
    await until(() => site.counters.bytesKept === 0)
  })
}
