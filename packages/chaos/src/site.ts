import { join } from 'node:path'
import { balance, combineConnectors, failover, first, type Policy, race, route } from '@qrpc/combined'
import type { Connector } from '@qrpc/core'
import { createMemoryTransport } from '@qrpc/transport-mem'
import type { Certificate } from './certificate.ts'
import type { Ledger } from './ledger.ts'
import type { Network } from './network/network.ts'
import { type OnChannel, OpenChannels } from './open-channels.ts'
import type { Random } from './random.ts'
import type { ServerNode } from './server/node.ts'
import { NodeHere } from './server/node-here.ts'
import { ProcessNode } from './server/process-node.ts'
import {
  connect,
  listen,
  MAX_STREAMS,
  type NetworkTransport,
  type Place,
  portOf,
  startNetwork,
  type Transport,
} from './transports.ts'

/** What clients are connected to. */
export interface SiteKind {
  readonly name: string
  /** One server each. */
  readonly transports: readonly Transport[]
  /** How they are combined; a single one is not. */
  readonly policy?: () => Policy
  /** Whether servers have processes of their own. Default: false. */
  readonly processes?: boolean
}

const BACKOFF = { initialBackoffMs: 5, maxBackoffMs: 50 }

/** Each transport by itself, and each policy over several. */
export const SITES: readonly SiteKind[] = [
  { name: 'mem', transports: ['mem'] },
  { name: 'http2', transports: ['http2'] },
  { name: 'http2-tls', transports: ['http2-tls'] },
  { name: 'unix', transports: ['unix'] },
  { name: 'quic', transports: ['quic'] },
  { name: 'first', transports: ['quic', 'http2'], policy: first },
  { name: 'failover', transports: ['http2-tls', 'quic'], policy: failover },
  { name: 'race', transports: ['quic', 'http2'], policy: () => race({ delayMs: 20 }) },
  {
    name: 'route',
    transports: ['quic', 'unix'],
    policy: () => route(({ pattern }) => (pattern === 'unary' || pattern === 'notify' ? '0' : '1')),
  },
  { name: 'balance', transports: ['mem', 'http2', 'unix', 'quic'], policy: () => balance() },
  { name: 'balance-least', transports: ['http2', 'http2'], policy: () => balance('least_in_flight') },
  { name: 'balance-robin', transports: ['quic', 'http2-tls'], policy: () => balance('round_robin') },
  { name: 'processes', transports: ['http2', 'quic'], policy: failover, processes: true },
]

/** A server, and what is between it and its clients; nothing but the process itself for mem. */
export interface Target {
  readonly node: ServerNode
  readonly network: Network | undefined
}

/** What a site is made with. */
export interface SiteTools {
  readonly ledger: Ledger
  readonly random: Random
  readonly certificate: Certificate
  /** A folder for sockets and journals. */
  readonly directory: string
  readonly onChannel?: OnChannel | undefined
}

/** Servers, the networks before them, and a connector to them all. */
export class Site implements AsyncDisposable {
  readonly targets: readonly Target[]
  readonly connector: Connector
  readonly channels: OpenChannels

  private constructor(targets: readonly Target[], connector: Connector, channels: OpenChannels) {
    this.targets = targets
    this.connector = connector
    this.channels = channels
  }

  static async start(kind: SiteKind, tools: SiteTools): Promise<Site> {
    const channels = new OpenChannels(tools.onChannel)
    const started = await Promise.all(
      kind.transports.map((transport, i) => {
        const name = `${kind.name}-${i}`
        if (transport === 'mem') return startMem(name, tools, channels)
        return startOver(transport, name, kind.processes === true, tools, channels)
      }),
    )
    const connectors = started.map(({ connector }) => channels.watchConnector(connector))
    const connector =
      kind.policy === undefined
        ? (connectors[0] as Connector)
        : combineConnectors(Object.fromEntries(connectors.entries()), kind.policy(), BACKOFF)
    return new Site(
      started.map(({ target }) => target),
      connector,
      channels,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connector.close()
    for (const { node, network } of this.targets) {
      await node[Symbol.asyncDispose]()
      await network?.[Symbol.asyncDispose]()
    }
  }
}

async function startOver(
  transport: NetworkTransport,
  name: string,
  inProcess: boolean,
  { ledger, random, certificate, directory }: SiteTools,
  channels: OpenChannels,
) {
  const place: Place = { transport, port: 0, path: join(directory, name), certificate }
  const node = inProcess
    ? new ProcessNode(place, ledger, join(directory, `${name}.journal`))
    : new NodeHere((was) => listen({ ...place, port: portOf(was ?? '') }), ledger, channels)
  await node.start()
  const network = await startNetwork(transport, node.address, random.fork(name))
  return { target: { node, network }, connector: connect(transport, network.address, certificate) }
}

async function startMem(name: string, { ledger }: SiteTools, channels: OpenChannels) {
  const { connector, listener, listen } = createMemoryTransport({ name, maxConcurrentStreams: MAX_STREAMS })
  const node = new NodeHere(async (was) => (was === undefined ? listener : listen()), ledger, channels)
  await node.start()
  return { target: { node, network: undefined }, connector }
}
