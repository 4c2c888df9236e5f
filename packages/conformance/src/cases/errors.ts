import {
  type Channel,
  createClient,
  RpcError,
  type RpcError as RpcErrorType,
  service,
  unary,
  type ValidationIssues,
} from '@qrpc/core'
import { expect } from 'vitest'
import type { ConformanceCase } from '../case.ts'
import { Kit } from '../contract.ts'
import { all, expectStatus, failure, settled, signal, thrown } from '../wait.ts'

/** What happens, and who sees what of it. */
export const errors: readonly ConformanceCase[] = [
  {
    name: 'an RpcError reaches the client with code, message and data, and nothing else (status_code_and_message)',
    async run(bed) {
      const original = new RpcError('resource_exhausted', 'no more', { data: { left: 0 }, cause: new Error('secret') })
      bed.serve({
        call: () => {
          throw original
        },
      })
      const error = await failure(bed.client.call(1))
      expectStatus(error, 'resource_exhausted', /^no more$/)
      expect(error.data).toEqual({ left: 0 })
      expect(error.cause).toBeUndefined()
      expect(error).not.toBe(original)
      expect(bed.reported).toEqual([])
    },
  },
  {
    name: 'a message may hold any text (special_status_message)',
    async run(bed) {
      const text = '\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n'
      bed.serve({
        call: async () => {
          throw new RpcError('unknown', text)
        },
      })
      expect((await failure(bed.client.call(1))).message).toBe(text)
    },
  },
  {
    name: 'a declared error arrives by name, with its data and its code',
    async run(bed) {
      bed.serve({
        declared: async (key) => {
          if (key === 'full') throw Kit.declared.error('Full', { limit: 3 })
          throw Kit.declared.error('NotFound', { key })
        },
      })
      const error: RpcErrorType = await failure(bed.client.declared('k'))
      expectStatus(error, 'not_found')
      expect(Kit.declared.isError(error, 'NotFound') && error.data.key).toBe('k')
      expect(Kit.declared.isError(error, 'Full')).toBe(false)
      const full = await failure(bed.client.declared('full'))
      expectStatus(full, 'resource_exhausted')
      expect(Kit.declared.isError(full, 'Full') && full.data.limit).toBe(3)
    },
  },
  {
    name: 'name and data of an error arrive from streams, too, after all that was sent before it',
    async run(bed) {
      const fail = (): RpcErrorType => new RpcError('data_loss', 'torn', { name: 'Torn', data: { at: [2] } })
      bed.serve({
        async *produce() {
          yield 1
          yield 2
          throw fail()
        },
        async *talk(_, updates) {
          for await (const n of updates) {
            yield n
            throw fail()
          }
        },
        collect: async () => {
          throw fail()
        },
      })
      const produce = bed.client.produce(0)
      await settled(() => 0)
      expect([await produce.receive(), await produce.receive()]).toEqual([1, 2])
      const talk = bed.client.talk(0)
      await talk.send(7)
      expect(await talk.receive()).toBe(7)
      const outcomes = [() => produce.receive(), () => talk.receive(), () => bed.client.collect(0).finish()]
      for (const outcome of outcomes) {
        expect(await thrown(outcome)).toMatchObject({
          code: 'data_loss',
          message: 'torn',
          name: 'Torn',
          data: { at: [2] },
        })
      }
    },
  },
  {
    name: 'anything else that a handler throws is internal, without message or stack; onError gets the original',
    async run(bed) {
      const original = new Error('the password is 1234')
      bed.serve({
        call: async () => {
          throw original
        },
        async *produce() {
          yield 1
          throw original
        },
        collect: () => {
          throw original
        },
      })
      const calls = [() => bed.client.call(1), () => all(bed.client.produce(1)), () => bed.client.collect(1).finish()]
      for (const call of calls) {
        const error = await failure(call())
        expectStatus(error, 'internal')
        expect(`${error.message}${error.stack}${String(error.cause)}`).not.toContain('1234')
      }
      expect(bed.reported.map(({ error }) => error)).toEqual([original, original, original])
      const methods = bed.reported.map(({ source }) => source.method)
      expect(new Set(methods)).toEqual(new Set(['kit/call', 'kit/collect', 'kit/produce']))
    },
  },
  {
    name: 'a stream that fails before its first response can be told from one that fails halfway (try server streaming)',
    async run(bed) {
      bed.serve({
        async *produce(count) {
          if (count === 0) throw new RpcError('not_found', 'nothing there')
          yield 1
          yield 2
          throw new RpcError('data_loss', 'torn')
        },
      })
      const early = bed.client.produce(0)
      expectStatus(await failure(early.started), 'not_found')
      expectStatus(await failure(all(early)), 'not_found')
      const late = bed.client.produce(1)
      await late.started
      expect(await late.receive()).toBe(1)
      expect(await late.receive()).toBe(2)
      expectStatus(await thrown(() => late.receive()), 'data_loss')
      expectStatus(await thrown(() => late.receive()), 'data_loss')
    },
  },
  {
    name: 'an unknown method is unimplemented, and onError hears of it (unimplemented_method)',
    async run(bed) {
      bed.serve({})
      const Other = service('kit', { other: unary<number, number>() })
      expectStatus(await failure(createClient(Other, bed.bed.connector).other(1)), 'unimplemented', /kit\/other/)
      expect(bed.reported.length).toBe(1)
    },
  },
  {
    name: 'an unknown service is unimplemented (unimplemented_service)',
    async run(bed) {
      bed.serve({})
      const Other = service('other', { call: unary<number, number>() })
      expectStatus(await failure(createClient(Other, bed.bed.connector).call(1)), 'unimplemented', /other\/call/)
    },
  },
  {
    name: 'a request that the schema refuses is invalid_argument with the issues; the handler is not called',
    async run(bed) {
      let called = 0
      bed.serve({ checked: async () => ++called })
      const error = await failure(bed.client.checked(-1))
      expectStatus(error, 'invalid_argument', /request.*0 or more/)
      expect((error.data as ValidationIssues).issues).toEqual([{ message: 'must be a number of 0 or more', path: [] }])
      expect(called).toBe(0)
      expect(await bed.client.checked(1)).toBe(1)
    },
  },
  {
    name: 'an update that the schema refuses makes the handler’s updates throw, and the call invalid_argument',
    async run(bed) {
      const seen = signal<unknown>()
      bed.serve({
        checkedUpdates: async (_, updates) => {
          try {
            for await (const _ of updates) {
              // Until it throws.
            }
          } catch (error) {
            seen.resolve(error)
            throw error
          }
          return 0
        },
      })
      expectStatus(await failure(bed.client.checkedUpdates(undefined, [1, -1, 2])), 'invalid_argument', /update/)
      expectStatus((await seen.promise) as RpcErrorType, 'invalid_argument')
    },
  },
  {
    name: 'a server that ends without an answer, or answers twice, leaves nobody waiting (cardinality)',
    async run(bed) {
      const answer = async (...responses: unknown[]): Promise<void> => {
        const channel = (await bed.bed.listener.accept()) as Channel
        await channel.receive()
        for (const response of responses) await channel.send(response)
        channel.end()
      }
      for (const call of [() => bed.client.call(1), () => bed.client.collect(1, [1])]) {
        const none = failure(call())
        await answer()
        expectStatus(await none, 'unavailable')
        const two = failure(call())
        await answer(1, 2)
        expectStatus(await two, 'internal')
      }
    },
  },
  {
    name: 'a response that nobody reads, of a call that fails, is no unhandled rejection',
    async run(bed) {
      bed.serve({
        collect: async () => {
          throw new RpcError('aborted')
        },
        produce() {
          throw new RpcError('aborted')
        },
      })
      const call = bed.client.collect(0)
      void call.response
      const stream = bed.client.produce(0)
      void stream.started
      await failure(bed.client.collect(0).finish())
      await failure(stream.started)
    },
  },
]
