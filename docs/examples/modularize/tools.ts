import { type Handlers, service } from '@qrpc/core'
import { Calc, calcHandlers } from './calc.ts'
import { Clock, type ClockState } from './clock.ts'

/** Composes two others, and knows nothing of what it becomes a part of. */
export const Tools = service('tools', { calc: Calc, clock: Clock })

export function toolsHandlers(clock: ClockState): Handlers<typeof Tools> {
  return { calc: calcHandlers, clock: clock.handlers }
}
