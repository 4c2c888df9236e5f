import { parseArgs } from 'node:util'
import { peers } from './peers/index.ts'
import { type Selection, transports, workloads } from './plan.ts'
import type { Effort } from './run/case.ts'

export const USAGE = `npm run bench -- [options]
  --quick           only what the floors need, in short rounds
  --full            long rounds, and under network conditions, too
  --check           fails when a floor is missed by far, four times over
  --transport NAME  only peers over it: ${transports.join(', ')}
  --workload NAME   only this one: ${wrapped(workloads)}
  --peer NAME       only this one: ${wrapped(Object.keys(peers))}
  --json FILE       writes the results there, too
  --report FOLDER   writes the tables and charts of the report into its benchmarks.md
  --from FILE       runs nothing and takes the results that --json has written; later files count
--transport, --workload, --peer and --from can be given several times.`

/** What the command line asks for. */
export interface Options {
  readonly help: boolean
  readonly quick: boolean
  readonly check: boolean
  readonly selection: Selection
  readonly effort: Effort
  readonly json: string | undefined
  readonly report: string | undefined
  readonly from: readonly string[]
}

const EFFORTS = {
  quick: { rounds: 5, roundMs: 200, warmMs: 1000 },
  usual: { rounds: 5, roundMs: 400, warmMs: 1500 },
  full: { rounds: 7, roundMs: 500, warmMs: 1500 },
}

/** @throws Error that says what on the command line makes no sense. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      transport: { type: 'string', multiple: true, default: [] },
      workload: { type: 'string', multiple: true, default: [] },
      peer: { type: 'string', multiple: true, default: [] },
      json: { type: 'string' },
      report: { type: 'string' },
      from: { type: 'string', multiple: true, default: [] },
    },
  })
  const { quick, full } = values
  if (quick && full) throw new Error('--quick and --full: give one of them')
  known('transport', values.transport, transports)
  known('workload', values.workload, workloads)
  known('peer', values.peer, Object.keys(peers))
  return {
    help: values.help,
    quick,
    check: values.check,
    selection: {
      transports: values.transport,
      workloads: values.workload,
      peers: values.peer,
      network: full,
    },
    effort: quick ? EFFORTS.quick : full ? EFFORTS.full : EFFORTS.usual,
    json: values.json,
    report: values.report,
    from: values.from,
  }
}

function known(option: string, names: readonly string[], all: readonly string[]): void {
  for (const name of names) {
    if (!all.includes(name)) throw new Error(`--${option} ${name}: give one of ${all.join(', ')}`)
  }
}

function wrapped(names: readonly string[]): string {
  const lines: string[] = ['']
  for (const name of names) {
    const last = lines.at(-1) ?? ''
    if (last.length + name.length > 70) lines.push(name)
    else lines[lines.length - 1] = last === '' ? name : `${last}, ${name}`
  }
  return lines.join(`,\n${' '.repeat(20)}`)
}
