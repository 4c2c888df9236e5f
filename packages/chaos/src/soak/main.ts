import { writeFileSync } from 'node:fs'
import { soakChart } from './chart.ts'
import { readOptions, USAGE } from './options.ts'
import type { Sample } from './samples.ts'
import { soak } from './soak.ts'

const MOST_SAMPLES = 120

async function main(): Promise<void> {
  const { help, minutes, seed, chart } = readOptions(process.argv.slice(2))
  if (help) {
    console.log(USAGE)
    return
  }
  const durationMs = minutes * 60_000
  const { samples, calls, faults, wrongs } = await soak({
    seed,
    durationMs,
    sampleMs: durationMs / MOST_SAMPLES,
    onSample: print,
  })
  const what = `${calls.toLocaleString('en')} calls, ${faults.toLocaleString('en')} faults`
  console.log(`${minutes} min: ${what}`)
  if (chart !== undefined) {
    const where = `Node.js ${process.version.slice(1)}, all clients and most servers in this process`
    writeFileSync(chart, soakChart(`${minutes} min of calls under faults`, `${what}; ${where}`, samples))
  }
  for (const wrong of wrongs) console.log(`WRONG ${wrong}`)
  if (wrongs.length === 0) return
  console.log(`again: npm run soak -- --minutes ${minutes} --seed ${seed}`)
  process.exitCode = 1
}

function print({ at, rss, heap, handles, p50, p99, calls }: Sample): void {
  const memory = `${rss.toFixed(0)} MiB, ${heap.toFixed(1)} MiB of objects`
  console.log(
    `${at.toFixed(0)} s: ${memory}, ${handles} handles, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${calls} calls`,
  )
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error && error.message.startsWith('--') ? `${error.message}\n\n${USAGE}` : error)
  process.exitCode = 1
})
