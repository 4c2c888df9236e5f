import { type Context, createClient, notify, RpcError, serve, service, type, unary } from '@qrpc/core'
import { expect, test } from 'vitest'
import { type LanePairOptions, lanePair, outcomeOf, turn } from './lane-pair.ts'

const Things = service('things', {
  echo: unary<unknown, unknown>(),
  /** Answers once it is cancelled. */
  wait: unary<unknown, unknown>(),
  fail: unary({ request: type<number>(), response: type<void>(), errors: { NotFound: type<{ key: string }>() } }),
  tell: notify<unknown>(),
})

/** Calls over a lane, and what their handlers have seen. */
function calls(options: LanePairOptions = {}) {
  const pair = lanePair(options)
  const errors: unknown[] = []
  const notes: unknown[] = []
  const aborted: unknown[] = []
  const contexts: Context[] = []
  serve(
    Things,
    {
      echo(request, context) {
        contexts.push(context)
        return request
      },
      wait: (_, { signal }) =>
        new Promise((resolve) => {
          const onAbort = (): void => {
            aborted.push((signal.reason as RpcError).code)
            resolve(undefined)
          }
          if (signal.aborted) onAbort()
          else signal.addEventListener('abort', onAbort)
        }),
      fail(n) {
        if (n === 0) throw new Error('a secret')
        if (n === 1) throw new RpcError('failed_precondition', 'not now', { data: { why: ['a', 'b'] } })
        throw Things.fail.error('NotFound', { key: 'k' })
      },
      async tell(message) {
        notes.push(message)
      },
    },
    pair.listener,
    { onError: (error) => errors.push((error as Error).message) },
  )
  return { ...pair, client: createClient(Things, pair.connector), errors, notes, aborted, contexts }
}

test('errors come with what they have: code, text, name and data', async () => {
  const { client, errors, settled } = calls()
  await expect(client.fail(0)).rejects.toMatchObject({
    code: 'internal',
    message: expect.not.stringContaining('secret'),
  })
  await expect(client.fail(1)).rejects.toMatchObject({
    code: 'failed_precondition',
    message: 'not now',
    data: { why: ['a', 'b'] },
  })
  const error = await client.fail(2).catch((reason: unknown) => reason)
  expect(Things.fail.isError(error, 'NotFound') && error.data).toEqual({ key: 'k' })
  expect(errors).toEqual(['a secret'])
  await settled()
})

test('metadata and deadlines reach the handler', async () => {
  const { client, contexts } = calls()
  await client.echo(1, { metadata: { Key: ['a', 'b'], 'trace-bin': Uint8Array.of(1) }, timeout: 60_000 })
  await client.echo(2)
  const [withAll, plain] = contexts
  expect(withAll?.metadata.getAll('key')).toEqual(['a', 'b'])
  expect(withAll?.metadata.get('trace-bin')).toEqual(Uint8Array.of(1))
  expect(withAll?.deadline).toBeDefined()
  expect(plain?.deadline).toBeUndefined()
  expect(plain?.method).toBe('things/echo')
})

test('a deadline ends a call on both sides, with a response under way or none, and other calls go on', async () => {
  const { client, aborted, settled } = calls()
  const slow = outcomeOf(client.wait(1, { timeout: 100 }))
  expect(await client.echo('beside')).toBe('beside')
  expect(await slow).toBe('deadline_exceeded')
  await settled()
  expect(aborted).toEqual(['deadline_exceeded'])
})

test('notify settles once it is handed over, and its place is free when its handler is done', async () => {
  const { client, notes, settled, lane } = calls({ maxCalls: 1 })
  for (let n = 0; n < 5; n++) await client.tell(n)
  await client.tell(new Uint8Array(100_000))
  await settled()
  expect(notes).toHaveLength(6)
  expect(notes.slice(0, 5)).toEqual([0, 1, 2, 3, 4])
  expect(lane.size).toBe(0)
})

test('a call that is aborted while it waits in line is never sent; the others come in their order', async () => {
  const { client, contexts, aborted, settled } = calls({ maxCalls: 2 })
  const controllers = Array.from({ length: 2 }, () => new AbortController())
  const running = controllers.map(({ signal }) => outcomeOf(client.wait(1, { signal })))
  const given = new AbortController()
  const waiting = [
    client.echo('first'),
    outcomeOf(client.echo('given up', { signal: given.signal })),
    client.echo('second'),
  ]
  await turn()
  given.abort()
  expect(await waiting[1]).toBe('cancelled')
  expect(contexts).toEqual([])
  for (const controller of controllers) controller.abort()
  expect(await Promise.all(running)).toEqual(['cancelled', 'cancelled'])
  expect(await Promise.all([waiting[0], waiting[2]])).toEqual(['first', 'second'])
  expect(aborted).toEqual(['cancelled', 'cancelled'])
  await settled()
  expect(contexts).toHaveLength(2)
})

test('a message that does not travel fails its call where it is sent, and no other', async () => {
  const { client, settled } = calls()
  const [request, response] = [outcomeOf(client.echo(() => {})), outcomeOf(client.echo('fine'))]
  expect([await request, await response]).toEqual(['invalid_argument', 'fine'])
  await settled()
})

test('a lane that is closed from both sides ends without an error to anyone', async () => {
  const { client, lane, table, told } = calls()
  expect(await client.echo('last')).toBe('last')
  expect(table.goAway()).toBe(true)
  while (!told.includes('going away')) await turn()
  expect(await client.echo('all the same')).toBe('all the same')
  lane.end()
  await table.drain(60_000)
  while (!told.includes('gone')) await turn()
  expect(told).toEqual(['going away', 'gone'])
})
