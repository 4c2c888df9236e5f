import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createClient } from '@qrpc/core'
import { connectHttp2 } from '@qrpc/transport-http2'
import { connectQuic } from '@qrpc/transport-quic'
import { makeCertificate } from '../certificate.ts'
import { bytesOf, Chaos } from '../contract.ts'
import type { AttackerSettings } from './attacker-process.ts'
import { ATTACKS } from './attacks.ts'
import type { VictimSettings } from './victim-process.ts'

/** How the calls of a client went that behaved while another one did not. */
export interface Measured {
  readonly attack: string
  readonly transport: string
  readonly calls: number
  readonly failed: number
  /** Of its calls, one after the other, in ms. */
  readonly p50: number
  readonly p99: number
}

/** How long each attack goes on, in ms. */
export interface MeasureOptions {
  readonly durationMs: number
  readonly onMeasured?: (measured: Measured) => void
}

const WARM_UP_CALLS = 200
const START_MS = 30_000

/** Makes calls while nothing happens, and during each attack; server and attacker have processes of their own. */
export async function measureAttacks({ durationMs, onMeasured }: MeasureOptions): Promise<Measured[]> {
  const certificate = await makeCertificate()
  const all: Measured[] = []
  for (const transport of ['http2', 'quic'] as const) {
    const victim = await start<VictimSettings>('./victim-process.ts', { transport, certificate })
    const address = victim.said
    await using connector =
      transport === 'quic' ? connectQuic(address, { tls: { ca: certificate.cert } }) : connectHttp2(address)
    const client = createClient(Chaos, connector)
    let ids = 0
    const call = async (): Promise<void> => {
      const id = ids++
      await client.echo({ id, updates: 0, responses: 0, bytes: bytesOf(id, 0, 100) }, { timeout: 10_000 })
    }
    for (let n = 0; n < WARM_UP_CALLS; n++) await call()
    const measure = async (attack: string): Promise<void> => {
      const times: number[] = []
      let failed = 0
      for (const start = performance.now(); performance.now() - start < durationMs; ) {
        const begun = performance.now()
        await call().catch(() => failed++)
        times.push(performance.now() - begun)
      }
      const sorted = times.toSorted((a, b) => a - b)
      const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0
      const measured = { attack, transport, calls: times.length, failed, p50: at(0.5), p99: at(0.99) }
      all.push(measured)
      onMeasured?.(measured)
    }
    await measure('none')
    for (const [index, attack] of ATTACKS.entries()) {
      if (attack.transport !== transport) continue
      const attacker = await start<AttackerSettings>('./attacker-process.ts', { attack: index, address, certificate })
      await measure(attack.name)
      await attacker.kill()
    }
    await connector.close()
    await victim.kill()
  }
  return all
}

/** A process of a module here, and the first thing that it has said. */
async function start<Settings>(module: string, settings: Settings) {
  const child = fork(new URL(module, import.meta.url), [JSON.stringify(settings)], {
    execArgv: ['--conditions=@qrpc/source', '--import', 'tsx'],
  })
  const [said] = (await once(child, 'message', { signal: AbortSignal.timeout(START_MS) })) as [string]
  return {
    said,
    async kill(): Promise<void> {
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}
