import { afterAll, describe, test } from 'vitest'
import type { ConformanceCase } from './case.ts'
import { conformanceCases } from './cases/index.ts'
import { DEFAULT_TIMEOUT_MS, type RunOptions, runCase } from './run-case.ts'
import type { TransportUnderTest } from './transport.ts'

/**
 * Declares a vitest suite with all that a transport owes.
 *
 * @example
 * ```ts
 * describeTransport('mem', {
 *   setup(options) {
 *     const { connector, listener, listen } = createMemoryTransport(options)
 *     return { connector, listener, restart: listen }
 *   },
 *   capabilities: { window: 64, restart: true, maxConcurrentStreams: true },
 * })
 * ```
 */
export function describeTransport(name: string, transport: TransportUnderTest, options?: RunOptions): void {
  // Longer than a case and its closing may take: the kit knows better than vitest what hangs.
  const patience = 2 * (options?.timeout ?? DEFAULT_TIMEOUT_MS) + 5000
  describe(`${name} conforms`, () => {
    afterAll(() => transport.stop?.())
    for (const [group, cases] of Object.entries(conformanceCases)) {
      const applicable = cases.filter((candidate) => applies(transport, candidate))
      if (applicable.length === 0) continue
      describe(group, () => {
        for (const conformanceCase of applicable) {
          test(conformanceCase.name, () => runCase(transport, conformanceCase, options), patience)
        }
      })
    }
  })
}

/** Whether the transport can do what the case needs. */
export function applies({ capabilities }: TransportUnderTest, { needs }: ConformanceCase): boolean {
  return needs === undefined || Boolean(capabilities[needs])
}
