import { type Channel, RpcError } from '@qrpc/core'
import { expect } from 'vitest'
import type { CaseBed } from '../bed.ts'
import type { ConformanceCase } from '../case.ts'
import { all, expectStatus, failure, filled, numbers, settled, signal, thrown, until } from '../wait.ts'

/** The channel layer by itself, without the typed layer on top: what library authors build on. */
export const channels: readonly ConformanceCase[] = [
  {
    name: 'messages go both ways, and each half ends by itself (BasicIO, PingPong)',
    async run(bed) {
      const [client, server] = await pair(bed)
      await server.send('hello')
      expect(await client.receive()).toBe('hello')
      await client.send('how are you', true)
      expect(await server.receive()).toBe('how are you')
      expect(await server.receive()).toBeUndefined()
      expect(server.ended).toBe(true)
      await server.send('fine')
      server.end()
      expect(await all(client)).toEqual(['fine'])
    },
  },
  {
    name: 'undefined as a message is told from the end',
    async run(bed) {
      const [client, server] = await pair(bed)
      await client.send(undefined, true)
      expect(await server.receive()).toBeUndefined()
      expect(server.ended).toBe(false)
      expect(await server.receive()).toBeUndefined()
      expect(server.ended).toBe(true)
      server.end()
    },
  },
  {
    name: 'end(error) arrives after the messages before it, and again at each receive',
    async run(bed) {
      const [client, server] = await pair(bed)
      await server.send(1)
      server.end(new RpcError('out_of_range', 'far'))
      expect(await client.receive()).toBe(1)
      expectStatus(await thrown(() => client.receive()), 'out_of_range', 'far')
      expectStatus(await thrown(() => client.receive()), 'out_of_range', 'far')
      client.end()
    },
  },
  {
    name: 'end(error) overtakes nothing, however much waits to be read',
    async run(bed) {
      const [client, server] = await pair(bed)
      for (const n of numbers(3)) await server.send(n)
      server.end(new RpcError('out_of_range', 'far'))
      await settled(() => 0)
      for (const n of numbers(3)) expect(await client.receive()).toBe(n)
      expectStatus(await thrown(() => client.receive()), 'out_of_range')
      client.end()
    },
  },
  {
    name: 'each side knows its peer, and both ends their addresses',
    async run(bed) {
      const [client, server] = await pair(bed)
      for (const { peer } of [client, server]) {
        expect(peer.transport).not.toBe('')
        expect(peer.address).not.toBe('')
      }
      expect(client.peer.transport).toBe(server.peer.transport)
      expect(bed.bed.connector.address).not.toBe('')
      expect(bed.bed.listener.addresses.length).toBeGreaterThan(0)
      client.end()
      server.end()
    },
  },
  {
    name: 'reset tells the peer why and ends that half alone',
    async run(bed) {
      const [client, server] = await pair(bed)
      client.reset(new RpcError('aborted', 'no more of this'))
      expectStatus(await thrown(() => server.receive()), 'aborted')
      expectStatus(await thrown(() => client.send(1)), 'failed_precondition')
      await server.send('still here')
      server.end()
      expect(await client.receive()).toBe('still here')
    },
  },
  {
    name: 'stop ends the peer’s sending, and the other half goes on',
    async run(bed) {
      const [client, server] = await pair(bed)
      client.stop(new RpcError('cancelled', 'heard enough'))
      await stopped(server)
      await client.send('more')
      client.end()
      expect(await all(server)).toEqual(['more'])
    },
  },
  {
    name: 'stop wakes a sender that waits for room',
    async run(bed) {
      const [client, server] = await pair(bed)
      // Long enough to fill a window in bytes soon.
      const message = 'x'.repeat(1024)
      const { sending } = await filled(() => server.send(message))
      client.stop(new RpcError('cancelled', 'heard enough'))
      expectStatus(await failure(sending), 'cancelled')
      client.end()
    },
  },
  {
    name: 'nothing can be sent after end, reset, or the peer’s stop, nor tried',
    async run(bed) {
      const broken = new RpcError('aborted', 'broken')
      const ways: ((own: Channel, peer: Channel) => unknown)[] = [
        (own) => own.end(),
        (own) => own.reset(broken),
        (own) => own.cancel(broken),
        async (own, peer) => {
          peer.stop(new RpcError('cancelled', 'heard enough'))
          await stopped(own)
        },
      ]
      for (const way of ways) {
        const [client, server] = await pair(bed)
        await way(server, client)
        await failure((async () => server.send(1))())
        await failure((async () => server.trySend(1))())
        client.cancel(broken)
        server.cancel(broken)
      }
    },
  },
  {
    name: 'observers from the start are told of a clean end, once, without an error',
    async run(bed) {
      const [client, server] = await pair(bed)
      const closed: unknown[] = []
      client.observe({ onClose: (error) => closed.push(['client', error]) })
      server.observe({ onClose: (error) => closed.push(['server', error]) })
      await server.send('answer', true)
      server.stop(new RpcError('cancelled', 'heard enough'))
      expect(await client.receiveOnly()).toBe('answer')
      client.end()
      await until(() => closed.length >= 2)
      await settled(() => closed.length)
      expect(closed.length).toBe(2)
      expect(new Set(closed)).toEqual(
        new Set([
          ['server', undefined],
          ['client', undefined],
        ]),
      )
    },
  },
  {
    name: 'cancel cuts off both halves, on both sides, and observers learn of it once',
    async run(bed) {
      const [client, server] = await pair(bed)
      const closed: (RpcError | undefined)[] = []
      server.observe({ onClose: (error) => closed.push(error) })
      const receiving = failure(server.receive())
      client.cancel(new RpcError('cancelled', 'enough'))
      expectStatus(await receiving, 'cancelled', 'enough')
      await stopped(server)
      await until(() => closed.length > 0)
      await settled(() => closed.length)
      expect(closed.map((error) => error?.code)).toEqual(['cancelled'])
      expectStatus(await thrown(() => client.receive()), 'cancelled')
    },
  },
  {
    name: 'cancel after the own half has ended still takes back what the peer has not read',
    async run(bed) {
      const [client, server] = await pair(bed)
      await client.send(1)
      client.end()
      client.cancel(new RpcError('cancelled', 'enough'))
      const closed = signal<RpcError | undefined>()
      server.observe({ onClose: (error) => closed.resolve(error) })
      expect((await closed.promise)?.code).toBe('cancelled')
      expectStatus(await thrown(() => all(server)), 'cancelled')
    },
  },
  {
    name: 'an observer that comes when both halves have ended is told at once, without an error',
    async run(bed) {
      const [client, server] = await pair(bed)
      client.end()
      server.end()
      expect(await all(client)).toEqual([])
      expect(await all(server)).toEqual([])
      const closed: unknown[] = []
      client.observe({ onClose: (error) => closed.push(error) })
      server.observe({ onClose: (error) => closed.push(error) })
      await until(() => closed.length >= 2)
      await settled(() => closed.length)
      expect(closed).toEqual([undefined, undefined])
    },
  },
  {
    name: 'receiveOnly: the one message; too few is unavailable, too many internal (cardinality)',
    async run(bed) {
      const answer = async (...messages: unknown[]): Promise<unknown> => {
        const [client, server] = await pair(bed)
        client.end()
        for (const message of messages) await server.send(message)
        server.end()
        return client.receiveOnly()
      }
      expect(await answer('one')).toBe('one')
      expect(await answer(undefined)).toBeUndefined()
      expectStatus(await failure(answer()), 'unavailable')
      expectStatus(await failure(answer(1, 2)), 'internal')
    },
  },
  {
    name: 'a unary call whose client sends a second request is invalid_argument, and its handler is stopped (cardinality)',
    async run(bed) {
      bed.serve({ call: () => new Promise<number>(() => {}) })
      const channel = await bed.bed.connector.open({ method: 'kit/call', pattern: 'unary' })
      await channel.send({ method: 'kit/call', metadata: undefined, timeout: undefined, message: 1 })
      await channel.send(2)
      expectStatus(await failure(channel.receiveOnly()), 'invalid_argument')
      channel.end()
    },
  },
  {
    name: 'a channel that opens with something else than a request is refused with invalid_argument, others go on',
    async run(bed) {
      bed.serve({ call: async (n) => n })
      for (const bad of [
        1,
        'kit/call',
        {},
        { method: 5 },
        { method: 'kit/call', timeout: -1 },
        { method: 'kit/call', metadata: [1] },
      ]) {
        const channel = await bed.bed.connector.open({ method: 'kit/call' })
        await channel.send(bad, true)
        expectStatus(await failure(channel.receiveOnly()), 'invalid_argument')
      }
      const channel = await bed.bed.connector.open({ method: 'kit/call' })
      channel.end()
      expectStatus(await failure(channel.receiveOnly()), 'invalid_argument')
      expect(await bed.client.call(1)).toBe(1)
      expect(bed.reported.length).toBe(7)
    },
  },
  {
    name: 'a receive while another waits is a failed_precondition, and the first goes on (ConcurrentMethods)',
    async run(bed) {
      const [client, server] = await pair(bed)
      const first = server.receive()
      expectStatus(await thrown(() => server.receive()), 'failed_precondition')
      await client.send(1, true)
      expect(await first).toBe(1)
      server.end()
    },
  },
  {
    name: 'concurrent senders lose nothing (RacyWrite)',
    async run(bed) {
      const [client, server] = await pair(bed)
      const send = async (from: number): Promise<void> => {
        for (const n of numbers(500)) await client.send(from + n)
      }
      const sending = Promise.all([send(0), send(1000), send(2000)]).then(() => client.end())
      const got = (await all(server)) as number[]
      await sending
      expect(got.length).toBe(1500)
      for (const from of [0, 1000, 2000]) {
        expect(got.filter((n) => n >= from && n < from + 1000)).toEqual([...numbers(500)].map((n) => from + n))
      }
      server.end()
    },
  },
  {
    name: '50 streams of 200 messages each, at once (stress)',
    async run(bed) {
      bed.serve({ talk: (_, updates) => updates })
      const talk = async (): Promise<number> => {
        let count = 0
        for await (const n of bed.client.talk(0, numbers(200))) if (n === count) count++
        return count
      }
      expect(await Promise.all([...numbers(50)].map(talk))).toEqual(Array(50).fill(200))
    },
  },
]

/** Both ends of one channel, with its first message taken. */
async function pair(bed: CaseBed): Promise<[client: Channel, server: Channel]> {
  const client = await bed.bed.connector.open()
  const accepting = bed.bed.listener.accept()
  await client.send('first')
  const server = (await accepting) as Channel
  expect(await server.receive()).toBe('first')
  return [client, server]
}

/** Sends until it fails as the peer's stop demands. */
async function stopped(channel: Channel): Promise<void> {
  const sending = async (): Promise<void> => {
    for (;;) {
      await channel.send('x')
      await new Promise(setImmediate)
    }
  }
  expectStatus(await failure(sending()), 'cancelled')
}
