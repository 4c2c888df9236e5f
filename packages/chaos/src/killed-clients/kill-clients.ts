import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createClient, serve } from '@qrpc/core'
import type { Certificate } from '../certificate.ts'
import { bytesOf, Chaos } from '../contract.ts'
import type { Random } from '../random.ts'
import { chaosHandlers, chaosServing } from '../server/handlers.ts'
import { connect, listen, type NetworkTransport } from '../transports.ts'
import type { ClientSettings } from './client-process.ts'
import { RunningCalls } from './running-calls.ts'

/** Whose clients are killed, and how many. */
export interface KillsOptions {
  readonly transport: NetworkTransport
  readonly certificate: Certificate
  /** A folder for sockets. */
  readonly directory: string
  readonly random: Random
  readonly kills: number
}

const CALLERS = 8
/** After how many calls the client is killed, at most. */
const MOST_CALLS = 60
const IDS_PER_CLIENT = 1_000_000
/** After how long a server must have let go of a client that was killed: it notices silence after a second. */
const LET_GO_MS = 20_000
const START_MS = 30_000

/**
 * Kills processes of clients in the middle of calls of all kinds, one after the other. The server must let go of each: its
 * handlers end, its connection goes, nothing is kept; and a client beside them must not notice.
 *
 * @returns What happened that must not.
 */
export async function killClients(options: KillsOptions): Promise<string[]> {
  const { transport, certificate, directory, random, kills } = options
  const calls = new RunningCalls()
  const listener = await listen({ transport, port: 0, path: join(directory, `${transport}.sock`), certificate })
  const server = serve(Chaos, chaosHandlers(calls), listener, chaosServing(calls))
  const address = listener.addresses[0] as string
  await using connector = connect(transport, address, certificate)
  const other = createClient(Chaos, connector)
  const otherGoesOn = async (): Promise<void> => {
    const id = -calls.count - 1
    await other.echo({ id, updates: 0, responses: 0, bytes: bytesOf(id, 0, 100) })
  }
  await otherGoesOn()
  for (let kill = 0; kill < kills; kill++) {
    const settings: ClientSettings = {
      transport,
      address,
      certificate,
      seed: random.between(0, 2 ** 30),
      firstId: (kill + 1) * IDS_PER_CLIENT,
      callers: CALLERS,
    }
    const client = await startClient(settings)
    const until = calls.count + random.between(1, MOST_CALLS)
    while (calls.count < until || calls.size === 0) await otherGoesOn()
    const exited = once(client, 'exit')
    client.kill('SIGKILL')
    await exited
    for (const start = performance.now(); calls.size > 0 || listener.counters.connections > 1; ) {
      await otherGoesOn()
      if (performance.now() - start < LET_GO_MS) continue
      calls.wrong(
        `${calls.size} handlers and ${listener.counters.connections - 1} connections of a killed client are left`,
      )
      break
    }
  }
  await server.close({ graceMs: 0 })
  while (listener.counters.connections > 0) await nextTurn()
  if (listener.counters.bytesKept !== 0) calls.wrong(`${listener.counters.bytesKept} bytes are kept for nobody`)
  return calls.wrongs.map((wrong) => `${transport}, killed clients: ${wrong}`)
}

/** Resolves when a call of the client has gone well. */
async function startClient(settings: ClientSettings): Promise<ChildProcess> {
  const client = fork(new URL('./client-process.ts', import.meta.url), [JSON.stringify(settings)], {
    execArgv: ['--conditions=@qrpc/source', '--import', 'tsx'],
  })
  await once(client, 'message', { signal: AbortSignal.timeout(START_MS) })
  return client
}
