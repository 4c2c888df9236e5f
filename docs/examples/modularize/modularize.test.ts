import { createClient, serve } from '@qrpc/core'
import { createMemoryTransport } from '@qrpc/transport-mem'
import { expect, test } from 'vitest'
import { App, appHandlers } from './app.ts'
import { average } from './average.ts'
import { Calc, calcHandlers } from './calc.ts'
import { ClockState } from './clock.ts'

function startApp() {
  const clock = new ClockState()
  const { connector, listener } = createMemoryTransport()
  const methods: string[] = []
  const server = serve(App, appHandlers(clock), listener, {
    interceptors: [
      (call, next) => {
        methods.push(call.method)
        return next(call)
      },
    ],
  })
  return {
    clock,
    connector,
    methods,
    async [Symbol.asyncDispose]() {
      await connector.close()
      await server.close()
    },
  }
}

test('a module works with any part that is a calculator, and each is served where it is nested', async () => {
  await using bed = startApp()
  const app = createClient(App, bed.connector)
  expect(await app.version()).toBe('0.1-alpha')
  expect(await average(app.tools.calc, [4, 8, 30])).toBe(14)
  expect(await average(app.billing, [1, 2])).toBe(1.5)
  expect(await average(createClient(App.tools.calc, bed.connector), [7])).toBe(7)
  expect(bed.methods).toEqual(['app/version', 'app.tools.calc/sum', 'app.billing/sum', 'app.tools.calc/sum'])
})

test('the same part by itself', async () => {
  const { connector, listener } = createMemoryTransport()
  await using _server = serve(Calc, calcHandlers, listener)
  await using calc = createClient(Calc, connector)
  expect(await calc.add([40, 2])).toBe(42)
  expect(await average(calc, [1, 2, 3])).toBe(2)
})

test('the callers of a clock share it, and one who did not look is not behind', async () => {
  await using bed = startApp()
  const { tools } = createClient(App, bed.connector)
  using one = tools.clock.ticks()
  using other = tools.clock.ticks()
  expect(await one.receive()).toBe(0)
  expect(await other.receive()).toBe(0)
  for (let tick = 0; tick < 1000; tick++) bed.clock.tick()
  expect(await one.receive()).toBe(1000)
  expect(await other.receive()).toBe(1000)
})
