import { createClient } from '@qrpc/core'
import { connectHttp2 } from '@qrpc/transport-http2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectStatus } from '../../../wire/test/support/expect-status.ts'
import { type Certificates, makeCertificates } from '../certificates.ts'
import { freePorts } from './free-ports.ts'
import { FLOOD_CHUNK, Probe } from './probe.ts'
import type { ProxyKind } from './proxy-kind.ts'
import { missing, ProxyProcess } from './proxy-process.ts'
import { TwoServers } from './two-servers.ts'
import { retried } from './waits.ts'

const MIB = 1024 * 1024

/** Holds qrpc through a proxy, in the clear and over TLS, to everything that it does without one. */
export function describeProxy(kind: ProxyKind): void {
  const why = missing(kind.command, kind.versionFlag)
  if (why !== undefined) console.warn(`skipped: qrpc through ${kind.name}: ${why}`)

  describe.skipIf(why !== undefined)(`through ${kind.name}${why === undefined ? '' : ` (${why})`}`, () => {
    let certificates: Certificates
    let servers: TwoServers
    let proxy: ProxyProcess
    let ports: { clear: number; tls: number }
    let keys = 0
    const key = (): string => `call ${++keys}`

    beforeAll(async () => {
      certificates = await makeCertificates()
      servers = await TwoServers.start()
      const [clear, tls] = (await freePorts(2)) as [number, number]
      ports = { clear, tls }
      proxy = new ProxyProcess(kind.prepare({ ...ports, servers: [servers.a.port, servers.b.port], certificates }))
      await proxy.start()
    })

    afterAll(async () => {
      await proxy?.[Symbol.asyncDispose]()
      await servers?.[Symbol.asyncDispose]()
    })

    describe.each(['in the clear', 'over TLS'])('%s', (how) => {
      function connect() {
        const backoff = { initialBackoffMs: 10, maxBackoffMs: 50 }
        const connector =
          how === 'over TLS'
            ? connectHttp2(`https://127.0.0.1:${ports.tls}`, { tls: { ca: certificates.ca }, ...backoff })
            : connectHttp2(`http://127.0.0.1:${ports.clear}`, backoff)
        return Object.assign(createClient(Probe, connector), { connector })
      }

      test('all patterns', async () => {
        await using client = connect()
        expect(['a', 'b']).toContain(await client.server())
        const value = { text: 'ä', list: [1, undefined, null], date: new Date(0), bytes: new Uint8Array([1, 2]) }
        expect(await client.echo(value)).toEqual(value)
        expect(await client.sum(undefined, [1, 2, 3])).toBe(6)
        const counted: number[] = []
        for await (const n of client.count(1000)) counted.push(n)
        expect(counted).toEqual([...Array(1000).keys()])
        const told = key()
        await client.tell(told)
        await servers.reported('told', told)
      })

      test('bidi: each answer comes before the next question, and answers go on after the last', async () => {
        await using client = connect()
        const call = client.double()
        expect(['a', 'b']).toContain(await call.receive())
        for (let n = 0; n < 100; n++) {
          await call.send(n)
          expect(await call.receive()).toBe(2 * n)
        }
        call.end()
        expect(await call.receive()).toBe(100)
        expect(await call.receive()).toBeUndefined()
      })

      test('metadata, also of bytes', async () => {
        await using client = connect()
        const metadata: [string, string | Uint8Array][] = [
          ['authorization', 'Bearer x'],
          ['trace-bin', new Uint8Array([0, 255])],
        ]
        expect(await client.metadata(undefined, { metadata })).toEqual(metadata)
      })

      test('declared errors, with their data', async () => {
        await using client = connect()
        const error = await expectStatus(client.refuse('k'), 'not_found')
        expect(Probe.refuse.isError(error, 'NotFound') && error.data).toEqual({ key: 'k' })
      })

      test('a deadline ends the call on both sides', async () => {
        await using client = connect()
        const held = key()
        const outcome = expectStatus(client.hold(held, { timeout: 2000 }), 'deadline_exceeded')
        await servers.reported('started', held)
        await outcome
        expect((await servers.reported('aborted', held)).detail).toBe('deadline_exceeded')
      })

      test('cancelling reaches the handler, by the signal and by leaving a loop', async () => {
        await using client = connect()
        const held = key()
        const abort = new AbortController()
        const outcome = expectStatus(client.hold(held, { signal: abort.signal }), 'cancelled')
        await servers.reported('started', held)
        abort.abort()
        await outcome
        expect((await servers.reported('aborted', held)).detail).toBe('cancelled')
        const left = key()
        for await (const _ of client.flood(left)) break
        await servers.reported('ended', left)
      })

      test('messages of 4 MiB, each way', async () => {
        await using client = connect()
        const large = new Uint8Array(4 * MIB).map((_, index) => index >> 8)
        expect(Buffer.compare((await client.echo(large)) as Uint8Array, large)).toBe(0)
      })

      test('a stream of responses that nobody reads holds up no other call', async () => {
        await using client = connect()
        const flooded = key()
        const flood = client.flood(flooded)
        await flood.started
        for (let n = 0; n < 200; n++) expect(await client.echo(n)).toBe(n)
        const large = new Uint8Array(4 * MIB)
        expect(((await client.echo(large)) as Uint8Array).length).toBe(large.length)
        flood.cancel()
        await servers.reported('ended', flooded)
      })

      test.runIf(!kind.sharesUploads)('updates that nobody reads hold up no other call', async () => {
        await using client = connect()
        const swallowed = key()
        const call = client.swallow(swallowed)
        await servers.reported('started', swallowed)
        const chunk = new Uint8Array(FLOOD_CHUNK)
        let sent = 0
        // Until the sender has to wait although others get through.
        for (let waiting = 0; waiting < 200; waiting++) {
          while (call.trySend(chunk)) {
            sent += chunk.length
            waiting = 0
          }
          await client.echo(waiting)
        }
        servers.release(swallowed)
        expect(await call.finish()).toBe(sent)
      })

      test('500 calls at once are spread over both servers', async () => {
        await using client = connect()
        const names = await Promise.all(Array.from({ length: 500 }, () => client.server()))
        for (const name of ['a', 'b']) expect(names.filter((other) => other === name).length).toBeGreaterThan(50)
      })

      test('2,000 cancelled calls leave the connection, and everything else, working', async () => {
        await using client = connect()
        const call = client.double()
        await call.receive()
        for (let n = 0; n < 20; n++) {
          const abort = new AbortController()
          const outcomes = Array.from({ length: 100 }, () =>
            expectStatus(client.hold('', { signal: abort.signal }), 'cancelled'),
          )
          expect(await client.echo(n)).toBe(n)
          abort.abort()
          await Promise.all(outcomes)
        }
        expect(await client.echo('after')).toBe('after')
        await call.send(1)
        expect(await call.receive()).toBe(2)
      })

      test.runIf(!kind.stallsWhenServersDie)(
        'a server that is killed takes its own calls along, and no others; it is used again when it is back',
        async () => {
          await using client = connect()
          const calls = await Promise.all(
            Array.from({ length: 20 }, async () => {
              const call = client.double()
              return { call, server: (await call.receive()) as string }
            }),
          )
          const [lost, kept] = [
            calls.filter(({ server }) => server === 'a'),
            calls.filter(({ server }) => server === 'b'),
          ]
          expect(lost).not.toEqual([])
          expect(kept).not.toEqual([])
          const holds = await Promise.all(
            Array.from({ length: 20 }, async () => {
              const held = key()
              const outcome = client.hold(held)
              outcome.catch(() => {})
              return { outcome, server: (await servers.reported('started', held)).detail }
            }),
          )
          await servers.a.kill()
          for (const { call } of lost) await expectStatus((async () => call.receive())(), 'unavailable')
          for (const { outcome, server } of holds) if (server === 'a') await expectStatus(outcome, 'unavailable')
          for (const { call } of kept) {
            await call.send(21)
            expect(await call.receive()).toBe(42)
          }
          expect(new Set(await Promise.all(Array.from({ length: 50 }, () => client.server())))).toEqual(new Set(['b']))
          await servers.a.start()
          await retried(async () => expect(await client.server()).toBe('a'))
          for (const { call } of kept) {
            call.end()
            expect(await call.receive()).toBe(1)
          }
        },
      )

      test('a proxy that is killed takes all calls along; when it is back, the connector connects anew', async () => {
        await using client = connect()
        const held = key()
        const outcome = expectStatus(client.hold(held), 'unavailable')
        await servers.reported('started', held)
        await proxy.kill()
        await outcome
        expect((await servers.reported('aborted', held)).detail).toBe('unavailable')
        await expectStatus(client.server(), 'unavailable', /ECONNREFUSED|ECONNRESET/)
        await proxy.start()
        await retried(() => client.server())
      })
    })
  })
}
