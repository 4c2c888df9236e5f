import { createHash } from 'node:crypto'
import { type Channel, RpcError } from '@qrpc/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lanePair, outcomeOf, requestOf, turns } from './lane-pair.ts'

/** What is done with one call. */
interface Plan {
  readonly requestSize: number
  readonly responseSize: number
  /** After how many turns the caller gives up. */
  readonly cancelAfter: number | undefined
  /** How many turns the handler takes. */
  readonly answerAfter: number
  readonly fails: boolean
}

const size = fc.oneof(fc.nat(100), fc.integer({ min: 16_000, max: 17_000 }), fc.nat(200_000))
const plan: fc.Arbitrary<Plan> = fc.record({
  requestSize: size,
  responseSize: size,
  cancelAfter: fc.option(fc.nat(6), { nil: undefined }),
  answerAfter: fc.nat(4),
  fails: fc.boolean(),
})

/** What can be compared in no time. */
function described(outcome: unknown): unknown {
  if (typeof outcome !== 'object') return outcome
  const { n, bytes } = outcome as { n: number; bytes: Uint8Array }
  return [n, bytes.length, createHash('sha1').update(bytes).digest('hex')]
}

/** Bytes that are those of no other call. */
function bytes(call: number, length: number): Uint8Array {
  return new Uint8Array(length).fill(call + 1)
}

test('whatever is called, cancelled and answered, each call settles once with what is right, and nothing is left', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(plan, { minLength: 1, maxLength: 20 }),
      fc.constantFrom(13, 4096, 65_536),
      fc.integer({ min: 1, max: 5 }),
      async (plans, chunkSize, maxCalls) => {
        const { lane, table, listener, settled: allSettled } = lanePair({ chunkSize, maxCalls })
        const wrong: unknown[] = []
        const serve = async (channel: Channel): Promise<void> => {
          try {
            const { message } = (await channel.receive()) as { message: { n: number; bytes: Uint8Array } }
            const { requestSize, responseSize, answerAfter, fails } = plans[message.n] as Plan
            expect(described(message)).toEqual(described({ n: message.n, bytes: bytes(message.n, requestSize) }))
            await turns(answerAfter)
            if (fails) channel.end(new RpcError('aborted', String(message.n)))
            else await channel.send({ n: message.n, bytes: bytes(message.n, responseSize) }, true)
          } catch (error) {
            // The caller has given up.
            if (!(error instanceof RpcError && error.code === 'cancelled')) wrong.push(error)
          }
        }
        listener.onChannel((channel) => void serve(channel))
        await Promise.all(
          plans.map(async ({ requestSize, responseSize, cancelAfter, fails }, n) => {
            const channel = await lane.open({ pattern: 'unary' })
            await channel.send(requestOf({ n, bytes: bytes(n, requestSize) }), true)
            const outcome = outcomeOf(channel.receiveOnly())
            if (cancelAfter !== undefined) {
              await turns(cancelAfter)
              channel.cancel(new RpcError('cancelled', 'enough'))
            }
            const settled = described(await outcome)
            const right = fails ? 'aborted' : described({ n, bytes: bytes(n, responseSize) })
            expect(cancelAfter === undefined ? [right] : [right, 'cancelled']).toContainEqual(settled)
          }),
        )
        await allSettled()
        expect(wrong).toEqual([])
        lane.end()
        await table.drain(60_000)
      },
    ),
    { numRuns: 60 },
  )
})
