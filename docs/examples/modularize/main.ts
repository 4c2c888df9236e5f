import { createClient, serve } from '@qrpc/core'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { App, appHandlers } from './app.ts'
import { average } from './average.ts'
import { ClockState } from './clock.ts'

using clock = new ClockState(10)
const { connector, listener } = createMemoryTransport()
await using _server = serve(App, appHandlers(clock), listener)
await using app = createClient(App, connector)

console.log('version', await app.version())
console.log('40 + 2 =', await app.tools.calc.add([40, 2]))

// A part of the client is a client of the part, and so is one that is made of that part of the contract.
console.log('average', await average(app.tools.calc, [4, 8, 30]))
console.log('average', await average(createClient(App.billing, connector), [1, 2]))

for await (const tick of app.tools.clock.ticks()) {
  console.log('tick', tick)
  if (tick >= 3) break
}
