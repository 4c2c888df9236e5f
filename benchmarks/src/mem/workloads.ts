import type { Interceptor } from '@qrpc/core'
import type { Workload } from '../measure.ts'
import { handWrittenQueue } from './hand-written-queue.ts'
import { asyncNumbers, drain, inParallel, inSequence, memoryClient, sqr, syncNumbers } from './service.ts'

const IN_FLIGHT = 64

/** The workloads over mem. */
export const memoryWorkloads: Readonly<Record<string, () => Workload>> = {
  unary: () => {
    const queue = handWrittenQueue(sqr)
    const client = memoryClient(asyncNumbers)
    return {
      name: 'unary, one after the other',
      contestants: [
        { name: 'hand-written queue', run: (count) => inSequence(count, queue) },
        { name: 'bare async call', run: (count) => inSequence(count, sqr) },
        { name: 'qrpc mem', run: (count) => inSequence(count, client.sqr) },
      ],
    }
  },
  'unary-64': () => {
    const queue = handWrittenQueue(sqr)
    const client = memoryClient(asyncNumbers)
    return {
      name: `unary, ${IN_FLIGHT} in flight`,
      contestants: [
        { name: 'hand-written queue', run: (count) => inParallel(count, IN_FLIGHT, queue) },
        { name: 'qrpc mem', run: (count) => inParallel(count, IN_FLIGHT, client.sqr) },
      ],
    }
  },
  'unary-options': () => {
    const plain = memoryClient(asyncNumbers)
    const pass: Interceptor = (call, next) => next(call)
    const intercepted = memoryClient(asyncNumbers, { interceptors: [pass] })
    return {
      name: 'unary, what options cost when used',
      contestants: [
        { name: 'qrpc mem', run: (count) => inSequence(count, plain.sqr) },
        { name: 'with a timeout', run: (count) => inSequence(count, (n) => plain.sqr(n, { timeout: 10_000 })) },
        {
          name: 'with metadata',
          run: (count) => inSequence(count, (n) => plain.sqr(n, { metadata: { key: 'value' } })),
        },
        { name: 'with an interceptor each side', run: (count) => inSequence(count, intercepted.sqr) },
      ],
    }
  },
  'stream-generator': () => {
    const client = memoryClient(asyncNumbers)
    return {
      name: 'server streaming, from an async generator',
      contestants: [
        { name: 'bare async generator', run: (count) => drain(asyncNumbers(count)) },
        { name: 'qrpc mem', run: (count) => drain(client.count(count)) },
      ],
    }
  },
  stream: () => {
    const client = memoryClient(syncNumbers)
    return {
      name: 'server streaming, from an iterable',
      contestants: [
        { name: 'bare async generator', run: (count) => drain(asyncNumbers(count)) },
        { name: 'qrpc mem, for await', run: (count) => drain(client.count(count)) },
        {
          name: 'qrpc mem, receive()',
          run: async (count) => {
            const call = client.count(count)
            let sum = 0
            for (;;) {
              const item = call.receive()
              const value = item instanceof Promise ? await item : item
              if (value === undefined) return sum
              sum = (sum + value) | 0
            }
          },
        },
      ],
    }
  },
}
