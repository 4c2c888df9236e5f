import { parseArgs } from 'node:util'
import type { Target } from './engine/target.ts'
import { TARGETS } from './targets/index.ts'

export const USAGE = `npm run fuzz -- [options]
  --minutes N    how long all targets together are fuzzed. Default: 10
  --seed N       where random choices begin. Default: any
  --target NAME  only this one; can be given several times:
                 ${TARGETS.map(({ name }) => name).join(', ')}
  --input FILE   tries this input on the target, and no others`

/** What the command line asks for. */
export interface Options {
  readonly help: boolean
  readonly minutes: number
  readonly seed: number
  readonly targets: readonly Target[]
  /** An input to try, in a file. */
  readonly input: string | undefined
}

const MOST_SEEDS = 2 ** 31

/** @throws Error that says what on the command line makes no sense. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', default: false },
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string' },
      target: { type: 'string', multiple: true, default: [] },
      input: { type: 'string' },
    },
  })
  const { help, minutes, seed, target, input } = values
  if (input !== undefined && target.length !== 1) throw new Error('--input: give the one --target that it is for')
  return {
    help,
    minutes: readNumber('minutes', minutes, Number.MIN_VALUE),
    seed: seed === undefined ? Math.floor(Math.random() * MOST_SEEDS) : Math.floor(readNumber('seed', seed, 0)),
    targets: target.length === 0 ? TARGETS : target.map(readTarget),
    input,
  }
}

function readNumber(option: string, text: string, min: number): number {
  const number = Number(text)
  if (text !== '' && number >= min && number < MOST_SEEDS) return number
  throw new Error(`--${option} ${text}: give a number ${min === 0 ? 'from' : 'above'} 0`)
}

function readTarget(name: string): Target {
  const target = TARGETS.find((one) => one.name === name)
  if (target === undefined)
    throw new Error(`--target ${name}: give one of ${TARGETS.map((one) => one.name).join(', ')}`)
  return target
}
