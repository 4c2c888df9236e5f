import { parseArgs } from 'node:util'
import { SITES, type SiteKind } from './site.ts'

export const USAGE = `npm run test:chaos -- [options]
  --seed N      the first one, to replay a run; each further run takes the next. Default: any
  --runs N      how often all of it is done. Default: 3
  --faults N    how many things go wrong at a site in a run. Default: 40
  --site NAME   only this one, and no cuts by step; can be given several times:
                ${SITES.map(({ name }) => name).join(', ')}`

/** What the command line asks for. */
export interface Options {
  readonly help: boolean
  readonly seed: number
  readonly runs: number
  readonly faults: number
  readonly sites: readonly SiteKind[]
  /** Whether connections are cut at every step, too. */
  readonly cuts: boolean
}

const MOST_SEEDS = 2 ** 31

/** @throws Error that says what on the command line makes no sense. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', default: false },
      seed: { type: 'string' },
      runs: { type: 'string', default: '3' },
      faults: { type: 'string', default: '40' },
      site: { type: 'string', multiple: true, default: [] },
    },
  })
  const { help, seed, runs, faults, site } = values
  return {
    help,
    seed: seed === undefined ? Math.floor(Math.random() * MOST_SEEDS) : readNumber('seed', seed, 0),
    runs: readNumber('runs', runs, 1),
    faults: readNumber('faults', faults, 0),
    sites: site.length === 0 ? SITES : site.map(readSite),
    cuts: site.length === 0,
  }
}

/** @throws Error for what is no whole number from `min`. */
export function readNumber(option: string, text: string, min: number): number {
  const number = Number(text)
  if (text === '' || !Number.isInteger(number) || number < min || number >= MOST_SEEDS) {
    throw new Error(`--${option} ${text}: give a whole number from ${min}`)
  }
  return number
}

function readSite(name: string): SiteKind {
  const kind = SITES.find((one) => one.name === name)
  if (kind === undefined) throw new Error(`--site ${name}: give one of ${SITES.map((one) => one.name).join(', ')}`)
  return kind
}
