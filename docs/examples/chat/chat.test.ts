import { type BidiStreamingCall, createClient, type Server, serve } from '@qrpc/core'
import { expect, test } from 'vitest'
import { type Open, TRANSPORTS } from '../transports.ts'
import { Chat, type Event } from './contract.ts'
import type { RoomLimits } from './room.ts'
import { chatHandlers } from './server.ts'

/** A server, and a connection for each client, as they have when they are apart. */
async function start(open: Open, limits?: RoomLimits) {
  const handlers = chatHandlers(limits)
  const servers: Server[] = []
  const connect = await open((listener) => servers.push(serve(Chat, handlers, listener)))
  const clients: AsyncDisposable[] = []
  return {
    client() {
      const client = createClient(Chat, connect())
      clients.push(client)
      return client
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()))
      await Promise.all(servers.map((server) => server.close({ graceMs: 0 })))
    },
  }
}

/** Reads on to what somebody says. */
async function nextSaid(call: BidiStreamingCall<string, Event>): Promise<string | undefined> {
  for (;;) {
    const event = await call.receive()
    if (event === undefined) return undefined
    if (event.kind === 'said') return `${event.name}: ${event.text}`
  }
}

test.each(TRANSPORTS)('who joins hears what is said, and who leaves is seen to, over $transport', async ({ open }) => {
  await using bed = await start(open)
  const ada = bed.client().join({ room: 'engines', name: 'Ada' })
  expect(await ada.receive()).toEqual({ kind: 'joined', name: 'Ada' })
  const grace = bed.client().join({ room: 'engines', name: 'Grace' })
  expect(await grace.receive()).toEqual({ kind: 'joined', name: 'Grace' })
  expect(await ada.receive()).toEqual({ kind: 'joined', name: 'Grace' })
  await grace.send('hello')
  expect(await ada.receive()).toEqual({ kind: 'said', name: 'Grace', text: 'hello' })
  expect(await grace.receive()).toEqual({ kind: 'said', name: 'Grace', text: 'hello' })

  grace.end()
  expect(await grace.receive()).toBeUndefined()
  expect(await ada.receive()).toEqual({ kind: 'left', name: 'Grace' })
})

test.each(TRANSPORTS)(
  'who cancels has left, and so has whose connection is lost, over $transport',
  async ({ open }) => {
    await using bed = await start(open)
    const ada = bed.client().join({ room: 'engines', name: 'Ada' })
    expect(await ada.receive()).toEqual({ kind: 'joined', name: 'Ada' })
    for (const leave of ['cancel', 'disconnect'] as const) {
      const connection = bed.client()
      const grace = connection.join({ room: 'engines', name: 'Grace' })
      expect(await ada.receive()).toEqual({ kind: 'joined', name: 'Grace' })
      if (leave === 'cancel') grace.cancel()
      else await connection[Symbol.asyncDispose]()
      expect(await ada.receive()).toEqual({ kind: 'left', name: 'Grace' })
    }
  },
)

test.each(TRANSPORTS)('rooms are apart, and go with their last member, over $transport', async ({ open }) => {
  await using bed = await start(open)
  const chat = bed.client()
  const [one, other] = [chat.join({ room: 'one', name: 'Ada' }), chat.join({ room: 'other', name: 'Ada' })]
  await Promise.all([one.started, other.started])
  await one.send('in one')
  await other.send('in the other')
  expect(await nextSaid(other)).toBe('Ada: in the other')
  expect(await nextSaid(one)).toBe('Ada: in one')
  one.end()
  expect(await one.receive()).toBeUndefined()
  const rooms: unknown[] = []
  for await (const room of chat.rooms()) rooms.push(room)
  expect(rooms).toEqual([{ room: 'other', members: ['Ada'] }])
})

test.each(TRANSPORTS)(
  'what is refused: a name that is taken, a full room, an empty text, over $transport',
  async ({ open }) => {
    await using bed = await start(open, { members: 2 })
    const chat = bed.client()
    const join = (name: string) => chat.join({ room: 'engines', name })
    const ada = join('Ada')
    await ada.started
    await expect(join('Ada').started).rejects.toMatchObject({ name: 'NameTaken', data: { name: 'Ada' } })
    const grace = join('Grace')
    await grace.started
    await expect(join('Mary').started).rejects.toMatchObject({ name: 'Full', data: { most: 2 } })
    await grace.send('')
    await expect(nextSaid(grace)).rejects.toMatchObject({ code: 'invalid_argument' })
  },
)

test.each(TRANSPORTS)('a burst reaches all who read, whole and in order, over $transport', async ({ open }) => {
  await using bed = await start(open, { behind: 10, patienceMs: 60_000 })
  const calls = ['Ada', 'Grace', 'Mary'].map((name) => bed.client().join({ room: 'engines', name }))
  for (const call of calls) await call.started
  const said = Array.from({ length: 2000 }, (_, i) => `${i} ${'x'.repeat(200)}`)
  const [speaker] = calls
  const heard = calls.map(async (call) => {
    const texts: unknown[] = []
    while (texts.length < said.length) texts.push(await nextSaid(call))
    expect(texts).toEqual(said.map((text) => `Ada: ${text}`))
  })
  for (const text of said) await speaker?.send(text)
  await Promise.all(heard)
})

test.each(TRANSPORTS)('one who does not read is put out, and the others go on, over $transport', async ({ open }) => {
  await using bed = await start(open, { behind: 10, patienceMs: 100 })
  const [ada, grace, slow] = ['Ada', 'Grace', 'Slow'].map((name) => bed.client().join({ room: 'engines', name }))
  if (ada === undefined || grace === undefined || slow === undefined) throw new Error('three have joined')
  for (const call of [ada, grace, slow]) await call.started
  let said = 0
  // Until then it is in windows and queues, which are bounded.
  for (let put = false; !put; said++) {
    expect(said).toBeLessThan(1000)
    await ada.send('x'.repeat(2000))
    for (let heard = false; !heard; ) {
      const event = await grace.receive()
      heard = event?.kind === 'said'
      put ||= event?.kind === 'left' && event.name === 'Slow'
    }
    await nextSaid(ada)
  }
  let received = 0
  await expect(
    (async () => {
      while ((await nextSaid(slow)) !== undefined) received++
    })(),
  ).rejects.toMatchObject({ name: 'TooSlow', code: 'aborted', data: { behind: 10 } })
  expect(received).toBeGreaterThan(0)
  expect(received).toBeLessThan(said)
})
