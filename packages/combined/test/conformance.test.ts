import { balance, combineConnectors, combineListeners, failover, first, type Policy, race, route } from '@qrpc/combined'
import { describeTransport, type SetupOptions, type TestBed } from '@qrpc/conformance'
import type { Connector, Listener } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { connectQuic, listenQuic } from '@qrpc/transport-quic'
import { makeCertificate } from './certificate.ts'

/** One transport to combine, which can be listened to again where it was. */
interface Part {
  readonly connector: Connector
  readonly listener: Listener
  restart(): Promise<Listener>
}

// Windows of a size that a case can fill.
const WINDOWS = { streamWindow: 64 * 1024, connectionWindow: 1024 * 1024, receiveWindow: 16 * 1024 }

const { key, cert } = await makeCertificate()

const parts: Readonly<Record<string, (options: SetupOptions) => Promise<Part>>> = {
  async mem(options) {
    const { connector, listener, listen } = createMemoryTransport(options)
    return { connector, listener, restart: async () => listen() }
  },
  async http2({ maxConcurrentStreams }) {
    const listener = await listenHttp2({ ...WINDOWS, maxConcurrentStreams })
    const [address] = listener.addresses as [string]
    const port = Number(new URL(address).port)
    return {
      connector: connectHttp2(address, WINDOWS),
      listener,
      restart: () => listenHttp2({ ...WINDOWS, maxConcurrentStreams, port }),
    }
  },
  async quic({ maxConcurrentStreams }) {
    const listening = { ...WINDOWS, maxConcurrentStreams, tls: { key, cert } }
    const listener = await listenQuic(listening)
    const [address] = listener.addresses as [string]
    const port = Number(address.slice(address.lastIndexOf(':') + 1))
    return {
      connector: connectQuic(address, { ...WINDOWS, tls: { ca: cert } }),
      listener,
      restart: () => listenQuic({ ...listening, port }),
    }
  },
}

/** Both ends combined of the same parts. */
function combine(names: readonly string[], policy: () => Policy) {
  return async (options: SetupOptions): Promise<TestBed> => {
    const made = await Promise.all(names.map((name) => parts[name]?.(options) as Promise<Part>))
    const named = <T>(each: (part: Part) => T): Record<string, T> =>
      Object.fromEntries(made.map((part, i) => [`${names[i]} ${i}`, each(part)]))
    return {
      connector: combineConnectors(
        named(({ connector }) => connector),
        policy(),
      ),
      listener: combineListeners(named(({ listener }) => listener)),
      async restart() {
        return combineListeners(await Promise.all(made.map((part) => part.restart())))
      },
    }
  }
}

const policies: Readonly<Record<string, { policy: () => Policy; one: boolean }>> = {
  first: { policy: first, one: true },
  failover: { policy: failover, one: true },
  race: { policy: () => race({ delayMs: 10 }), one: true },
  route: {
    policy: () => (members) =>
      route(({ pattern }) => (pattern === 'unary' ? members[0]?.name : members.at(-1)?.name) ?? '')(members),
    one: false,
  },
  'balance by round_robin': { policy: () => balance('round_robin'), one: false },
  'balance by least_in_flight': { policy: () => balance('least_in_flight'), one: false },
  'balance by power_of_two_choices': { policy: () => balance('power_of_two_choices'), one: false },
}

for (const [name, { policy, one }] of Object.entries(policies)) {
  for (const names of [['mem'], ['quic', 'http2'], ['http2', 'mem']]) {
    describeTransport(`${name} over ${names.join(' and ')}`, {
      setup: combine(names, policy),
      capabilities: {
        window: 200_000,
        guaranteedWindow: names.includes('mem') ? 64 : 5_000,
        restart: true,
        // Limits hold for each member.
        maxConcurrentStreams: one || names.length === 1,
      },
    })
  }
}
