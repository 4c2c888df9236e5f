import { chaos, cuts, killedClients } from './chaos.ts'
import type { FaultTimes } from './faults/fault.ts'
import { readOptions, USAGE } from './options.ts'
import type { RoundReport } from './round.ts'
import type { SiteKind } from './site.ts'
import { NETWORK_TRANSPORTS } from './transports.ts'

const TIMES: FaultTimes = { leastBetweenMs: 0, betweenMs: 2000, blackholeMs: 5000, awayMs: 2000, graceMs: 1000 }
const AT_A_TIME = 4
const CALLERS = 12
const KILLS = 10
/** Besides before, halfway and behind: the first byte alone, and all but the last few. */
const SHARES = [0, 0.01, 0.5, 0.99, 1]

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  if (options.help) {
    console.log(USAGE)
    return
  }
  for (let run = 0; run < options.runs && process.exitCode === undefined; run++) await once(options.seed + run)

  async function once(seed: number): Promise<void> {
    console.log(`seed ${seed}`)
    const { sites, faults } = options
    const wrongs = options.cuts
      ? await cuts({ seed, transports: NETWORK_TRANSPORTS, shares: SHARES, onTransport: printCuts })
      : []
    if (options.cuts) wrongs.push(...(await killedClients({ seed, transports: NETWORK_TRANSPORTS, kills: KILLS })))
    wrongs.push(
      ...(await chaos({ seed, sites, faults, callers: CALLERS, atATime: AT_A_TIME, times: TIMES, onRound: print })),
    )
    for (const wrong of wrongs) console.log(`WRONG ${wrong}`)
    if (wrongs.length === 0) return
    console.log(`again: npm run test:chaos -- --runs 1 --seed ${seed} --faults ${faults}`)
    process.exitCode = 1
  }
}

function printCuts(transport: string, report: { readonly cuts: number }): void {
  console.log(`  ${transport}: ${report.cuts} connections cut step by step`)
}

function print({ name }: SiteKind, { calls, outcomes }: RoundReport): void {
  const parts = [...outcomes].toSorted(([, a], [, b]) => b - a).map(([outcome, count]) => `${count} ${outcome}`)
  console.log(`  ${name}: ${calls} calls, ${parts.join(', ')}`)
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error && error.message.startsWith('--') ? `${error.message}\n\n${USAGE}` : error)
  process.exitCode = 1
})
