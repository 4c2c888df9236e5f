import type { Interceptor } from '@qrpc/core'
import { expect, it } from 'vitest'
import { bed } from './support/bed.ts'
import { gate, turns } from './support/wait.ts'

const pass: Interceptor = (call, next) => next(call)

it.each([
  ['without interceptors', []],
  ['with interceptors', [pass]],
])('a notify that was handed over is out of its caller’s hands: %s', async (_, clientInterceptors) => {
  const started = gate<AbortSignal>()
  const release = gate()
  const { client, size } = bed({
    clientInterceptors,
    handlers: {
      async tell(_, { signal }) {
        started.resolve(signal)
        await release.promise
      },
    },
  })
  const controller = new AbortController()
  await client.tell(1, { signal: controller.signal })
  const signal = await started.promise
  controller.abort()
  await turns()
  expect(signal.aborted).toBe(false)
  // The place is taken until the handler is done: a flood of notifications waits in line as calls do.
  expect(size()).toBe(1)
  release.resolve()
  await turns()
  expect(size()).toBe(0)
})
