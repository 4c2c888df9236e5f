import { balance, type Connectors, combineConnectors, failover, type Policy, race, route } from '@qrpc/combined'
import { type ConnectionState, type Connector, createClient, type RpcError } from '@qrpc/core'
import { describe, expect, test } from 'vitest'
import { node, ScriptedConnector, Who } from './node.ts'

/** A connector that connects when it is told to. */
function slow(inner: Connector) {
  let connect!: () => void
  const connected = new Promise<void>((resolve) => {
    connect = resolve
  })
  const connector = new ScriptedConnector('slow:', async () => {
    await connected
    return inner.open()
  })
  return { connector, connect }
}

function client(connectors: Connectors, policy?: Policy) {
  return createClient(Who, combineConnectors(connectors, policy, { initialBackoffMs: 1, maxBackoffMs: 1 }))
}

/** Calls until the name comes: what happens in the background needs its turns. */
async function until(name: string, call: () => Promise<string>): Promise<void> {
  for (let n = 0; n < 500; n++) {
    if ((await call()) === name) return
    await new Promise(setImmediate)
  }
  expect.fail(`"${name}" never answered`)
}

describe('first', () => {
  test('is the first that is configured', async () => {
    const [a, b] = [node('a'), node('b')]
    expect(await client([undefined, a.connector, b.connector]).name()).toBe('a')
    expect(await client({ quic: undefined, http2: b.connector }).name()).toBe('b')
  })

  test('with nothing configured is unavailable, and the text says so', async () => {
    await expect(client([undefined, undefined]).name()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('none of the 2'),
    })
  })
})

describe('failover', () => {
  test('takes the next when one cannot open a channel, and goes back when it recovers', async () => {
    const [a, b] = [node('a'), node('b')]
    const { name } = client([a.connector, b.connector], failover())
    expect(await name()).toBe('a')
    await a.stop()
    expect(await name()).toBe('b')
    a.start()
    await until('a', () => name())
  })

  test('never moves a call that was sent', async () => {
    const [a, b] = [node('a'), node('b')]
    const { hold, name } = client([a.connector, b.connector], failover())
    const held = hold()
    await name()
    await a.stop()
    await expect(held).rejects.toMatchObject({ code: 'unavailable' })
    expect(await name()).toBe('b')
  })

  test('with all down is unavailable, with what each of them failed with', async () => {
    const [a, b] = [node('a'), node('b')]
    const { name } = client([a.connector, b.connector], failover())
    await Promise.all([a.stop(), b.stop()])
    const error = (await name().catch((thrown: unknown) => thrown)) as RpcError
    expect(error).toMatchObject({ code: 'unavailable' })
    expect(error.message).toMatch(/mem:a.*mem:b/)
    a.start()
    await until('a', () => name().catch(() => ''))
  })

  test('does not try another for a call that was aborted', async () => {
    const a = new ScriptedConnector('a:', (options) => {
      return new Promise((_, reject) => {
        options?.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error))
      })
    })
    const b = node('b')
    const combined = combineConnectors([a, b.connector], failover())
    const { name } = createClient(Who, combined)
    await expect(name(undefined, { timeout: 1 })).rejects.toMatchObject({ code: 'deadline_exceeded' })
    const controller = new AbortController()
    const called = name(undefined, { signal: controller.signal })
    controller.abort(new Error('of no code that is known'))
    await expect(called).rejects.toMatchObject({ code: 'cancelled' })
    await new Promise(setImmediate)
    expect(b.calls()).toBe(0)
    expect(combined.members.map(({ healthy }) => healthy)).toEqual([true, true])
  })
})

describe('race', () => {
  test('is won by the one that connects first, which is remembered', async () => {
    const { connector, connect } = slow(node('slow').connector)
    const fast = node('fast')
    const { name } = client([connector, fast.connector], race({ delayMs: 1 }))
    expect(await name()).toBe('fast')
    connect()
    expect(await name()).toBe('fast')
    expect(connector.opens.length).toBe(1)
  })

  test('gives each a head start', async () => {
    const [a, b] = [node('a'), node('b')]
    const { name } = client([a.connector, b.connector], race({ delayMs: 60_000 }))
    expect(await name()).toBe('a')
  })

  test('goes on at once with the next when one fails, and again when the winner fails', async () => {
    const [a, b] = [node('a'), node('b')]
    await a.stop()
    const { name } = client([a.connector, b.connector], race({ delayMs: 60_000 }))
    expect(await name()).toBe('b')
    a.start()
    await b.stop()
    expect(await name()).toBe('a')
  })

  test('that nobody wins is unavailable, with what each of them failed with', async () => {
    const [a, b] = [node('a'), node('b')]
    await Promise.all([a.stop(), b.stop()])
    await expect(client([a.connector, b.connector], race()).name()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching(/mem:a.*mem:b/),
    })
  })

  test('refuses a delay that is none', () => {
    expect(() => race({ delayMs: -1 })).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
  })
})

describe('route', () => {
  test('sends each call where it is told: by pattern, method or metadata', async () => {
    const [small, bulk] = [node('small'), node('bulk')]
    const { name, names, hold } = client(
      { small: small.connector, bulk: bulk.connector },
      route(({ pattern, method, metadata }) => {
        if (metadata?.some(([key]) => key === 'bulk') || method === 'who/hold') return 'bulk'
        return pattern === 'unary' ? 'small' : 'bulk'
      }),
    )
    bulk.release()
    expect(await name()).toBe('small')
    expect(await names().receive()).toBe('bulk')
    expect(await hold()).toBe('bulk')
    expect(await name(undefined, { metadata: { bulk: '1' } })).toBe('bulk')
  })

  test('to what is not configured is unavailable, and the text names it', async () => {
    const { name } = client(
      { small: node('small').connector, bulk: undefined },
      route(() => 'bulk'),
    )
    await expect(name()).rejects.toMatchObject({ code: 'unavailable', message: expect.stringContaining('"bulk"') })
  })
})

describe('balance', () => {
  const three = () => ['a', 'b', 'c'].map((name) => node(name))

  test('round_robin takes one after the other', async () => {
    const { name } = client(
      three().map(({ connector }) => connector),
      balance('round_robin'),
    )
    const names: string[] = []
    for (let n = 0; n < 9; n++) names.push(await name())
    expect(names.slice(0, 3).toSorted()).toEqual(['a', 'b', 'c'])
    expect(names.slice(3)).toEqual(names.slice(0, 6))
  })

  test.each(['least_in_flight', 'power_of_two_choices'] as const)('%s spreads what runs', async (method) => {
    const nodes = three()
    const combined = combineConnectors(
      nodes.map(({ connector }) => connector),
      balance(method),
    )
    const { hold } = createClient(Who, combined)
    const held = Array.from({ length: 300 }, () => hold())
    const counts = combined.members.map(({ inFlight }) => inFlight)
    expect(counts.reduce((sum, count) => sum + count)).toBe(300)
    for (const count of counts) expect(count).toBeGreaterThan(method === 'least_in_flight' ? 99 : 80)
    for (const each of nodes) each.release()
    await Promise.all(held)
    expect(combined.members.map(({ inFlight }) => inFlight)).toEqual([0, 0, 0])
  })

  test('takes out a dead one, and back in when it lives again', async () => {
    const [a, b] = [node('a'), node('b')]
    const { name } = client([a.connector, b.connector], balance('round_robin'))
    await a.stop()
    const names = new Set<string>()
    for (let n = 0; n < 20; n++) names.add(await name())
    expect([...names]).toEqual(['b'])
    a.start()
    await until('a', () => name())
  })

  test('with all down is unavailable', async () => {
    const [a, b] = [node('a'), node('b')]
    await Promise.all([a.stop(), b.stop()])
    await expect(client([a.connector, b.connector], balance()).name()).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('refuses a method that it does not know', () => {
    expect(() => balance('random' as 'round_robin')).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
  })
})

describe('a combined connector', () => {
  test('can be combined again, and takes policies of one’s own', async () => {
    const [a, b, c] = [node('a'), node('b'), node('c')]
    const last: Policy = (members) => (options) => (members.at(-1) as (typeof members)[0]).open(options)
    const inner = combineConnectors([a.connector, b.connector], last)
    const { name } = client([inner, c.connector], failover())
    expect(await name()).toBe('b')
    await b.stop()
    expect(await name()).toBe('c')
  })

  test('closes its members, and says that it was closed', async () => {
    const [a, b] = [node('a'), node('b')]
    const combined = combineConnectors([a.connector, b.connector])
    const states: ConnectionState[] = []
    combined.observeState((state) => states.push(state))
    expect(combined.state).toBe('ready')
    expect(combined.members.map(({ name, state }) => [name, state])).toEqual([
      ['mem:a', 'ready'],
      ['mem:b', 'ready'],
    ])
    await combined.close()
    expect(states).toEqual(['shutdown'])
    await expect(createClient(Who, combined).name()).rejects.toMatchObject({ code: 'failed_precondition' })
    expect(() => b.connector.open()).toThrow(expect.objectContaining({ code: 'failed_precondition' }))
  })
})
