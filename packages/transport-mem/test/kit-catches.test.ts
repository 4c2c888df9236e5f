import {
  applies,
  type Capabilities,
  type ConformanceCase,
  conformanceCases,
  runCase,
  type TestBed,
  type TransportUnderTest,
} from '@qrpc/conformance'
import type { Channel, Listener } from '@qrpc/core'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { describe, expect, test } from 'vitest'

// A kit that cannot fail proves nothing: each transport here is broken in one way that a case must catch.

const CAPABILITIES: Capabilities = { window: 64, restart: true, maxConcurrentStreams: true }

type Overrides = Partial<Record<keyof Channel, unknown>>
type Break = (channel: Channel) => Overrides

function bed(options: object = {}, breakChannel: Break = () => ({})): TestBed {
  const { connector, listener, listen } = createMemoryTransport(options)
  return {
    connector: {
      address: connector.address,
      open: async (opening) => broken(await connector.open(opening), breakChannel),
      close: (closing) => connector.close(closing),
      [Symbol.asyncDispose]: () => connector.close(),
    },
    listener: brokenListener(listener, breakChannel),
    restart: () => brokenListener(listen(), breakChannel),
  }
}

function brokenListener(listener: Listener, breakChannel: Break): Listener {
  return override(listener, {
    onChannel: (callback: (channel: Channel) => void) =>
      listener.onChannel((channel) => callback(broken(channel, breakChannel))),
    accept: async () => {
      const channel = await listener.accept()
      return channel && broken(channel, breakChannel)
    },
  })
}

function broken(channel: Channel, breakChannel: Break): Channel {
  return override(channel, breakChannel(channel))
}

function override<T extends object>(target: T, overrides: object): T {
  return new Proxy(target, {
    get(_, key) {
      const value: unknown = Reflect.get(Object.hasOwn(overrides, key) ? overrides : target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

function transport(setup: TransportUnderTest['setup']): TransportUnderTest {
  return { setup, capabilities: CAPABILITIES }
}

function caseNamed(group: string, name: RegExp): ConformanceCase {
  const found = conformanceCases[group]?.filter((candidate) => name.test(candidate.name)) ?? []
  if (found.length !== 1) throw new Error(`${found.length} cases of ${group} match ${name}`)
  return found[0] as ConformanceCase
}

function expectCaught(under: TransportUnderTest, group: string, name: RegExp, error: RegExp): Promise<void> {
  // Only what hangs waits for its end: a watchdog that bites soon keeps that short.
  const timeout = error.source.includes('hangs') ? 300 : 10_000
  return expect(runCase(under, caseNamed(group, name), { timeout })).rejects.toThrow(error)
}

describe('the kit passes a transport that is wrapped and not broken', () => {
  const under = transport((options) => bed(options))
  for (const [group, cases] of Object.entries(conformanceCases)) {
    test(group, async () => {
      for (const each of cases.filter((candidate) => applies(under, candidate))) await runCase(under, each)
    })
  }
})

describe('the kit catches a transport that', () => {
  test('drops a message', async () => {
    let count = 0
    const under = transport((options) =>
      bed(options, (channel) => ({
        send: (message: unknown, last?: boolean) => (++count % 1000 === 0 ? undefined : channel.send(message, last)),
      })),
    )
    await expectCaught(under, 'patterns', /server streaming: 10,000/, /came where/)
  })

  test('delivers a message twice', async () => {
    let count = 0
    const under = transport((options) =>
      bed(options, (channel) => ({
        send: (message: unknown, last?: boolean) => {
          if (++count % 1000 === 0) channel.trySend(message)
          return channel.send(message, last)
        },
      })),
    )
    await expectCaught(under, 'patterns', /server streaming: 10,000/, /came where/)
  })

  test('swaps two messages', async () => {
    let count = 0
    let held: { message: unknown } | undefined
    const under = transport((options) =>
      bed(options, (channel) => ({
        send: (message: unknown, last?: boolean) => {
          if (++count === 500) {
            held = { message }
            return undefined
          }
          const room = channel.send(message, last)
          if (held !== undefined) channel.trySend(held.message)
          held = undefined
          return room
        },
      })),
    )
    await expectCaught(under, 'patterns', /server streaming: 10,000/, /came where/)
  })

  test('never signals the end', async () => {
    const under = transport((options) => bed(options, () => ({ end: () => {} })))
    await expectCaught(under, 'patterns', /server streaming: an empty stream/, /hangs/)
    await expectCaught(under, 'half-close', /the client ends first/, /hangs/)
  })

  test('ends too early', async () => {
    const under = transport((options) =>
      bed(options, (channel) => ({
        send: (message: unknown, last?: boolean) => channel.send(message, last || message === 999),
      })),
    )
    await expectCaught(under, 'patterns', /server streaming: 10,000/, /nothing can be sent|1000/)
  })

  test('ignores the window', async () => {
    const under = transport((options) => bed({ ...options, window: 1_000_000 }))
    await expectCaught(under, 'backpressure', /a server that streams/, /less than or equal/)
    await expectCaught(under, 'backpressure', /a client that sends/, /less than or equal/)
    await expectCaught(under, 'backpressure', /trySend/, /less than or equal/)
  })

  test('never lets a waiting sender go on', async () => {
    const under = transport((options) =>
      bed(options, (channel) => ({
        send: (message: unknown, last?: boolean) => channel.send(message, last) && new Promise(() => {}),
      })),
    )
    await expectCaught(under, 'backpressure', /a client that sends/, /hangs/)
  })

  test('swallows a cancel', async () => {
    const under = transport((options) => bed(options, () => ({ cancel: () => {} })))
    await expectCaught(under, 'cancellation', /unary, by signal/, /hangs/)
    await expectCaught(under, 'cancellation', /by leaving the loop/, /hangs/)
    await expectCaught(under, 'deadlines', /silent server/, /hangs/)
  })

  test('does not tell the other side of a cancel', async () => {
    const under = transport((options) =>
      bed(options, (channel) => ({ observe: () => {}, cancel: channel.stop.bind(channel) })),
    )
    await expectCaught(under, 'cancellation', /unary, by signal/, /hangs/)
  })

  test('passes errors as they are, with cause and all', async () => {
    const under = transport((options) =>
      bed(options, (channel) => {
        let failed: unknown
        return {
          end: (error?: unknown) => {
            failed = error
            channel.end()
          },
          receiveOnly: () => channel.receiveOnly().catch(() => Promise.reject(failed)),
        }
      }),
    )
    await expectCaught(under, 'errors', /reaches the client with code/, /./)
  })

  test('loses the status of a failed call', async () => {
    const under = transport((options) => bed(options, (channel) => ({ end: () => channel.end() })))
    await expectCaught(under, 'errors', /reaches the client with code/, /unavailable/)
    await expectCaught(under, 'channels', /end\(error\) arrives/, /went well/)
  })

  test('ignores maxConcurrentStreams', async () => {
    const under = transport(() => bed({}))
    await expectCaught(under, 'limits', /calls beyond/, /40/)
  })

  test('forgets a timer', async () => {
    const timers: NodeJS.Timeout[] = []
    const under = transport((options) => {
      timers.push(setInterval(() => {}, 1_000_000))
      return bed(options)
    })
    await expectCaught(under, 'patterns', /sqr\(1234\)/, /handles were left open: Timeout/)
    for (const timer of timers) clearInterval(timer)
  })

  test('never finishes to close', async () => {
    const under = transport((options) => {
      const made = bed(options)
      return { ...made, connector: override(made.connector, { close: () => new Promise(() => {}) }) }
    })
    await expectCaught(under, 'patterns', /sqr\(1234\)/, /closing hangs/)
  })

  test('goes on after its listener was closed', async () => {
    const under = transport((options) => {
      const made = bed(options)
      return { ...made, listener: override(made.listener, { close: async () => {} }) }
    })
    await expectCaught(under, 'lifecycle', /the listener closes in the middle/, /hangs/)
  })
})
