import { balance, combineConnectors, failover, first, type Policy, race } from '@qrpc/combined'
import { type Client, type Connector, createClient, serve } from '@qrpc/core'
import { connectHttp2 } from '@qrpc/transport-http2'
import { createMemoryTransport } from '@qrpc/transport-mem'
import type { Contestant, Part } from '../parts/measure.ts'
import { handlers, Work } from './contract.ts'
import { startServers } from './servers.ts'

const POLICIES: Readonly<Record<string, () => Policy>> = { first, failover, race, balance }
const IN_FLIGHT = 64
// A handler that is worth a process of its own.
const WORK_US = 1000
// Small numbers: those that leave the range of small integers would be measured instead of the calls.
const MASK = 7

/** What it costs to combine connectors, and what it brings, by the name that `--workload` takes. */
export const combinedParts: Readonly<Record<string, () => Part>> = {
  ...Object.fromEntries(Object.keys(POLICIES).map((name) => [`combined-mem-${name}`, () => overMemory(name)])),
  'combined-mem-two': overTwoMemories,
  'combined-http2': overHttp2,
  'balance-http2': () =>
    balanceOfTwo(
      `with ${WORK_US} µs of work each`,
      ({ compute }) =>
        () =>
          compute(WORK_US),
    ),
  'balance-http2-no-work': () => balanceOfTwo('without work', ({ sqr }) => sqr),
}

function memory(): Connector {
  const { connector, listener } = createMemoryTransport()
  serve(Work, handlers, listener)
  return connector
}

function client(...[connectors, policy]: Parameters<typeof combineConnectors>): Client<typeof Work> {
  return createClient(Work, combineConnectors(connectors, policy))
}

function overMemory(name: string): Part {
  const plain = createClient(Work, memory())
  const combined = client([memory()], POLICIES[name]?.())
  return {
    title: `Unary calls over mem, and over mem combined with "${name}"`,
    contestants: [
      { name: 'mem', run: (count) => inSequence(count, plain.sqr) },
      { name: `combined, ${name}`, run: (count) => inSequence(count, combined.sqr) },
    ],
  }
}

function overTwoMemories(): Part {
  const plain = createClient(Work, memory())
  return {
    title: 'Unary calls over mem, and over two of them combined',
    contestants: [
      { name: 'mem', run: (count) => inSequence(count, plain.sqr) },
      ...Object.entries(POLICIES).map(([name, policy]): Contestant => {
        const combined = client([memory(), memory()], policy())
        return { name: `combined, ${name}`, run: (count) => inSequence(count, combined.sqr) }
      }),
    ],
  }
}

function overHttp2(): Part {
  const server = startServers(1)
  const contestant = (name: string, connect: (address: string) => Client<typeof Work>): Contestant => {
    const connected = server.then(([address]) => connect(address as string))
    return { name, run: async (count) => inParallel(count, (await connected).sqr) }
  }
  return {
    title: `Unary calls over http2, and over http2 combined, ${IN_FLIGHT} in flight`,
    contestants: [
      contestant('http2', (address) => createClient(Work, connectHttp2(address))),
      contestant('http2, once more', (address) => createClient(Work, connectHttp2(address))),
      ...Object.entries(POLICIES).map(([name, policy]) =>
        contestant(`combined, ${name}`, (address) => client([connectHttp2(address)], policy())),
      ),
    ],
  }
}

function balanceOfTwo(what: string, call: (client: Client<typeof Work>) => (n: number) => Promise<number>): Part {
  const servers = startServers(2)
  const contestant = (name: string, connect: (addresses: readonly string[]) => Connector): Contestant => {
    const connected = servers.then((addresses) => createClient(Work, connect(addresses)))
    return { name, run: async (count) => inParallel(count, call(await connected)) }
  }
  return {
    title: `Unary calls ${what} over http2 to one server process and to two, ${IN_FLIGHT} in flight`,
    contestants: [
      contestant('one server', ([address]) => connectHttp2(address as string)),
      contestant('balance over two', (addresses) =>
        combineConnectors(
          addresses.map((address) => connectHttp2(address)),
          balance(),
        ),
      ),
    ],
  }
}

async function inSequence(count: number, call: (n: number) => Promise<number>): Promise<void> {
  for (let n = 0; n < count; n++) await call(n & MASK)
}

async function inParallel(count: number, call: (n: number) => Promise<number>): Promise<void> {
  const each = Math.ceil(count / IN_FLIGHT)
  await Promise.all(Array.from({ length: IN_FLIGHT }, () => inSequence(each, call)))
}
