import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Target } from './engine/target.ts'
import { Trial } from './engine/trial.ts'
import { Unheard } from './engine/unheard.ts'
import { type Options, readOptions, USAGE } from './options.ts'
import type { FoundInput, Progress } from './run/messages.ts'
import { supervise } from './run/supervise.ts'

const FINDINGS = fileURLToPath(new URL('../findings/', import.meta.url))
const SILENCE_MS = 120_000
const MS_PER_MINUTE = 60_000
const WORD_EVERY_MS = 30_000

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2))
  if (options.help) console.log(USAGE)
  else if (options.input !== undefined) await replay(options.targets[0] as Target, options.input)
  else await fuzzAll(options)
}

async function fuzzAll({ targets, minutes, seed }: Options): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'qrpc-'))
  console.log(`seed ${seed}`)
  try {
    for (const { name } of targets) {
      const start = performance.now()
      let spoken = start
      const progress = await supervise({
        module: new URL('targets/index.ts', import.meta.url).href,
        target: name,
        seed,
        ms: (minutes / targets.length) * MS_PER_MINUTE,
        current: join(folder, name),
        silenceMs: SILENCE_MS,
        onProgress(so) {
          if (performance.now() - spoken < WORD_EVERY_MS) return
          spoken = performance.now()
          print(name, so, start)
        },
      })
      print(name, progress, start)
      for (const finding of progress.findings) keep(name, finding)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function print(name: string, { executions, corpus, covered, findings }: Progress, start: number): void {
  const seconds = Math.round((performance.now() - start) / 1000)
  const wrong = findings.length === 0 ? '' : `, ${findings.length} WRONG`
  console.log(`  ${name}: ${executions} inputs in ${seconds} s, ${corpus} got further, ${covered} covered${wrong}`)
}

let kept = 0

/** Writes the input to a file, and how it is tried again. */
function keep(target: string, { what, input }: FoundInput): void {
  mkdirSync(FINDINGS, { recursive: true })
  const file = join(FINDINGS, `${target}-${process.pid}-${kept++}`)
  writeFileSync(file, Buffer.from(input, 'hex'))
  console.log(`WRONG ${target}: ${what}\nagain: npm run fuzz -- --target ${target} --input ${file}`)
  process.exitCode = 1
}

async function replay(target: Target, file: string): Promise<void> {
  using unheard = new Unheard()
  const subject = await target.open()
  try {
    const wrong = await new Trial(target, subject, unheard).one(new Uint8Array(readFileSync(file)))
    console.log(wrong === undefined ? 'nothing is wrong with it' : `WRONG ${wrong.what}`)
    if (wrong !== undefined) process.exitCode = 1
  } finally {
    await subject.close?.()
  }
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error && error.message.startsWith('--') ? `${error.message}\n\n${USAGE}` : error)
  process.exitCode = 1
})
