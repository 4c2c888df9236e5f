import {
  bidiStreaming,
  clientStreaming,
  createClient,
  createRouter,
  type Handlers,
  Method,
  notify,
  type RpcError,
  serve,
  serverStreaming,
  service,
  unary,
} from '@qrpc/core'
import { describe, expect, it } from 'vitest'
import { bed, Kit } from './support/bed.ts'
import { createTransport } from './support/transport.ts'
import { failure, thrown } from './support/wait.ts'

const RESERVED = [
  'then',
  'catch',
  'finally',
  'constructor',
  'prototype',
  '__proto__',
  'toString',
  'toJSON',
  'valueOf',
] as const

async function expectInvalid(run: () => unknown): Promise<RpcError> {
  const error = await thrown(run)
  expect(error.code).toBe('invalid_argument')
  return error
}

describe('service', () => {
  it('has its members as properties, in their order', () => {
    expect(Object.keys(Kit)).toEqual(['call', 'collect', 'produce', 'talk', 'tell', 'inner'])
  })

  it('knows the path and the pattern of each method', () => {
    const Compute = service('math.compute', {
      a: unary(),
      b: clientStreaming(),
      c: serverStreaming(),
      d: bidiStreaming(),
      e: notify(),
    })
    expect(Object.values(Compute).map(({ path, pattern }) => [path, pattern])).toEqual([
      ['math.compute/a', 'unary'],
      ['math.compute/b', 'clientStreaming'],
      ['math.compute/c', 'serverStreaming'],
      ['math.compute/d', 'bidiStreaming'],
      ['math.compute/e', 'notify'],
    ])
  })

  it('serves a nested service under its own name, at any depth', () => {
    const Leaf = service('leaf', { sqr: unary<number, number>() })
    const Outer = service('outer', { middle: service('ignored', { inner: Leaf }) })
    expect(Outer.middle.inner.sqr.path).toBe('outer.middle.inner/sqr')
  })

  it('leaves a contract that is nested in another as it was', () => {
    const Leaf = service('leaf', { sqr: unary<number, number>() })
    const A = service('a', { leaf: Leaf })
    const B = service('b', { leaf: Leaf, again: Leaf })
    expect(Leaf.sqr.path).toBe('leaf/sqr')
    expect([A.leaf.sqr.path, B.leaf.sqr.path, B.again.sqr.path]).toEqual(['a.leaf/sqr', 'b.leaf/sqr', 'b.again/sqr'])
  })

  it('takes one method for several names', () => {
    const method = unary<number, number>()
    const Twice = service('twice', { one: method, two: method })
    expect([Twice.one.path, Twice.two.path, method.path]).toEqual(['twice/one', 'twice/two', ''])
  })

  it('cannot be changed', () => {
    expect(Object.isFrozen(Kit)).toBe(true)
    expect(Object.isFrozen(Kit.inner)).toBe(true)
  })

  it('holds methods', () => {
    expect(Kit.call).toBeInstanceOf(Method)
  })

  it.each(RESERVED)('refuses the reserved name %s for a method', async (name) => {
    const error = await expectInvalid(() => service('s', { [name]: unary() } as never))
    expect(error.message).toContain(`"${name}"`)
    expect(error.message).toContain('reserved')
  })

  it.each(RESERVED)('refuses the reserved name %s for a nested service', async (name) => {
    const error = await expectInvalid(() => service('s', { [name]: service('t', {}) } as never))
    expect(error.message).toContain(`"${name}"`)
  })

  it.each(['', 'a/b', 'a.b', 'a b', '1a', 'a-b', 'ü'])('refuses %j as the name of a member', async (name) => {
    const error = await expectInvalid(() => service('s', { [name]: unary() }))
    expect(error.message).toContain(`"${name}"`)
  })

  it.each(['', '.', 'a.', '.a', 'a..b', 'a/b', 'a b', '1', 'a-b'])(
    'refuses %j as the name of a service',
    async (name) => {
      const error = await expectInvalid(() => service(name, {}))
      expect(error.message).toContain(`"${name}"`)
    },
  )

  it.each(['a', 'A1', '_x', '$x', 'a.b.c'])('takes %j as the name of a service', (name) => {
    expect(service(name, { m: unary() }).m.path).toBe(`${name}/m`)
  })

  it.each([undefined, null, 'unary', 5, {}, () => {}])('refuses the member %o, naming it', async (member) => {
    const error = await expectInvalid(() => service('s', { odd: member } as never))
    expect(error.message).toContain('"odd"')
  })
})

describe('a client', () => {
  it('is a plain object with a function a method and an object a nested service', () => {
    const { client } = bed()
    expect(Object.keys(client)).toEqual(['call', 'collect', 'produce', 'talk', 'tell', 'inner'])
    expect(Object.keys(client.inner)).toEqual(['echo'])
    expect(client.call.name).toBe('call')
    expect('then' in client).toBe(false)
  })

  it('can be awaited: it is no thenable', async () => {
    const { client } = bed()
    expect(await Promise.resolve(client)).toBe(client)
  })

  it('has functions that work without it', async () => {
    const { call } = bed().client
    expect(await call(3)).toBe(6)
  })

  it('reaches a nested service', async () => {
    const { client } = bed()
    expect(await client.inner.echo('a')).toBe('a')
  })

  it('is made for a nested service out of the same connector, at any depth', async () => {
    const Leaf = service('leaf', { sqr: unary<number, number>() })
    const Outer = service('outer', { middle: service('m', { leaf: Leaf }) })
    const { connector, listener } = createTransport()
    serve(Outer, { middle: { leaf: { sqr: (n) => n * n } } }, listener)
    expect(await createClient(Outer, connector).middle.leaf.sqr(2)).toBe(4)
    expect(await createClient(Outer.middle, connector).leaf.sqr(3)).toBe(9)
    expect(await createClient(Outer.middle.leaf, connector).sqr(4)).toBe(16)
  })

  it('of a contract that is served elsewhere gets unimplemented, which names the method', async () => {
    const { connector } = bed()
    const Leaf = service('leaf', { sqr: unary<number, number>() })
    const error = await failure(createClient(Leaf, connector).sqr(2))
    expect(error).toMatchObject({ code: 'unimplemented', message: expect.stringContaining('"leaf/sqr"') })
  })

  it.each([undefined, null, {}, { call: unary() }])('is not made from %o', async (contract) => {
    const { connector } = createTransport()
    await expectInvalid(() => createClient(contract as never, connector))
  })
})

describe('the handlers of a contract', () => {
  const Outer = service('outer', { call: unary<void, string>(), inner: service('i', { call: unary<void, string>() }) })
  const call = (): string => 'ok'
  const complete: Handlers<typeof Outer> = { call, inner: { call } }

  const wrong: [string, object, string][] = [
    ['a handler is missing', { inner: { call } }, 'outer/call'],
    ['a handler of a nested service is missing', { call, inner: {} }, 'outer.inner/call'],
    ['a nested service is missing', { call }, 'outer.inner'],
    ['a nested service is null', { call, inner: null }, 'outer.inner'],
    ['a nested service is a function', { call, inner: call }, 'outer.inner'],
    ['a handler is no function', { call: 'ok', inner: { call } }, 'outer/call'],
    ['there is a handler too many', { call, inner: { call }, extra: call }, '"extra"'],
    ['there is a handler too many in a nested service', { call, inner: { call, extra: call } }, '"extra"'],
    [
      'there is a handler too many in an object without a prototype',
      Object.assign(Object.create(null), complete, { extra: call }),
      '"extra"',
    ],
  ]

  it.each(wrong)('fail at serve where %s', async (_, handlers, named) => {
    const { listener } = createTransport()
    const error = await expectInvalid(() => serve(Outer, handlers as never, listener))
    expect(error.message).toContain(named)
  })

  it.each(wrong)('fail at createRouter where %s', async (_, handlers, named) => {
    expect((await expectInvalid(() => createRouter(Outer, handlers as never))).message).toContain(named)
  })

  it('leave the listener free where they fail', async () => {
    const { listener, connector } = createTransport()
    await expectInvalid(() => serve(Outer, {} as never, listener))
    serve(Outer, complete, listener)
    expect(await createClient(Outer, connector).call()).toBe('ok')
  })

  it('are missing, too, where an object inherits something of that name from all objects', async () => {
    const Odd = service('odd', { hasOwnProperty: unary<void, string>() })
    const error = await expectInvalid(() => createRouter(Odd, {} as never))
    expect(error.message).toContain('odd/hasOwnProperty')
  })

  it('may have more where they are an instance of a class', async () => {
    class Module {
      readonly state = 'ok'
      call(): string {
        return this.helper()
      }
      helper(): string {
        return this.state
      }
    }
    const { listener, connector } = createTransport()
    serve(Outer, { call, inner: new Module() }, listener)
    expect(await createClient(Outer, connector).inner.call()).toBe('ok')
  })

  it('are served by one consumer of a listener', async () => {
    const { listener } = createTransport()
    serve(Outer, complete, listener)
    expect((await thrown(() => serve(Outer, complete, listener))).code).toBe('failed_precondition')
  })

  it.each([undefined, null, {}])('need a contract: %o is none', async (contract) => {
    const { listener } = createTransport()
    await expectInvalid(() => serve(contract as never, {} as never, listener))
    await expectInvalid(() => createRouter(contract as never, {} as never))
  })
})

describe('a contract served from several modules', () => {
  const Counter = service('counter', { add: unary<number, number>(), all: serverStreaming<void, number>() })
  const Log = service('log', { write: notify<string>(), read: unary<void, string[]>() })
  const Node = service('node', { counter: Counter, spare: Counter, log: Log, name: unary<void, string>() })

  class CounterModule implements Handlers<typeof Counter> {
    #values: number[] = []

    async add(n: number): Promise<number> {
      this.#values.push(n)
      return this.#values.reduce((a, b) => a + b, 0)
    }

    async *all(): AsyncGenerator<number> {
      yield* this.#values
    }
  }

  function logModule(): Handlers<typeof Log> {
    const lines: string[] = []
    return { write: (line) => void lines.push(line), read: () => lines }
  }

  it('gives each module its own calls and its own state', async () => {
    const { listener, connector } = createTransport()
    serve(
      Node,
      { counter: new CounterModule(), spare: new CounterModule(), log: logModule(), name: () => 'n1' },
      listener,
    )
    const node = createClient(Node, connector)
    expect(await node.counter.add(2)).toBe(2)
    expect(await node.counter.add(3)).toBe(5)
    expect(await node.spare.add(10)).toBe(10)
    await node.log.write('a')
    expect(await node.log.read()).toEqual(['a'])
    expect(await node.name()).toBe('n1')
    const values: number[] = []
    for await (const value of createClient(Node.counter, connector).all()) values.push(value)
    expect(values).toEqual([2, 3])
  })

  it('lets one module use another through a client of its contract, with no transport between', async () => {
    const log = logModule()
    const local = createTransport()
    serve(Log, log, local.listener)
    const logClient = createClient(Log, local.connector)
    const outer = createTransport()
    serve(
      Node,
      {
        counter: new CounterModule(),
        spare: new CounterModule(),
        log,
        async name() {
          await logClient.write('asked')
          return 'n1'
        },
      },
      outer.listener,
    )
    const node = createClient(Node, outer.connector)
    await node.name()
    expect(await node.log.read()).toEqual(['asked'])
  })
})

it('handlers that are not there at all are missing by name', async () => {
  expect((await thrown(() => createRouter(service('gone', { a: unary() }), undefined as never))).message).toContain(
    'service "gone"',
  )
})
