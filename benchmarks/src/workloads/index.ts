import { type Population, populations } from './populations.ts'
import { rateWorkloads } from './rates.ts'
import type { RateWorkload } from './workload.ts'

/** @throws Error for a name that no workload of this kind has. */
export function rateWorkload(name: string): RateWorkload {
  return named(rateWorkloads, name)
}

/** @throws Error for a name that no workload of this kind has. */
export function population(name: string): Population {
  return named(populations, name)
}

function named<T>(all: Readonly<Record<string, T>>, name: string): T {
  const found = Object.hasOwn(all, name) ? all[name] : undefined
  if (found === undefined) throw new Error(`there is no workload "${name}"`)
  return found
}
