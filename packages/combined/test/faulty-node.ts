import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { Connector } from '@qrpc/core'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { CountingServer } from './counter.ts'
import type { NodeSettings } from './node-process.ts'
import { type Certificate, NETWORK_TRANSPORTS, type NetworkTransport, portOf } from './transports.ts'

/** A server that a test takes away and brings back, and a connector to it. */
export interface FaultyNode {
  readonly address: string
  readonly connector: Connector
  /** How many calls have reached it since it was started. */
  readonly running: number
  /** Which calls it has run, of all times; those that it ran twice are there twice. */
  runs(): readonly number[]
  release(): unknown
  kill(): Promise<void>
  start(): Promise<void>
}

/** Starts a server. */
export type StartNode = (transport: string, name: string, certificate: Certificate, runs: string) => Promise<FaultyNode>

/** A server in this process, which is closed without grace. */
export const startHere: StartNode = async (transport, name, certificate) => {
  const ran: number[] = []
  let running = 0
  const onRun = (n: number): void => {
    ran.push(n)
    running++
  }
  const listen = await listenHere(transport, name, certificate)
  let server = new CountingServer(listen.first, onRun)
  const [address] = server.addresses as [string]
  return {
    address,
    connector: listen.connect(address),
    get running() {
      return running
    },
    runs: () => ran,
    release: () => server.release(),
    kill: () => server.stop(),
    async start() {
      running = 0
      server = new CountingServer(await listen.again(address), onRun)
    },
  }
}

/** A listener in this process, and how to reach it and have it once more. */
async function listenHere(transport: string, name: string, certificate: Certificate) {
  if (transport === 'mem') {
    const { connector, listener, listen } = createMemoryTransport({ name, maxConcurrentStreams: 2000 })
    return { first: listener, again: async () => listen(), connect: () => connector }
  }
  const { listen, connect } = NETWORK_TRANSPORTS[transport] as NetworkTransport
  return {
    first: await listen(0, certificate),
    again: (address: string) => listen(portOf(address), certificate),
    connect: (address: string) => connect(address, certificate),
  }
}

/** A server in a process of its own, which is killed without a word to anybody. */
export const startProcess: StartNode = async (transport, _, certificate, runs) => {
  let child!: ChildProcess
  let running = 0
  const start = async (port: number): Promise<string> => {
    const settings: NodeSettings = { transport, port, certificate, runs }
    running = 0
    child = fork(new URL('./node-process.ts', import.meta.url), [JSON.stringify(settings)], {
      execArgv: ['--conditions=@qrpc/source', '--import', 'tsx'],
    })
    const [{ address }] = (await once(child, 'message')) as [{ address: string }]
    child.on('message', (told: { running: number }) => {
      running = told.running
    })
    return address
  }
  const address = await start(0)
  const { connect } = NETWORK_TRANSPORTS[transport] as NetworkTransport
  return {
    address,
    connector: connect(address, certificate),
    get running() {
      return running
    },
    runs: () => readFileSync(runs, 'utf8').split('\n').filter(Boolean).map(Number),
    release: () => child.connected && child.send('release'),
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
    async start() {
      await start(portOf(address))
    },
  }
}
