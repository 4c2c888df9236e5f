import type { Client } from '@qrpc/core'
import type { Calc } from './calc.ts'

/** A module that needs a calculator, wherever it is: it gets a client of that part, and of nothing else. */
export async function average(calc: Client<typeof Calc>, numbers: readonly number[]): Promise<number> {
  return (await calc.sum(undefined, numbers)) / numbers.length
}
