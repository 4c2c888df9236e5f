import { createClient, serve } from '@qrpc/core'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ComputeClient, fibonacciBelow, multiplyAll, powers, sumOfSquares } from './client.ts'
import { Compute } from './contract.ts'
import { computeHandlers } from './server.ts'

let compute: ComputeClient & AsyncDisposable
let server: AsyncDisposable

beforeEach(() => {
  const { connector, listener } = createMemoryTransport()
  server = serve(Compute, computeHandlers, listener)
  compute = createClient(Compute, connector)
})

afterEach(async () => {
  await compute[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

describe('the service', () => {
  test('sqr', async () => {
    expect(await compute.sqr(1234)).toBe(1522756)
  })

  test('sum, by hand', async () => {
    const call = compute.sum()
    for (const n of [1, 2, 3]) await call.send(n)
    expect(await call.finish()).toBe(6)
  })

  test('sum of nothing', async () => {
    expect(await compute.sum(undefined, [])).toBe(0)
  })

  test('fibonacci', async () => {
    const numbers: number[] = []
    for await (const n of compute.fibonacci(10)) numbers.push(n)
    expect(numbers).toEqual([0, 1, 1, 2, 3, 5, 8, 13, 21, 34])
  })

  test('multiply, by hand', async () => {
    const call = compute.multiply(2)
    for (const n of [1, 2, 3]) {
      await call.send(n)
      expect(await call.receive()).toBe(2 * n)
    }
    call.end()
    expect(await call.receive()).toBeUndefined()
    expect(call.ended).toBe(true)
  })
})

describe('what the client builds on it', () => {
  test('sumOfSquares', async () => {
    expect(await sumOfSquares(compute, [1, 2, 3, 4])).toBe(30)
  })

  test('fibonacciBelow leaves a stream that has hardly begun', async () => {
    expect(await fibonacciBelow(compute, 10)).toEqual([0, 1, 1, 2, 3, 5, 8])
  })

  test('multiplyAll, with more numbers than fit into the window', async () => {
    const numbers = Array.from({ length: 1_000 }, (_, i) => i)
    expect(await multiplyAll(compute, 3, numbers)).toEqual(numbers.map((n) => 3 * n))
  })

  test('powers', async () => {
    expect(await powers(compute, 2, 10)).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 512, 1024])
    expect(await powers(compute, 2, 0)).toEqual([])
  })

  test('a signal cancels it', async () => {
    const signal = AbortSignal.abort()
    await expect(sumOfSquares(compute, [1], { signal })).rejects.toMatchObject({ code: 'cancelled' })
    await expect(powers(compute, 2, 10, { signal })).rejects.toMatchObject({ code: 'cancelled' })
  })
})
