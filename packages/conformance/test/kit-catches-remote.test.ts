import { type ConformanceCase, conformanceCases, inTwoProcesses, runCase } from '@qrpc/conformance'
import { expect, test } from 'vitest'
import type { Break } from './broken-listener-process.ts'
import { WINDOW } from './tcp/tcp-channel.ts'
import { TcpConnector } from './tcp/tcp-connector.ts'

// What is broken on the other side of the relay must be seen through it.

async function expectCaught(broken: Break, group: string, name: RegExp, error: RegExp): Promise<void> {
  const under = {
    ...inTwoProcesses({
      module: new URL('./broken-listener-process.ts', import.meta.url),
      execArgv: ['--conditions=@qrpc/source', '--import', 'tsx'],
      settings: broken,
      connect: ([address]) => new TcpConnector(address as string),
    }),
    capabilities: { window: WINDOW, restart: false, maxConcurrentStreams: false },
  }
  const found = conformanceCases[group]?.find((candidate) => name.test(candidate.name)) as ConformanceCase
  try {
    await expect(runCase(under, found, { timeout: 1000 })).rejects.toThrow(error)
  } finally {
    await under.stop()
  }
}

test('the kit catches a listener in another process that ignores the window', async () => {
  // It produces without end: the case does not get as far as to count, unless the machine stops long enough.
  await expectCaught('ignores the window', 'backpressure', /^a server that streams/, /hangs|to be less than/)
})

test('the kit catches a listener in another process that does not tell of a cancel', async () => {
  await expectCaught('does not tell of a cancel', 'cancellation', /^unary, by signal/, /hangs/)
})

test('the kit catches a listener in another process that loses the end', async () => {
  await expectCaught('loses the end', 'patterns', /an empty stream ends/, /hangs/)
})
