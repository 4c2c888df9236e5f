import { parseArgs } from 'node:util'
import { readNumber } from '../options.ts'

export const USAGE = `npm run soak -- [options]
  --minutes N   how long. Default: 10
  --seed N      the plans of calls and faults are the same for the same one. Default: 1
  --chart FILE  where to draw memory, handles and latency over time, as an SVG. Default: nowhere`

/** What the command line asks for. */
export interface Options {
  readonly help: boolean
  readonly minutes: number
  readonly seed: number
  readonly chart: string | undefined
}

/** @throws Error that says what on the command line makes no sense. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', default: false },
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      chart: { type: 'string' },
    },
  })
  return {
    help: values.help,
    minutes: readNumber('minutes', values.minutes, 1),
    seed: readNumber('seed', values.seed, 0),
    chart: values.chart,
  }
}
