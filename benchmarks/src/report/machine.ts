import { readFileSync } from 'node:fs'
import { cpus, release, totalmem, type } from 'node:os'

/** Where, when and with what the figures were taken. */
export interface Machine {
  readonly date: string
  readonly node: string
  readonly system: string
  readonly processors: string
  readonly memoryGiB: number
  /** Of what was measured, by package. */
  readonly versions: Readonly<Record<string, string>>
}

const NOT_MEASURED = /^(@types\/|cli-progress|echarts|esbuild|markdown-table|selfsigned)/

/** The machine that this process runs on. */
export function thisMachine(): Machine {
  const { dependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    dependencies: Record<string, string>
  }
  const versions = Object.entries(dependencies).filter(
    ([name, version]) => !NOT_MEASURED.test(name) && /^\d/.test(version),
  )
  return {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    system: `${type()} ${release()}, ${process.arch}`,
    processors: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    versions: Object.fromEntries(versions),
  }
}
