import { once } from 'node:events'
import { createServer, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { H2SPEC_CASES, type Reaction } from './h2spec-cases.ts'
import { FRAME, http2Frame, PREFACE, RawSocket, SETTINGS_ACK } from './http2-bytes.ts'
import { underAttack } from './under-attack.ts'

const PROBE = Buffer.from('probing!')
// What a server that resets a stream without haste takes at most, in ms: it is waited for in vain where none does.
const PATIENCE_MS = 300

const SEVERITY: Readonly<Record<Reaction, number>> = { none: 0, stream: 1, connection: 2 }

let ours: Awaited<ReturnType<typeof underAttack>>
const bare = createServer()
const sessions = new Set<ServerHttp2Session>()

beforeAll(async () => {
  ours = await underAttack({ maxResets: 10_000 })
  bare.on('sessionError', () => {})
  bare.on('session', (session) => sessions.add(session))
  bare.on('stream', (stream) => {
    stream.on('error', () => {})
    stream.respond({ ':status': 200 })
    stream.resume()
  })
  bare.listen(0, '127.0.0.1')
  await once(bare, 'listening')
})

afterAll(async () => {
  await ours[Symbol.asyncDispose]()
  for (const session of sessions) session.destroy()
  bare.close()
  await once(bare, 'close')
})

/** What a server makes of it. */
async function reactionTo(bytes: readonly Uint8Array[], port: number, least: Reaction): Promise<Reaction> {
  await using raw = await RawSocket.connect(port)
  raw.write(PREFACE, SETTINGS_ACK, ...bytes, http2Frame(FRAME.ping, 0, 0, PROBE))
  const gone = (): boolean => raw.frames.some(({ type }) => type === FRAME.goaway)
  const answered = (): boolean =>
    raw.frames.some(({ type, flags, payload }) => type === FRAME.ping && flags === 1 && payload.equals(PROBE))
  const reset = (): boolean => raw.frames.some(({ type }) => type === FRAME.rstStream)
  let closed = false
  const closing = raw.closed.then(() => {
    closed = true
  })
  const more = (): Promise<unknown> => Promise.race([once(raw.socket, 'data'), closing])
  while (!closed && !gone() && !answered()) await more()
  if (least !== 'none') {
    const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref())
    let waiting = true
    void late.then(() => {
      waiting = false
    })
    while (waiting && !closed && !gone() && !reset()) await Promise.race([more(), late])
  }
  if (closed || gone()) return 'connection'
  return reset() ? 'stream' : 'none'
}

test.each(H2SPEC_CASES)('$section: $name', async ({ bytes, least }) => {
  const [own, others] = await Promise.all([
    reactionTo(bytes, ours.port, least),
    reactionTo(bytes, (bare.address() as AddressInfo).port, least),
  ])
  // What a bare server of Node.js lets pass, a server on top of it cannot see; nor what it ends for less.
  const worse =
    least === 'none' ? SEVERITY[own] > SEVERITY[others] : SEVERITY[own] < Math.min(SEVERITY[least], SEVERITY[others])
  expect(worse, `${own}, and a bare server: ${others}`).toBe(false)
  await ours.othersGoOn()
})

test('a preface that is none (3.4) ends the connection', async () => {
  await using raw = await RawSocket.connect(ours.port)
  raw.write(Buffer.from('INVALID CONNECTION PREFACE\r\n\r\n'))
  await raw.closed
  expect(raw.frames.filter(({ type }) => type === FRAME.headers)).toEqual([])
})

test('SETTINGS are acknowledged (6.5.3)', async () => {
  await using raw = await RawSocket.connect(ours.port)
  raw.write(PREFACE)
  const acknowledged = (): boolean => raw.frames.some(({ type, flags }) => type === FRAME.settings && flags === 1)
  while (!acknowledged()) await once(raw.socket, 'data')
  expect(raw.codes(FRAME.goaway)).toEqual([])
})
