import { createClient, serve, service, unary } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { expect, test } from 'vitest'
import { expectStatus } from '../../wire/test/support/expect-status.ts'

const Slow = service('slow', { run: unary<boolean, string>() })

test.each([true, false])(
  'a client that cancels calls whose handlers run on is refused in the end, and no other client (lanes: %s)',
  async (lanes) => {
    let release!: () => void
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    let running = 0
    const run = async (wait: boolean): Promise<string> => {
      running++
      if (wait) await released
      return 'done'
    }
    const listener = await listenHttp2()
    await using _server = serve(Slow, { run }, listener, { maxAbandonedCalls: 50, onError() {} })
    await using attacking = connectHttp2(listener.addresses[0] as string, { lanes })
    await using behaving = connectHttp2(listener.addresses[0] as string, { lanes })
    const attacker = createClient(Slow, attacking)
    const other = createClient(Slow, behaving)
    for (let n = 1; n <= 50; n++) {
      const abort = new AbortController()
      const outcome = expectStatus(attacker.run(true, { signal: abort.signal }), 'cancelled')
      while (running < n) await new Promise(setImmediate)
      abort.abort()
      await outcome
    }
    // What it has cancelled last may still be on its way.
    while ((await attacker.run(false).catch((error: { code: string }) => error.code)) !== 'resource_exhausted');
    expect(await other.run(false)).toBe('done')
    release()
    while ((await attacker.run(false).catch(() => 'refused')) === 'refused');
    expect(await attacker.run(false)).toBe('done')
  },
)
