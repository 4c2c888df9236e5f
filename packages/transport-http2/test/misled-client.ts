import { once } from 'node:events'
import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { createClient } from '@qrpc/core'
import { connectHttp2, type Http2ConnectOptions } from '@qrpc/transport-http2'
import { expect } from 'vitest'
import { END, message } from '../../wire/test/support/wire-bytes.ts'
import { Echo } from './service.ts'

/** The headers of a good response. */
export const OK = { ':status': 200, 'content-type': 'application/qrpc+cbor' }

/** What a server does with a stream. */
export type Answer = (stream: ServerHttp2Stream, session: ServerHttp2Session) => void

/**
 * A client of a server on `node:http2` that answers as it is told, until it is told to be good: then it echoes what
 * `echo/echo` is called with.
 */
export async function misledClient(options: Http2ConnectOptions = {}) {
  const server: Http2Server = createServer()
  const sessions = new Set<ServerHttp2Session>()
  server.on('session', (session) => {
    session.on('error', () => {})
    sessions.add(session)
  })
  const control: { answer: Answer | undefined } = { answer: undefined }
  server.on('stream', (stream) => {
    stream.on('error', () => {})
    stream.resume()
    const session = stream.session as ServerHttp2Session
    if (control.answer !== undefined) {
      control.answer(stream, session)
      return
    }
    stream.respond(OK)
    stream.end(Buffer.concat([message('good'), END]))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const connector = connectHttp2(address, { initialBackoffMs: 1, closeTimeoutMs: 20, ...options })
  const rpc = createClient(Echo, connector)
  return {
    rpc,
    connector,
    /** How the server answers from now on; `undefined` for well. */
    answerWith(answer: Answer | undefined) {
      control.answer = answer
    },
    get sessions() {
      return sessions.size
    },
    async expectGood() {
      control.answer = undefined
      expect(await rpc.echo(1)).toBe('good')
    },
    async [Symbol.asyncDispose]() {
      control.answer = undefined
      expect(await rpc.echo(1)).toBe('good')
      await connector.close()
      for (const session of sessions) session.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Answers with these bytes. */
export function bytes(...parts: Uint8Array[]): Answer {
  return (stream) => {
    stream.respond(OK)
    stream.end(Buffer.concat(parts))
  }
}

/** Answers, and leaves the stream open. */
export function open(...parts: Uint8Array[]): Answer {
  return (stream) => {
    stream.respond(OK)
    stream.write(Buffer.concat(parts))
  }
}
