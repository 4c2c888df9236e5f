import { parts } from './parts/index.ts'
import { measure } from './parts/measure.ts'
import { obey } from './run/obey.ts'
import type { PartOrder } from './run/orders.ts'

obey(async ({ part: name, rounds, roundMs }: PartOrder) => {
  const part = parts[name]?.()
  if (part === undefined) throw new Error(`there is no part "${name}"`)
  return { title: part.title, rates: await measure(part, { rounds, roundMs }) }
})
