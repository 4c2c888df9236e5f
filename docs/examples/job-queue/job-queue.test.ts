import { once } from 'node:events'
import { createClient, type Server, serve } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { expect, test } from 'vitest'
import { type Open, TRANSPORTS } from '../transports.ts'
import { waitForJob } from './client.ts'
import { Jobs, type Status } from './contract.ts'
import type { Work } from './job.ts'
import { countPrimes } from './primes.ts'
import { JobQueue, type QueueLimits } from './queue.ts'
import { jobHandlers } from './server.ts'

/** Work that does what the test says, by the number of its task. */
class Bench {
  readonly started: number[] = []
  readonly stopped: number[] = []
  atMost = 0
  readonly #running = new Map<number, { finish: (primes: number) => void; progress: (fraction: number) => void }>()

  readonly workOf = ({ upTo }: { upTo: number }): Work => {
    return async (signal, progress) => {
      this.started.push(upTo)
      const work = new Promise<number>((finish) => this.#running.set(upTo, { finish, progress }))
      this.atMost = Math.max(this.atMost, this.#running.size)
      try {
        return await Promise.race([work, once(signal, 'abort').then(() => -1)])
      } finally {
        this.#running.delete(upTo)
        if (signal.aborted) this.stopped.push(upTo)
      }
    }
  }

  finish(upTo: number): void {
    this.#running.get(upTo)?.finish(upTo)
  }

  progress(upTo: number, fraction: number): void {
    this.#running.get(upTo)?.progress(fraction)
  }
}

async function start(open: Open, limits?: QueueLimits) {
  const bench = new Bench()
  const queue = new JobQueue(limits)
  const handlers = jobHandlers(queue, bench.workOf)
  const servers: Server[] = []
  const connect = await open((listener) => servers.push(serve(Jobs, handlers, listener)))
  const jobs = createClient(Jobs, connect())
  return {
    bench,
    jobs,
    async [Symbol.asyncDispose]() {
      await jobs[Symbol.asyncDispose]()
      await Promise.all(servers.map((server) => server.close({ graceMs: 0 })))
    },
  }
}

test.each(TRANSPORTS)('a job is submitted, watched and done, over $transport', async ({ open }) => {
  await using bed = await start(open)
  const { id } = await bed.jobs.submit({ upTo: 7 })
  using watch = bed.jobs.watch({ id })
  expect(await watch.receive()).toEqual({ state: 'running', progress: 0 })
  bed.bench.progress(7, 0.5)
  expect(await watch.receive()).toEqual({ state: 'running', progress: 0.5 })
  bed.bench.finish(7)
  expect(await watch.receive()).toEqual({ state: 'done', primes: 7 })
  expect(await watch.receive()).toBeUndefined()
  expect(await waitForJob(bed.jobs, id)).toEqual({ state: 'done', primes: 7 })
})

test.each(TRANSPORTS)(
  'as many run at a time as may, in order, and what is too many is refused, over $transport',
  async ({ open }) => {
    await using bed = await start(open, { running: 2, waiting: 2 })
    const ids: string[] = []
    for (const upTo of [1, 2, 3, 4]) ids.push((await bed.jobs.submit({ upTo })).id)
    await expect(bed.jobs.submit({ upTo: 5 })).rejects.toMatchObject({ name: 'Full', data: { waiting: 2 } })
    await expect(bed.jobs.run({ upTo: 5 }).started).rejects.toMatchObject({ code: 'resource_exhausted' })
    expect(bed.bench.started).toEqual([1, 2])
    for (const [index, id] of ids.entries()) {
      bed.bench.finish(index + 1)
      expect(await waitForJob(bed.jobs, id)).toEqual({ state: 'done', primes: index + 1 })
    }
    expect(bed.bench.started).toEqual([1, 2, 3, 4])
    expect(bed.bench.atMost).toBe(2)
  },
)

test.each(TRANSPORTS)(
  'a client cancels a job that runs and one that waits: the work stops, and the next one begins, over $transport',
  async ({ open }) => {
    await using bed = await start(open, { running: 1, waiting: 2 })
    const [running, waiting, next] = [1, 2, 3].map((upTo) => bed.jobs.submit({ upTo }))
    await bed.jobs.cancel((await waiting) ?? { id: '' })
    await bed.jobs.cancel((await running) ?? { id: '' })
    for (const job of [running, waiting]) {
      expect(await waitForJob(bed.jobs, (await job)?.id ?? '')).toEqual({ state: 'cancelled' })
    }
    using watch = bed.jobs.watch((await next) ?? { id: '' })
    for (let status = await watch.receive(); status?.state !== 'running'; ) status = await watch.receive()
    expect(bed.bench.stopped).toEqual([1])
    expect(bed.bench.started).toEqual([1, 3])
  },
)

test.each(TRANSPORTS)('leaving a call cancels the job that belongs to it, over $transport', async ({ open }) => {
  await using bed = await start(open, { running: 1 })
  for await (const { state } of bed.jobs.run({ upTo: 1 })) if (state === 'running') break
  // The next one runs once the first has stopped.
  for await (const { state } of bed.jobs.run({ upTo: 2 })) if (state === 'running') break
  expect(bed.bench.stopped).toEqual([1])
})

test('a job goes on without its client, and its status is found again by its id', async () => {
  const bench = new Bench()
  const handlers = jobHandlers(new JobQueue(), bench.workOf)
  const first = serve(Jobs, handlers, await listenHttp2())
  const [address = ''] = first.addresses
  await using jobs = createClient(Jobs, connectHttp2(address))
  const { id } = await jobs.submit({ upTo: 1 })
  const seen: Status[] = []
  let hear = () => {}
  const heard = () => new Promise<void>((resolve) => (hear = resolve))
  const running = heard()
  const waited = waitForJob(jobs, id, (status) => {
    seen.push(status)
    hear()
  })
  await running
  const runningAgain = heard()
  await first.close({ graceMs: 0 })
  await using _second = serve(Jobs, handlers, await listenHttp2({ port: Number(new URL(address).port) }))
  await runningAgain
  bench.finish(1)
  expect(await waited).toEqual({ state: 'done', primes: 1 })
  expect(seen).toEqual([
    { state: 'running', progress: 0 },
    { state: 'running', progress: 0 },
    { state: 'done', primes: 1 },
  ])
})

test.each(TRANSPORTS)('jobs that are over are forgotten in their turn, over $transport', async ({ open }) => {
  await using bed = await start(open, { over: 1 })
  const first = await bed.jobs.submit({ upTo: 1 })
  await bed.jobs.cancel(first)
  const second = await bed.jobs.submit({ upTo: 2 })
  bed.bench.finish(2)
  expect(await waitForJob(bed.jobs, second.id)).toEqual({ state: 'done', primes: 2 })
  await expect(bed.jobs.cancel(first)).rejects.toMatchObject({ name: 'NotFound', data: first })
  await expect(waitForJob(bed.jobs, first.id)).rejects.toMatchObject({ code: 'not_found' })
})

test('the work itself', async () => {
  const told: number[] = []
  const { signal } = new AbortController()
  expect(await countPrimes({ upTo: 20_000 })(signal, (fraction) => told.push(fraction))).toBe(2262)
  expect(told).toEqual([0.25, 0.5, 0.75, 1])
  await expect(countPrimes({ upTo: 100_000_000 })(AbortSignal.abort(), () => {})).rejects.toThrow('aborted')
})
