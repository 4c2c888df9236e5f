import { createClient } from '@qrpc/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Primes } from './contract.ts'
import { startWorker } from './start-worker.ts'

let started: ReturnType<typeof startWorker>

beforeEach(() => {
  started = startWorker()
})
afterEach(async () => {
  await started.connector.close()
  await started.worker.terminate()
})

test('calls of a worker thread', async () => {
  const client = createClient(Primes, started.connector)
  const primes: number[] = []
  for await (const prime of client.upTo(30)) primes.push(prime)
  expect(primes).toEqual([2, 3, 5, 7, 11, 13, 17, 19, 23, 29])
  expect(await client.count(undefined, primes)).toBe(10)
})

test('a worker that is gone: calls that run are unavailable', async () => {
  const client = createClient(Primes, started.connector)
  const primes = client.upTo(1e9)
  expect(await primes.receive()).toBe(2)
  const reading = (async () => {
    for await (const _ of primes);
  })()
  await Promise.all([expect(reading).rejects.toMatchObject({ code: 'unavailable' }), started.worker.terminate()])
  expect(started.connector.state).toBe('idle')
})
