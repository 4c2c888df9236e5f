import { type Handlers, service, unary } from '@qrpc/core'
import { Calc, calcHandlers } from './calc.ts'
import type { ClockState } from './clock.ts'
import { Tools, toolsHandlers } from './tools.ts'

/** The whole: `app/version`, `app.tools.calc/add`, `app.tools.clock/ticks`, and `app.billing/add`, which is `Calc` again. */
export const App = service('app', {
  version: unary<void, string>(),
  tools: Tools,
  billing: Calc,
})

export function appHandlers(clock: ClockState): Handlers<typeof App> {
  return { version: () => '0.1-alpha', tools: toolsHandlers(clock), billing: calcHandlers }
}
