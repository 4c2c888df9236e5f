import { RpcError } from '@qrpc/core'
import { describe, expect, test } from 'vitest'
import { lanePair, outcomeOf, requestOf, turns } from './lane-pair.ts'
import { rawServer, signal } from './raw-lane.ts'

const LOST = new RpcError('unavailable', 'the cable was cut')
const SIZES = [10, 20_000, 300_000]

/**
 * Three calls one behind the other on a lane of one place, the stream of which is lost after some turns: how they end here
 * and there.
 */
async function lostAfter(count: number, lose: (pair: ReturnType<typeof lanePair>) => void) {
  const pair = lanePair({ maxCalls: 1, window: 4096, chunkSize: 1000 })
  const { lane, table, listener, told } = pair
  const there: unknown[] = []
  const calls = SIZES.map(async (size) => {
    const channel = await lane.open({ pattern: 'unary' })
    void channel.send(requestOf(new Uint8Array(size)), true)
    return (await channel.receiveOnly()) as Uint8Array
  })
  listener.onChannel((channel) => {
    channel.observe({ onClose: (error) => there.push(error?.code) })
    const { message } = channel.receive() as { message: Uint8Array }
    void turns(2).then(() => outcomeOf(Promise.resolve().then(() => channel.send(message, true))))
  })
  const outcomes = Promise.all(
    calls.map(async (call) => {
      const outcome = await outcomeOf(call)
      return outcome instanceof Uint8Array ? outcome.length : outcome
    }),
  )
  await turns(count)
  lose(pair)
  const here = await outcomes
  // The handlers are done, too.
  await turns(4)
  return { here, there, told, sizes: [lane.size, table.size, lane.unsent] }
}

describe('a stream that is lost at any time settles each call once, and leaves nothing', () => {
  test.each<[string, (pair: ReturnType<typeof lanePair>) => void]>([
    ['on both sides at once', ({ here, there }) => [here, there].map((stream) => stream.close(LOST))],
    ['by a reset of the client', ({ here }) => here.reset(LOST)],
    ['by a reset of the server', ({ there }) => there.reset(LOST)],
  ])('%s', async (_, lose) => {
    let answered = 0
    for (let count = 0; answered < SIZES.length; count++) {
      const { here, there, told, sizes } = await lostAfter(count, lose)
      answered = here.filter((outcome) => typeof outcome === 'number').length
      expect([count, here]).toEqual([count, SIZES.map((size, n) => (n < answered ? size : 'unavailable'))])
      expect(there.filter((code) => code !== undefined && code !== 'unavailable')).toEqual([])
      expect(there.length).toBeGreaterThanOrEqual(answered)
      expect(there.length).toBeLessThanOrEqual(Math.min(answered + 1, SIZES.length))
      expect(told).toEqual(['gone'])
      expect(sizes).toEqual([0, 0, 0])
    }
  })
})

describe('a client that cuts off all its calls', () => {
  const here = new RpcError('cancelled', 'closed')
  const there = new RpcError('cancelled', 'the client has closed')

  test('tells the server of those that it knows, once each, and waits for its answers', async () => {
    const { lane, stream, call, open, format, response } = rawServer()
    const outcomes = [call(1), call(2), call(3)].map((channel) => outcomeOf(channel.receiveOnly()))
    const unsent = open()
    const alone = outcomeOf((await unsent).receiveOnly())
    const given = call(4)
    await stream.taken()
    stream.push(response(0, 'in time'))
    given.cancel(new RpcError('cancelled', 'before'))
    await stream.taken()
    lane.sever(here, there)
    lane.sever(here, there)
    expect(await Promise.all(outcomes)).toEqual(['in time', 'cancelled', 'cancelled'])
    expect(await alone).toBe('cancelled')
    expect(await stream.taken()).toMatchObject(
      [1, 2].map((number) => ({ call: number, control: { kind: 'cancel', error: { message: there.message } } })),
    )
    expect(lane.idle).toBe(false)
    for (const number of [1, 2, 3]) stream.push(signal(format, number, 'cancel'))
    expect([lane.idle, lane.size]).toEqual([true, 0])
  })

  test('sends no further pieces of their requests', async () => {
    const { lane, stream, call } = rawServer()
    stream.full = true
    const outcome = outcomeOf(call(new Uint8Array(1_000_000)).receiveOnly())
    await stream.taken()
    lane.sever(here, there)
    expect(await outcome).toBe('cancelled')
    stream.drain()
    expect(await stream.taken()).toMatchObject([{ call: 0, control: { kind: 'cancel' } }])
    expect(lane.unsent).toBe(0)
  })

  test('with opens that wait refuses these', async () => {
    const { lane, call, open } = rawServer(1)
    const outcome = outcomeOf(call(1).receiveOnly())
    const waiting = outcomeOf(open())
    lane.refuse(here)
    expect(await waiting).toBe('cancelled')
    lane.sever(here, there)
    expect(await outcome).toBe('cancelled')
  })
})
