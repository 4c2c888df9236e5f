import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { makeCertificate } from './certificate.ts'
import { killClients } from './killed-clients/kill-clients.ts'
import { leftBehind } from './left-behind.ts'
import { Random } from './random.ts'
import { type RoundOptions, type RoundReport, runRound } from './round.ts'
import type { SiteKind } from './site.ts'
import { cutEverywhere, type StepsReport } from './steps/cut-everywhere.ts'
import { TemporaryFolder } from './temporary-folder.ts'
import type { NetworkTransport } from './transports.ts'

/** How much goes wrong, and where. */
export interface ChaosOptions extends Omit<RoundOptions, 'kind' | 'certificate' | 'directory'> {
  readonly sites: readonly SiteKind[]
  /** How many sites are under fire at a time. */
  readonly atATime: number
  /** Hears of each site that is done. */
  readonly onRound?: (kind: SiteKind, report: RoundReport) => void
}

/** Makes random calls on all sites while things go wrong. @returns What happened that must not. */
export async function chaos(options: ChaosOptions): Promise<string[]> {
  using folder = new TemporaryFolder()
  const certificate = await makeCertificate()
  const wrongs: string[] = []
  const waiting = [...options.sites]
  const worker = async (): Promise<void> => {
    for (let kind = waiting.shift(); kind !== undefined; kind = waiting.shift()) {
      const directory = join(folder.path, kind.name)
      mkdirSync(directory)
      try {
        const report = await runRound({ ...options, kind, certificate, directory })
        wrongs.push(...report.wrongs.map((wrong) => `${kind.name}: ${wrong}`))
        options.onRound?.(kind, report)
      } catch (error) {
        // The others go on, so that nothing of them is left when all is over.
        wrongs.push(`${kind.name}: the round failed with ${String(error)}`)
      }
    }
  }
  const left = await leftBehind(async () => {
    await Promise.all(Array.from({ length: options.atATime }, worker))
  })
  return [...wrongs, ...left]
}

/** What is cut. */
export interface CutsOptions {
  readonly seed: number
  readonly transports: readonly NetworkTransport[]
  /** How much of each step comes through: nothing, half of it, all. */
  readonly shares: readonly number[]
  /** Hears of each transport that is done. */
  readonly onTransport?: (transport: NetworkTransport, report: StepsReport) => void
}

/** Cuts connections at every step of the protocol, over all transports at a time. @returns What happened that must not. */
export async function cuts({ seed, transports, shares, onTransport }: CutsOptions): Promise<string[]> {
  using folder = new TemporaryFolder()
  const certificate = await makeCertificate()
  const wrongs: string[] = []
  const left = await leftBehind(async () => {
    await Promise.all(
      transports.map(async (transport) => {
        const random = new Random(seed).fork(transport)
        const report = await cutEverywhere({ transport, certificate, directory: folder.path, random, shares })
        wrongs.push(...report.wrongs)
        onTransport?.(transport, report)
      }),
    )
  })
  return [...wrongs, ...left]
}

/** Which clients are killed. */
export interface KilledClientsOptions {
  readonly seed: number
  readonly transports: readonly NetworkTransport[]
  /** How many clients of each transport. */
  readonly kills: number
}

/** Kills processes of clients in the middle of calls, over all transports at a time. @returns What happened that must not. */
export async function killedClients({ seed, transports, kills }: KilledClientsOptions): Promise<string[]> {
  using folder = new TemporaryFolder()
  const certificate = await makeCertificate()
  const wrongs: string[] = []
  const left = await leftBehind(async () => {
    await Promise.all(
      transports.map(async (transport) => {
        const random = new Random(seed).fork(transport)
        wrongs.push(...(await killClients({ transport, certificate, directory: folder.path, random, kills })))
      }),
    )
  })
  return [...wrongs, ...left]
}
