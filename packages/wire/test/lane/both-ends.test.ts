import { type Channel, RpcError } from '@qrpc/core'
import { ByteChannel, ChannelTable, ClientLane, WireFormat } from '@qrpc/wire'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PipeStream } from '../pipe-stream.ts'

const PEER = { transport: 'pipe', address: 'pipe:' }

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

/** Both ends of a lane over a pipe. */
function ends(chunkSize: number, window: number, maxCalls: number) {
  const format = new WireFormat()
  const [here, there] = PipeStream.pair({ chunkSize, window })
  const settings = { format, receiveWindow: 65_536, closeTimeoutMs: 1000, firstFrameTimeoutMs: 60_000 }
  const accepted: Channel[] = []
  const table = new ChannelTable(
    { ...settings, maxLaneCalls: maxCalls },
    { onAccepted: (channel) => accepted.push(channel), onGone() {} },
  )
  const first = new ByteChannel(table, there, PEER, false)
  there.reader = first
  table.addAccepted(first)
  const lane = new ClientLane(format, here, PEER, maxCalls, {
    onCallOver() {},
    onGoingAway() {},
    onLaneGone() {},
    openElsewhere: () => Promise.reject(new RpcError('unavailable', 'the lane was lost')),
  })
  return { lane, table, accepted }
}

function turn(): Promise<void> {
  return new Promise(setImmediate)
}

async function turns(count: number): Promise<void> {
  for (let n = 0; n < count; n++) await turn()
}

test('whatever is called, cancelled and answered, each call settles once with what is right, and nothing is left', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(plan, { minLength: 1, maxLength: 20 }),
      fc.constantFrom(13, 4096, 65_536),
      fc.integer({ min: 1, max: 5 }),
      async (plans, chunkSize, maxCalls) => {
        const { lane, table, accepted } = ends(chunkSize, 32_768, maxCalls)
        const wrong: unknown[] = []
        let running = true
        const serve = async (channel: Channel): Promise<void> => {
          try {
            const { message } = (await channel.receive()) as { message: { n: number; bytes: Uint8Array } }
            const { requestSize, responseSize, answerAfter, fails } = plans[message.n] as Plan
            expect(message.bytes).toHaveLength(requestSize)
            await turns(answerAfter)
            if (fails) channel.end(new RpcError('aborted', String(message.n)))
            else await channel.send({ n: message.n, bytes: new Uint8Array(responseSize) }, true)
          } catch (error) {
            // The caller has given up.
            if (!(error instanceof RpcError && error.code === 'cancelled')) wrong.push(error)
          }
        }
        const server = (async () => {
          for (; running; await turn()) for (const channel of accepted.splice(0)) void serve(channel)
        })()
        await Promise.all(
          plans.map(async ({ requestSize, responseSize, cancelAfter, fails }, n) => {
            const channel = await lane.open({ pattern: 'unary' })
            const request = { method: 'a/b', metadata: undefined, timeout: undefined }
            await channel.send({ ...request, message: { n, bytes: new Uint8Array(requestSize) } }, true)
            const outcome = channel.receiveOnly().then(
              (response) => response,
              (error: RpcError) => error.code,
            )
            if (cancelAfter !== undefined) {
              await turns(cancelAfter)
              channel.cancel(new RpcError('cancelled', 'enough'))
            }
            const settled = await outcome
            const right = fails ? 'aborted' : { n, bytes: new Uint8Array(responseSize) }
            expect(cancelAfter === undefined ? [right] : [right, 'cancelled']).toContainEqual(settled)
          }),
        )
        while (lane.size > 0 || table.size > 0) await turn()
        expect(lane.unsent).toBe(0)
        expect(wrong).toEqual([])
        running = false
        await server
        lane.end()
        await table.drain(60_000)
      },
    ),
    { numRuns: 60 },
  )
})
