import { ListenerProcess, type ListenerProcessOptions } from '@qrpc/conformance'
import { type Channel, type Listener, RpcError } from '@qrpc/core'
import { expect, test } from 'vitest'
import { settled } from '../src/wait.ts'
import { type PairSettings, WINDOW } from './pair-listener.ts'

function pairs(settings: PairSettings, options?: Partial<ListenerProcessOptions>): ListenerProcess {
  return new ListenerProcess({
    module: new URL('./pair-listener-process.ts', import.meta.url),
    execArgv: ['--conditions=@qrpc/source', '--import', 'tsx'],
    settings,
    ...options,
  })
}

async function accept(listener: Listener): Promise<Channel> {
  return (await listener.accept()) as Channel
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const unavailable = expect.objectContaining({ code: 'unavailable' })

test('values cross as they are, both ways', async () => {
  await using listeners = pairs({ client: 'echo' })
  const channel = await accept(await listeners.listen())
  const values = [
    undefined,
    null,
    -0,
    Number.NaN,
    2n ** 70n,
    new Date(5),
    new Map([[{ k: 1 }, new Set([undefined])]]),
    new Uint8Array(new ArrayBuffer(1000), 10, 3).fill(7),
    new Float64Array([1.5]),
    { none: undefined, list: [undefined, 1] },
  ]
  for (const value of values) {
    await channel.send(value)
    expect(await channel.receive()).toStrictEqual(value)
    expect(channel.ended).toBe(false)
  }
  channel.end()
  expect(await channel.receive()).toBeUndefined()
  expect(channel.ended).toBe(true)
})

test('the peer of a channel crosses with its certificate', async () => {
  const certificate = Uint8Array.of(1, 2, 3)
  await using listeners = pairs({ client: 'silent', certificate })
  const { peer } = await accept(await listeners.listen())
  expect(peer).toEqual({ transport: 'pair', address: 'pair:1', certificate })
})

test('the relay reads no further than the kit’s side, and in a long stream not much further', async () => {
  await using listeners = pairs({ client: 'talkative' })
  const listener = await listeners.listen()
  const sent = async (): Promise<number> => (await (await accept(listener)).receive()) as number
  const channel = await accept(listener)
  expect(await channel.receive()).toBe(0)
  // One more waits at the window's door.
  const before = await sent()
  expect(before).toBeLessThanOrEqual(1 + WINDOW + 1)
  for (let n = 1; n < 5000; n++) await channel.receive()
  expect(await sent()).toBeLessThanOrEqual(5000 + 256 + 4 * (WINDOW + 1))
})

test('a send waits until the channel there takes the message', async () => {
  await using listeners = pairs({ client: 'silent' })
  const channel = await accept(await listeners.listen())
  let sent = 0
  const sending = (async () => {
    for (;;) {
      await channel.send(sent)
      sent++
    }
  })()
  while (sent < WINDOW) await new Promise(setImmediate)
  expect(await settled(() => sent)).toBe(WINDOW)
  expect(channel.trySend('more')).toBe(false)
  channel.reset(new RpcError('aborted', 'enough'))
  await expect(sending).rejects.toThrow('enough')
})

test('what cannot be cloned is an invalid_argument at once, and the channel goes on', async () => {
  await using listeners = pairs({ client: 'echo' })
  const channel = await accept(await listeners.listen())
  expect(() => channel.send(() => {})).toThrow(expect.objectContaining({ code: 'invalid_argument' }))
  await channel.send(1, true)
  expect(await channel.receiveOnly()).toBe(1)
})

test('what the listening fails with crosses with code, message, name and data', async () => {
  await using listeners = pairs({ client: 'silent' })
  const error: unknown = await listeners.listen({ addresses: ['a'] }).catch((thrown) => thrown)
  expect(error).toBeInstanceOf(RpcError)
  expect(error).toMatchObject({
    code: 'unavailable',
    message: 'it is taken',
    name: 'Taken',
    data: { addresses: ['a'] },
  })
  await listeners.release()
})

test('when the process dies, all that waits for it is unavailable, and the next listener is in another', async () => {
  await using listeners = pairs({ client: 'silent' })
  const listener = await listeners.listen()
  const channel = await accept(listener)
  const closed: unknown[] = []
  for (const side of [1, 2]) channel.observe({ onClose: (error) => closed.push([side, error]) })
  const receiving = channel.receive()
  const started = channel.started()
  for (let sent = 0; sent < WINDOW; sent++) await channel.send(sent)
  const sending = channel.send('waits')
  await Promise.all([
    ...[receiving, started, sending].map((waits) => expect(waits).rejects.toThrow(unavailable)),
    listeners.kill(),
  ])
  expect(closed).toEqual([
    [1, unavailable],
    [2, unavailable],
  ])
  expect(() => channel.send(1)).toThrow(unavailable)
  expect(() => channel.trySend(1)).toThrow(unavailable)
  await expect(channel.started()).rejects.toThrow(unavailable)
  await expect(listener.accept()).rejects.toThrow(unavailable)
  await listener.close()
  const next = await listeners.listen()
  expect(next.addresses).not.toEqual(listener.addresses)
  expect(isAlive(Number(listener.addresses[0]))).toBe(false)
})

test('close ends the process, and this side’s channels with it', async () => {
  const listeners = pairs({ client: 'silent' })
  const listener = await listeners.listen()
  const channel = await accept(listener)
  const receiving = Promise.resolve(channel.receive()).catch((error: unknown) => error)
  expect(isAlive(Number(listener.addresses[0]))).toBe(true)
  await listeners.close()
  await listeners.close()
  expect(isAlive(Number(listener.addresses[0]))).toBe(false)
  expect(await receiving).toEqual(unavailable)
})

test('a module that ends before it relays is unavailable, with the code it ended with', async () => {
  const listeners = pairs({ client: 'silent' }, { env: { ...process.env, EXIT_CODE: '3' } })
  await expect(listeners.start()).rejects.toThrow(/pair-listener-process.*exited with code 3/)
})

test('release finds what is left there: timers, and rejections that nobody handled', async () => {
  await using timers = pairs({ client: 'silent', forget: 'timer' })
  await timers.listen()
  await expect(timers.release()).rejects.toThrow(/left open in the process of the listener: Timeout/)
  await using rejections = pairs({ client: 'silent', forget: 'rejection' })
  await rejections.listen()
  await expect(rejections.release()).rejects.toThrow(/rejection was left unhandled in the process of the listener/)
})
