import { once } from 'node:events'
import { type ClientHttp2Session, connect } from 'node:http2'
import { type AddressInfo, createConnection, createServer, type Socket, type Server as TcpServer } from 'node:net'
import { type ConnectionState, type Context, createClient, type StatefulConnector } from '@qrpc/core'
import { connectHttp2, listenHttp2 } from '@qrpc/transport-http2'
import { describe, expect, test } from 'vitest'
import { expectStatus } from '../../wire/test/support/expect-status.ts'
import { connectEcho, Echo, serveEcho } from './service.ts'

/** Records the states from now on. */
function watch(connector: StatefulConnector): ConnectionState[] {
  const states: ConnectionState[] = []
  connector.observeState((state) => states.push(state))
  return states
}

/** Resolves when the connector is in the state. */
function reached(connector: StatefulConnector, wanted: ConnectionState): Promise<unknown> {
  if (connector.state === wanted) return Promise.resolve()
  return new Promise((resolve) => {
    const stop = connector.observeState((state) => {
      if (state !== wanted) return
      stop()
      resolve(undefined)
    })
  })
}

/** A TCP server that does with each connection what it is told. */
async function tcpServer(onConnection: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const server: TcpServer = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    onConnection(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

describe('connectHttp2', () => {
  test.each(['', 'localhost:80', 'ftp://localhost', 'http://localhost/path', 'unix:', 'http://user@localhost'])(
    'refuses the address %o',
    (address) => {
      expect(() => connectHttp2(address)).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
    },
  )

  test.each([
    { maxConcurrentStreams: 0 },
    { connectTimeoutMs: -1 },
    { keepAliveIntervalMs: Number.NaN },
    { streamWindow: 2 ** 31 },
    { connectionWindow: 10 },
    { initialBackoffMs: 10, maxBackoffMs: 5 },
    { maxMessageSize: 1 },
  ])('refuses the options %o, and names what is wrong', (options) => {
    const name = Object.keys(options)[0] as string
    expect(() => connectHttp2('http://127.0.0.1:1', options)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', message: expect.stringContaining(name) }),
    )
  })

  test('connects with the first call, and shares the connection', async () => {
    await using echo = await connectEcho()
    let sessions = 0
    echo.listener.server.on('session', () => sessions++)
    const states = watch(echo.connector)
    expect(echo.connector.state).toBe('idle')
    await Promise.all([echo.client.echo(1), echo.client.echo(2)])
    await echo.client.echo(3)
    expect(states).toEqual(['connecting', 'ready'])
    expect(sessions).toBe(1)
    await echo.connector.close()
    expect(states).toEqual(['connecting', 'ready', 'shutdown'])
  })

  test('nobody there: unavailable with the error of the socket as cause', async () => {
    const listener = await listenHttp2()
    const [address] = listener.addresses as [string]
    await listener.close()
    await using connector = connectHttp2(address)
    const error = await expectStatus(createClient(Echo, connector).echo(1), 'unavailable', address)
    expect(error.cause).toMatchObject({ code: 'ECONNREFUSED' })
    expect(connector.state).toBe('transient_failure')
  })

  test('a server that accepts and stays silent: unavailable after the connect timeout', async () => {
    await using silent = await tcpServer(() => {})
    await using connector = connectHttp2(`http://127.0.0.1:${silent.port}`, { connectTimeoutMs: 30 })
    await expectStatus(createClient(Echo, connector).echo(1), 'unavailable', /30 ms/)
  })

  test('an open that waits for the connection can be aborted, and closing ends it', async () => {
    await using silent = await tcpServer(() => {})
    const connector = connectHttp2(`http://127.0.0.1:${silent.port}`)
    const client = createClient(Echo, connector)
    await expectStatus(client.echo(1, { timeout: 20 }), 'deadline_exceeded')
    const waiting = expectStatus(client.echo(1), 'failed_precondition')
    await connector.close()
    await waiting
  })

  test('a server that comes back is found, and calls that wait out the backoff succeed', async () => {
    const first = await listenHttp2()
    const [address] = first.addresses as [string]
    await first.close()
    await using connector = connectHttp2(address)
    const client = createClient(Echo, connector)
    for (let n = 0; n < 3; n++) await expectStatus(client.echo(1), 'unavailable')
    await using _ = serveEcho(await listenHttp2({ port: Number(new URL(address).port) }))
    expect(await client.echo(2)).toBe(2)
  })

  test('a lost connection fails its calls as unavailable; the next call connects anew', async () => {
    const sockets: Socket[] = []
    await using echo = await connectEcho()
    echo.listener.server.on('connection', (socket: Socket) => sockets.push(socket))
    await echo.client.echo(1)
    const running = expectStatus(echo.client.wait(), 'unavailable')
    const stream = echo.client.talk()
    await stream.send(1)
    expect(await stream.receive()).toBe(1)
    const states = watch(echo.connector)
    sockets[0]?.destroy()
    await running
    await expectStatus((async () => stream.receive())(), 'unavailable')
    expect(states).toEqual(['idle'])
    expect(await echo.client.echo(2)).toBe(2)
    expect(sockets.length).toBe(2)
  })

  test('GOAWAY: what runs goes on, the next call opens a new session', async () => {
    await using echo = await connectEcho()
    const sessions: { goaway(): void }[] = []
    echo.listener.server.on('session', (session: { goaway(): void }) => sessions.push(session))
    const stream = echo.client.talk()
    await stream.send('before')
    expect(await stream.receive()).toBe('before')
    const idle = reached(echo.connector, 'idle')
    sessions[0]?.goaway()
    await idle
    expect(await echo.client.echo(1)).toBe(1)
    expect(sessions.length).toBe(2)
    await stream.send('after')
    expect(await stream.receive()).toBe('after')
    stream.end()
    expect(await stream.receive()).toBeUndefined()
  })

  test('GOAWAY: opens that wait in line go on with the next session', async () => {
    await using echo = await connectEcho({}, { maxConcurrentStreams: 1 })
    const sessions: { goaway(): void }[] = []
    echo.listener.server.on('session', (session: { goaway(): void }) => sessions.push(session))
    const stream = echo.client.talk()
    await stream.send('before')
    expect(await stream.receive()).toBe('before')
    const waiting = [1, 2, 3].map((n) => echo.client.echo(n))
    sessions[0]?.goaway()
    expect(await Promise.all(waiting)).toEqual([1, 2, 3])
    stream.end()
    expect(await stream.receive()).toBeUndefined()
  })

  test('a server that no longer answers is given up by keep-alive', async () => {
    await using echo = await connectEcho()
    let mute = false
    await using relay = await tcpServer((socket) => {
      const upstream = createConnection(Number(new URL(echo.address).port), '127.0.0.1')
      upstream.on('error', () => {})
      socket.on('data', (bytes) => upstream.write(bytes))
      upstream.on('data', (bytes) => mute || socket.write(bytes))
      socket.on('close', () => upstream.destroy())
    })
    await using connector = connectHttp2(`http://127.0.0.1:${relay.port}`, {
      keepAliveIntervalMs: 20,
      keepAliveTimeoutMs: 20,
    })
    const client = createClient(Echo, connector)
    await client.echo(1)
    mute = true
    await expectStatus(client.wait(), 'unavailable', /no longer answers/)
    mute = false
    expect(await client.echo(2)).toBe(2)
  })

  test('a client that no longer answers is given up by the server, whose handlers learn of it', async () => {
    let stopped!: (reason: unknown) => void
    const reason = new Promise<unknown>((resolve) => {
      stopped = resolve
    })
    const wait = (_: unknown, { signal }: Context): Promise<void> =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          stopped(signal.reason)
          resolve()
        })
      })
    await using echo = await connectEcho({ idleTimeoutMs: 60 }, {}, { wait })
    let mute = false
    await using relay = await tcpServer((socket) => {
      const upstream = createConnection(Number(new URL(echo.address).port), '127.0.0.1')
      upstream.on('error', () => {})
      socket.on('data', (bytes) => mute || upstream.write(bytes))
      upstream.on('data', (bytes) => mute || socket.write(bytes))
      upstream.on('close', () => socket.destroy())
      socket.on('close', () => upstream.destroy())
    })
    await using connector = connectHttp2(`http://127.0.0.1:${relay.port}`)
    const client = createClient(Echo, connector)
    await client.echo(1)
    const waiting = expectStatus(client.wait(), 'unavailable')
    await client.echo(2)
    mute = true
    expect(await reason).toMatchObject({ code: 'unavailable' })
    await waiting
  })

  test('a socket of one’s own carries the connection', async () => {
    await using echo = await connectEcho()
    let made = 0
    await using connector = connectHttp2('http://ignored.invalid', {
      createConnection: () => {
        made++
        return createConnection(Number(new URL(echo.address).port), '127.0.0.1')
      },
    })
    expect(await createClient(Echo, connector).echo(1)).toBe(1)
    expect(made).toBe(1)
  })

  test('a session of one’s own carries the connection, and is closed with the connector', async () => {
    await using echo = await connectEcho()
    let session: ClientHttp2Session | undefined
    const connector = connectHttp2(echo.address, {
      session: () => {
        session = connect(echo.address)
        return session
      },
    })
    expect(await createClient(Echo, connector).echo(1)).toBe(1)
    await connector.close()
    expect(session?.destroyed).toBe(true)
  })
})
