import { describe } from 'vitest'
import { testBufferLimits } from './buffer-limits.ts'
import { testConnectionLimits } from './connection-limits.ts'
import { testMessageLimits } from './message-limits.ts'
import type { NetworkUnderTest } from './network.ts'

/** Declares the cases that a transport over a network owes besides those of `describeTransport`: its limits, and their counters. */
export function describeLimits(name: string, network: NetworkUnderTest): void {
  describe.each([
    ['on lanes', true],
    ['with a stream for each call', false],
  ])(`the limits of ${name}, %s`, (_, lanes) => {
    testMessageLimits(network, lanes)
    testConnectionLimits(network, lanes)
  })
  describe(`the buffers of ${name}`, () => {
    testBufferLimits(network)
  })
}
