import type { Workload } from './measure.ts'
import { memoryWorkloads } from './mem/workloads.ts'
import { networkWorkloads } from './network/workloads.ts'
import { wireWorkloads } from './wire/workloads.ts'

const GROUPS: Readonly<Record<string, Readonly<Record<string, () => Workload | Promise<Workload>>>>> = {
  mem: memoryWorkloads,
  wire: wireWorkloads,
  network: networkWorkloads,
}

/** All workloads. Each runs in a process of its own: what one does to the compiled code is not the other's. */
export const workloads: Readonly<Record<string, () => Workload | Promise<Workload>>> = Object.assign(
  {},
  ...Object.values(GROUPS),
)

/** The groups of workloads and what is in them. */
export const groups: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(GROUPS).map(([name, members]) => [name, Object.keys(members)]),
)
