import { createClient, type Interceptor, serve, service, unary } from '@qrpc/core'
import { Health, ServerHealth, type ServingStatus } from '@qrpc/health'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { describe, expect, it } from 'vitest'

const Node = service('node', { health: Health, work: unary<void, string>() })

const TRANSPORTS = {
  mem: async () => createMemoryTransport(),
  async http2() {
    const listener = await listenHttp2({ host: '127.0.0.1', port: 0 })
    return { listener, connector: connectHttp2(listener.addresses[0] as string) }
  },
}

const pass: Interceptor = (call, next) => next(call)

async function open(transport: keyof typeof TRANSPORTS, work: () => Promise<string> = async () => 'done') {
  const { connector, listener } = await TRANSPORTS[transport]()
  const health = new ServerHealth()
  const server = health.drainWith(serve(Node, { health, work }, listener, { interceptors: [pass] }))
  const client = createClient(Node, connector)
  return {
    health,
    server,
    client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await server.close({ graceMs: 0 })
    },
  }
}

async function next(watch: { receive(): unknown }): Promise<ServingStatus | undefined> {
  return ((await watch.receive()) as { status: ServingStatus } | undefined)?.status
}

describe.each(Object.keys(TRANSPORTS) as (keyof typeof TRANSPORTS)[])('over %s', (transport) => {
  it('a server is serving from the start', async () => {
    await using bed = await open(transport)
    expect(await bed.client.health.check()).toEqual({ status: 'serving' })
    expect(await bed.client.health.check({})).toEqual({ status: 'serving' })
    expect(await bed.client.health.check({ service: '' })).toEqual({ status: 'serving' })
  })

  it('a service has the status that the app set', async () => {
    await using bed = await open(transport)
    bed.health.set('work', 'serving')
    expect(await bed.client.health.check({ service: 'work' })).toEqual({ status: 'serving' })
    bed.health.set('work', 'not_serving')
    expect(await bed.client.health.check({ service: 'work' })).toEqual({ status: 'not_serving' })
    expect(await bed.client.health.check()).toEqual({ status: 'serving' })
    bed.health.set('', 'not_serving')
    expect(await bed.client.health.check()).toEqual({ status: 'not_serving' })
  })

  it.each(['other', 'constructor', 7 as never])('a service that nobody named is not found: %s', async (name) => {
    await using bed = await open(transport)
    await expect(bed.client.health.check({ service: name })).rejects.toMatchObject({ code: 'not_found' })
  })

  it('a watcher is told the status, and each change', async () => {
    await using bed = await open(transport)
    using watch = bed.client.health.watch({ service: 'work' })
    expect(await next(watch)).toBe('service_unknown')
    bed.health.set('work', 'serving')
    expect(await next(watch)).toBe('serving')
    bed.health.set('work', 'serving')
    bed.health.set('other', 'not_serving')
    bed.health.set('work', 'not_serving')
    expect(await next(watch)).toBe('not_serving')
  })

  it('many watchers are told, each of its service', async () => {
    await using bed = await open(transport)
    const whole = bed.client.health.watch()
    const works = Array.from({ length: 20 }, () => bed.client.health.watch({ service: 'work' }))
    expect(await next(whole)).toBe('serving')
    for (const watch of works) expect(await next(watch)).toBe('service_unknown')
    bed.health.set('work', 'serving')
    for (const watch of works) expect(await next(watch)).toBe('serving')
    bed.health.set('', 'not_serving')
    expect(await next(whole)).toBe('not_serving')
  })

  it('a server that drains tells not_serving of all that it served, and goes on serving', async () => {
    await using bed = await open(transport)
    bed.health.set('work', 'serving')
    using watch = bed.client.health.watch({ service: 'work' })
    using unknown = bed.client.health.watch({ service: 'unknown' })
    expect(await next(watch)).toBe('serving')
    expect(await next(unknown)).toBe('service_unknown')
    bed.health.drain()
    expect(await next(watch)).toBe('not_serving')
    bed.health.set('work', 'serving')
    expect(await bed.client.health.check({ service: 'work' })).toEqual({ status: 'not_serving' })
    expect(await bed.client.health.check()).toEqual({ status: 'not_serving' })
    expect(await bed.client.work()).toBe('done')
  })

  it('a server that closes tells its watchers, which do not hold it up, and finishes its calls', async () => {
    let begun!: () => void
    let finish!: (result: string) => void
    const running = new Promise<void>((resolve) => {
      begun = resolve
    })
    await using bed = await open(transport, () => {
      begun()
      return new Promise((resolve) => {
        finish = resolve
      })
    })
    const watch = bed.client.health.watch()
    expect(await next(watch)).toBe('serving')
    const work = bed.client.work()
    await running
    // Longer than the test may take: it must not be waited for.
    const closed = bed.server.close({ graceMs: 600_000 })
    expect(await next(watch)).toBe('not_serving')
    expect(await next(watch)).toBeUndefined()
    finish('done at last')
    expect(await work).toBe('done at last')
    await closed
  })
})

it('a watcher that has gone is forgotten', async () => {
  const { connector, listener } = createMemoryTransport()
  const health = new ServerHealth()
  let open = 0
  const counting = {
    check: () => health.check(undefined),
    watch() {
      const watch = health.watch(undefined)[Symbol.asyncIterator]()
      open++
      return {
        [Symbol.asyncIterator]: () => ({
          next: () => watch.next(),
          async return() {
            open--
            return watch.return?.() ?? { value: undefined, done: true as const }
          },
        }),
      }
    },
  }
  await using _server = serve(Health, counting, listener)
  await using client = createClient(Health, connector)
  for await (const { status } of client.watch()) {
    expect(status).toBe('serving')
    expect(open).toBe(1)
    break
  }
  expect(open).toBe(0)
})

it('a stream of the status settles what waits when it is left', async () => {
  const health = new ServerHealth()
  const watch = health.watch(undefined)[Symbol.asyncIterator]()
  expect(await watch.next()).toEqual({ value: { status: 'serving' }, done: false })
  const waiting = watch.next()
  expect(await watch.return?.()).toEqual({ value: undefined, done: true })
  expect(await waiting).toEqual({ value: undefined, done: true })
  health.set('', 'not_serving')
})

it('a slow watcher is told the latest status', async () => {
  const health = new ServerHealth()
  const watch = health.watch(undefined)[Symbol.asyncIterator]()
  await watch.next()
  for (const status of ['not_serving', 'serving', 'not_serving'] as const) health.set('', status)
  expect((await watch.next()).value).toEqual({ status: 'not_serving' })
})

it('a watcher that comes while the server closes is told, and let go', async () => {
  const health = new ServerHealth()
  const { listener } = createMemoryTransport()
  await health.drainWith(serve(Health, health, listener)).close()
  const watch = health.watch(undefined)[Symbol.asyncIterator]()
  expect(await watch.next()).toEqual({ value: { status: 'not_serving' }, done: false })
  expect(await watch.next()).toEqual({ value: undefined, done: true })
})
