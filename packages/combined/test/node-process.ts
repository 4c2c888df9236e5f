import { openSync, writeSync } from 'node:fs'
import { CountingServer } from './counter.ts'
import { type Certificate, NETWORK_TRANSPORTS, type NetworkTransport } from './transports.ts'

/** What a process of a server is told. */
export interface NodeSettings {
  readonly transport: string
  readonly port: number
  readonly certificate: Certificate
  /** Where it writes which calls it runs, a line each. */
  readonly runs: string
}

const settings = JSON.parse(process.argv[2] as string) as NodeSettings
const { listen } = NETWORK_TRANSPORTS[settings.transport] as NetworkTransport
const runs = openSync(settings.runs, 'a')
let running = 0
const server = new CountingServer(await listen(settings.port, settings.certificate), (n) => {
  // What is written stays, also when the process is killed in the next instant.
  writeSync(runs, `${n}\n`)
  process.send?.({ running: ++running })
})
process.on('message', () => server.release())
process.on('disconnect', () => process.exit())
process.send?.({ address: server.addresses[0] })
