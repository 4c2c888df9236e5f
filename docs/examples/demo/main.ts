import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from '../temporary-directory.ts'
import { findFiles } from './input.ts'
import { run } from './run.ts'
import { count, megabytes, table } from './table.ts'
import { Tally } from './tally.ts'
import { transports } from './transports.ts'

const PACKAGES = fileURLToPath(new URL('../../../node_modules/.pnpm', import.meta.url))

async function main(source: string, signal: AbortSignal): Promise<number> {
  const files = await findFiles(source)
  if (files.length === 0) {
    console.error(`there are no files to read under ${source}`)
    return 1
  }
  const bytes = files.reduce((total, { size }) => total + size, 0)
  console.log(`${count(files.length)} files, ${megabytes(bytes)} MB, found under ${source}`)

  const tallies: Tally[] = []
  for (const transport of transports) {
    const tally = new Tally(transport.name)
    tallies.push(tally)
    await using directory = await temporaryDirectory()
    try {
      await run(transport, directory.path, files, tally, signal)
    } catch (error) {
      if (signal.aborted) return 130
      tally.fail('the run broke off', error)
    }
  }
  console.log(table(tallies))
  return tallies.some(({ errors }) => errors > 0) ? 1 : 0
}

const interruption = new AbortController()
process.once('SIGINT', () => interruption.abort())
// A directory of your own may be given instead: `npm run demo -- ~/pictures`.
process.exitCode = await main(process.argv[2] ?? PACKAGES, interruption.signal)
