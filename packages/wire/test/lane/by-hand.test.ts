import { type Channel, RpcError } from '@qrpc/core'
import { describe, expect, test } from 'vitest'
import { lanePair, outcomeOf, requestOf } from './lane-pair.ts'
import { rawServer } from './raw-lane.ts'

const ENOUGH = new RpcError('aborted', 'enough')

/** A call that has reached the other side, and how each side was told of its end. */
async function running() {
  const pair = lanePair()
  const closed: unknown[] = []
  const here = pair.open()
  here.observe({ onClose: (error) => closed.push(['here', error?.code]) })
  void here.send(requestOf('request'), true)
  const there = await pair.accept()
  there.observe({ onClose: (error) => closed.push(['there', error?.code]) })
  return { ...pair, here, there, closed }
}

function thrown(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return (error as RpcError).code
  }
  return undefined
}

describe('what the caller does by hand', () => {
  const before: [string, (channel: Channel) => void, unknown][] = [
    ['end', (channel) => channel.end(), 'invalid_argument'],
    ['end with an error', (channel) => channel.end(ENOUGH), 'aborted'],
    ['reset', (channel) => channel.reset(ENOUGH), 'aborted'],
    ['stop', (channel) => channel.stop(ENOUGH), 'aborted'],
    ['cancel', (channel) => channel.cancel(ENOUGH), 'aborted'],
  ]

  test.each(before)('%s before the request ends the call, and nobody else hears of it', async (_, act, code) => {
    const { stream, open, lane } = rawServer()
    await stream.taken()
    const channel = open() as Channel
    const outcome = outcomeOf(channel.receiveOnly())
    act(channel)
    expect(await outcome).toBe(code)
    expect(lane.size).toBe(0)
    expect(thrown(() => channel.send(requestOf(1)))).toBeDefined()
    for (const [, again] of before) again(channel)
    expect(await stream.taken()).toEqual([])
    expect(lane.size).toBe(0)
  })

  const stopping: [string, (channel: Channel) => void][] = [
    ['stop', (channel) => channel.stop(ENOUGH)],
    ['cancel', (channel) => channel.cancel(ENOUGH)],
  ]

  test.each(stopping)('%s of a call that runs ends it on both sides', async (_, act) => {
    const { here, there, closed, settled } = await running()
    const outcome = outcomeOf(here.receiveOnly())
    act(here)
    expect(await outcome).toBe('aborted')
    await settled()
    expect(closed).toEqual([
      ['here', undefined],
      ['there', 'aborted'],
    ])
    expect(thrown(() => there.send('late', true))).toBe('aborted')
  })

  test('end and reset of a half that has ended do nothing', async () => {
    const { here, there, closed, settled } = await running()
    here.end()
    here.end(ENOUGH)
    here.reset(ENOUGH)
    expect(thrown(() => here.send('more'))).toBe('failed_precondition')
    void there.send('response', true)
    expect(await here.receiveOnly()).toBe('response')
    await settled()
    expect(closed).toEqual([
      ['there', undefined],
      ['here', undefined],
    ])
  })

  test.each<[string, (channel: Channel) => void]>([
    ['end with an error', (channel) => channel.end(ENOUGH)],
    ['reset', (channel) => channel.reset(ENOUGH)],
  ])('%s behind a request that was sent without its end cancels the call', async (_, act) => {
    const { open, accept, settled } = lanePair()
    const here = open()
    void here.send(requestOf('request'))
    const there = await accept()
    const closed: unknown[] = []
    there.observe({ onClose: (error) => closed.push(error?.code) })
    act(here)
    expect(await outcomeOf(here.receiveOnly())).toBe('aborted')
    await settled()
    expect(closed).toEqual(['aborted'])
  })

  test('a second request is an error of the caller, which ends the call', async () => {
    const { open, accept, settled } = lanePair()
    const here = open()
    void here.send(requestOf('request'))
    const there = await accept()
    expect(here.trySend(requestOf('another'))).toBe(true)
    expect(await outcomeOf(here.receiveOnly())).toBe('invalid_argument')
    await settled()
    expect(thrown(() => there.send('late', true))).toBe('invalid_argument')
  })

  test('a cancel when all is over sends nothing and harms nobody', async () => {
    const { stream, call, response, lane } = rawServer()
    const channel = call(1)
    stream.push(response(0, 'done'))
    await stream.taken()
    for (const [, act] of before) act(channel)
    expect(await stream.taken()).toEqual([])
    expect(lane.size).toBe(0)
  })

  test('a response that was not read is void once it is stopped', async () => {
    const { stream, call, response } = rawServer()
    const channel = call(1)
    stream.push(response(0, 'done'))
    channel.stop(ENOUGH)
    expect(await outcomeOf(channel.receiveOnly())).toBe('aborted')
  })
})

describe('what the handler does by hand', () => {
  const ends: [string, (channel: Channel) => void, unknown, [unknown, unknown]][] = [
    ['end without a response', (channel) => channel.end(), undefined, [undefined, undefined]],
    ['end with an error', (channel) => channel.end(ENOUGH), 'aborted', [undefined, undefined]],
    ['reset', (channel) => channel.reset(ENOUGH), 'aborted', [undefined, undefined]],
    ['cancel', (channel) => channel.cancel(ENOUGH), 'aborted', [undefined, 'aborted']],
    ['a response and its end', (channel) => void channel.send(5, true), 5, [undefined, undefined]],
    [
      'a response, and then its end',
      (channel) => {
        channel.trySend(5)
        channel.end()
      },
      5,
      [undefined, undefined],
    ],
    [
      'a response that is reset before its end',
      (channel) => {
        void channel.send(5)
        channel.reset(ENOUGH)
      },
      'aborted',
      [undefined, undefined],
    ],
    [
      'two responses',
      (channel) => {
        void channel.send(5)
        void channel.send(6)
      },
      'internal',
      [undefined, undefined],
    ],
  ]

  test.each(ends)('%s', async (_, act, outcome, [closedThere, closedHere]) => {
    const { here, there, closed, settled } = await running()
    const received = outcomeOf(here.receive())
    act(there)
    expect(await received).toBe(outcome)
    expect(closed).toEqual([
      ['there', closedThere],
      ['here', closedHere],
    ])
    expect(thrown(() => there.send('more', true))).toBe('failed_precondition')
    for (const [, again] of ends.slice(0, 4)) again(there)
    await settled()
    expect(closed).toHaveLength(2)
  })

  test('stop drops the request that was not read, and the response may follow', async () => {
    const { here, there, settled } = await running()
    there.stop(ENOUGH)
    expect(await outcomeOf((async () => there.receive())())).toBe('aborted')
    void there.send('all the same', true)
    expect(await here.receive()).toBe('all the same')
    await settled()
  })
})

test('what comes with the request and the response can be iterated over', async () => {
  const { here, there, settled } = await running()
  const requests: unknown[] = []
  for await (const message of there) requests.push(message)
  expect(requests).toMatchObject([{ method: 'a/b', message: 'request' }])
  void there.send('response', true)
  await here.started()
  const responses: unknown[] = []
  for await (const message of here) responses.push(message)
  expect(responses).toEqual(['response'])
  expect(here.ended).toBe(true)
  await settled()
})
