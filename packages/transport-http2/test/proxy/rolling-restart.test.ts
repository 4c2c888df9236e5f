import { createConnection } from 'node:net'
import { text } from 'node:stream/consumers'
import { createClient, retry } from '@qrpc/core'
import { connectHttp2 } from '@qrpc/transport-http2'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeCertificates } from '../certificates.ts'
import { freePorts } from './free-ports.ts'
import { haproxy } from './haproxy.ts'
import { Probe } from './probe.ts'
import { missing, ProxyProcess } from './proxy-process.ts'
import type { ServerProcess } from './server-process.ts'
import { TwoServers } from './two-servers.ts'
import { retried } from './waits.ts'

const CALLERS = 10
const CALLS_BETWEEN = 40
const STREAMS = 6

const why = missing(haproxy.command, haproxy.versionFlag)
if (why !== undefined) console.warn(`skipped: a rolling restart behind HAProxy: ${why}`)

// Processes are started, some seconds each where the machine is busy.
const TIMEOUT_MS = 90_000

describe.skipIf(why !== undefined)(
  'two servers behind HAProxy are restarted in turns under load',
  { timeout: TIMEOUT_MS },
  () => {
    let servers: TwoServers
    let proxy: ProxyProcess
    let address: string
    let keys = 0

    beforeAll(async () => {
      servers = await TwoServers.start()
      const [clear, tls] = (await freePorts(2)) as [number, number]
      const certificates = await makeCertificates()
      proxy = new ProxyProcess(haproxy.prepare({ clear, tls, servers: [servers.a.port, servers.b.port], certificates }))
      await proxy.start()
      address = `http://127.0.0.1:${clear}`
    })

    afterAll(async () => {
      await proxy?.[Symbol.asyncDispose]()
      await servers?.[Symbol.asyncDispose]()
    })

    /** Callers that call until they are stopped. `more` resolves once they have made some more calls. */
    function load(call: (key: string) => Promise<string>) {
      const answered: string[] = []
      let calling = true
      const callers = Array.from({ length: CALLERS }, async () => {
        while (calling) {
          const key = `call ${++keys}`
          expect(await call(key)).toBe(key)
          answered.push(key)
        }
      })
      return {
        answered,
        async more(): Promise<void> {
          const until = answered.length + CALLS_BETWEEN
          while (answered.length < until) await Promise.race([new Promise(setImmediate), ...callers])
        },
        async stop(): Promise<void> {
          calling = false
          await Promise.all(callers)
        },
      }
    }

    async function tellProxy(command: string): Promise<string> {
      const socket = createConnection(`${proxy.directory}/admin.sock`)
      socket.end(`${command}\n`)
      return text(socket)
    }

    test('by SIGTERM alone: no idempotent call fails, where they are retried', async () => {
      await using connector = connectHttp2(address, { initialBackoffMs: 10, maxBackoffMs: 50 })
      const client = createClient(Probe, connector, {
        interceptors: [retry({ attempts: 5, initialBackoff: 20, budget: false })],
      })
      const calls = load((key) => client.work(key))
      await calls.more()
      for (const server of [servers.a, servers.b]) {
        expect(await server.terminate()).toBe(0)
        await calls.more()
        await server.start()
        await used(server)
        await calls.more()
      }
      await calls.stop()
      for (const key of calls.answered) await servers.reported('started', key)
    })

    test('told to the proxy before: no call fails or runs twice, and streams go on to their ends', async () => {
      await using connector = connectHttp2(address)
      const client = createClient(Probe, connector)
      const calls = load((key) => client.work(key))
      await calls.more()
      for (const server of [servers.a, servers.b]) {
        const streams = await Promise.all(
          Array.from({ length: STREAMS }, async () => {
            const call = client.double()
            return { call, server: await call.receive() }
          }),
        )
        expect(streams.map((stream) => stream.server)).toContain(server.name)
        await drain(server, streams.filter((stream) => stream.server === server.name).length)
        const ended = server.terminate()
        await calls.more()
        for (const { call } of streams) {
          for (let n = 0; n < 20; n++) {
            await call.send(n)
            expect(await call.receive()).toBe(2 * n)
          }
          call.end()
          expect(await call.receive()).toBe(20)
          expect(await call.receive()).toBeUndefined()
        }
        expect(await ended).toBe(0)
        await server.start()
        await tellProxy(`enable health qrpc/${server.name}`)
        await tellProxy(`set server qrpc/${server.name} state ready`)
        await used(server)
        await calls.more()
      }
      await calls.stop()
      for (const key of calls.answered) await servers.reported('started', key)
      for (const key of calls.answered) expect(servers.count('started', key)).toBe(1)
    })

    /** Has the proxy send nothing new to the server, nor end what runs there. Resolves when only so many streams are left. */
    async function drain({ name }: ServerProcess, streams: number): Promise<void> {
      await tellProxy(`disable health qrpc/${name}`)
      await tellProxy(`set server qrpc/${name} state drain`)
      await retried(async () => {
        const [names = '', ...rows] = (await tellProxy('show stat')).split('\n')
        const row = rows.find((line) => line.startsWith(`qrpc,${name},`))
        expect(row?.split(',')[names.split(',').indexOf('scur')]).toBe(String(streams))
      })
    }

    /** Resolves once the proxy uses the server again. */
    async function used(server: ServerProcess): Promise<void> {
      await using connector = connectHttp2(address)
      const client = createClient(Probe, connector)
      await retried(async () => expect(await client.server()).toBe(server.name))
    }
  },
)
