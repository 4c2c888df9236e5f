import { ReceiveHalf, RpcError } from '@qrpc/core'
import { describe, expect, it } from 'vitest'
import { all, failure, thrown, turns, unhandled } from './support/wait.ts'

/** A receive half as a transport has it, with the transport's side in the open. */
class Half extends ReceiveHalf<unknown> {
  readonly rooms: number[] = []
  readonly stops: RpcError[] = []

  give(message: unknown, last = false): void {
    this.deliver(message, last)
  }

  end(error?: RpcError): void {
    this.finish(error)
  }

  drop(error: RpcError): void {
    this.abort(error)
  }

  stop(error: RpcError): void {
    this.stops.push(error)
    this.abort(error)
  }

  protected onRoom(buffered: number): void {
    this.rooms.push(buffered)
  }
}

const broken = new RpcError('unavailable', 'broken')

describe('receive', () => {
  it('gives messages that are there without a promise, in order', () => {
    const half = new Half()
    for (const n of [1, 2, 3]) half.give(n)
    expect([half.receive(), half.receive(), half.receive()]).toEqual([1, 2, 3])
  })

  it('waits for a message that is not there', async () => {
    const half = new Half()
    const received = half.receive()
    expect(received).toBeInstanceOf(Promise)
    half.give('late')
    expect(await received).toBe('late')
  })

  it('tells the end from a message that is undefined', async () => {
    const half = new Half()
    half.give(undefined)
    expect(half.receive()).toBeUndefined()
    expect(half.ended).toBe(false)
    const waiting = half.receive()
    half.give(undefined)
    expect(await waiting).toBeUndefined()
    expect(half.ended).toBe(false)
    half.end()
    expect(half.ended).toBe(false)
    expect(half.receive()).toBeUndefined()
    expect(half.ended).toBe(true)
  })

  it('ends while it waits', async () => {
    const half = new Half()
    const waiting = half.receive()
    half.end()
    expect(await waiting).toBeUndefined()
    expect(half.ended).toBe(true)
  })

  it('gives the end again at each call', () => {
    const half = new Half()
    half.give(1, true)
    expect([half.receive(), half.receive(), half.receive()]).toEqual([1, undefined, undefined])
  })

  it('gives what came before an error, then the error at each call', async () => {
    const half = new Half()
    half.give(1)
    half.end(broken)
    expect(half.receive()).toBe(1)
    expect(await thrown(() => half.receive())).toBe(broken)
    expect(await thrown(() => half.receive())).toBe(broken)
    expect(half.ended).toBe(false)
  })

  it('fails while it waits', async () => {
    const half = new Half()
    const waiting = half.receive()
    half.end(broken)
    expect(await failure(waiting)).toBe(broken)
  })

  it('drops what was not read when the half is aborted', async () => {
    const half = new Half()
    half.give(1)
    half.give(2)
    half.drop(broken)
    expect(await thrown(() => half.receive())).toBe(broken)
  })

  it('keeps its first end: nothing that comes after it counts', () => {
    const half = new Half()
    half.end()
    half.end(broken)
    expect(half.receive()).toBeUndefined()
  })

  it('refuses a second reader while one waits', async () => {
    const half = new Half()
    const first = half.receive()
    expect((await thrown(() => half.receive())).code).toBe('failed_precondition')
    expect((await failure(half.receiveOnly())).code).toBe('failed_precondition')
    expect((await failure(half[Symbol.asyncIterator]().next())).code).toBe('failed_precondition')
    half.give('for the first')
    expect(await first).toBe('for the first')
  })

  it('tells the transport how many messages are left each time one is taken out of the buffer', async () => {
    const half = new Half()
    for (const n of [1, 2, 3]) half.give(n)
    half.receive()
    half.receive()
    half.receive()
    expect(half.rooms).toEqual([2, 1, 0])
    const waiting = half.receive()
    half.give(4)
    await waiting
    expect(half.rooms).toEqual([2, 1, 0])
  })
})

describe('a loop', () => {
  it('gives all messages and ends', async () => {
    const half = new Half()
    half.give(1)
    half.give(undefined)
    const loop = all(half)
    await turns()
    half.give(3)
    half.end()
    expect(await loop).toEqual([1, undefined, 3])
  })

  it('throws the error after the messages before it', async () => {
    const half = new Half()
    half.give(1)
    half.end(broken)
    const seen: unknown[] = []
    const error = await thrown(async () => {
      for await (const message of half) seen.push(message)
    })
    expect(error).toBe(broken)
    expect(seen).toEqual([1])
  })

  it('throws while it waits', async () => {
    const half = new Half()
    const loop = all(half)
    half.drop(broken)
    expect(await failure(loop)).toBe(broken)
  })

  it('stops the peer when it is left, and does not throw', async () => {
    const half = new Half()
    half.give(1)
    for await (const _ of half) break
    expect(half.stops).toMatchObject([{ code: 'cancelled' }])
  })
})

describe('receiveOnly', () => {
  it('gives the one message once the end is behind it', async () => {
    const half = new Half()
    let settled = false
    const only = half.receiveOnly().then((message) => {
      settled = true
      return message
    })
    half.give('only')
    await turns()
    expect(settled).toBe(false)
    half.end()
    expect(await only).toBe('only')
  })

  it.each([
    ['waited for', true],
    ['there already', false],
  ])('gives a last message that is %s', async (_, waits) => {
    const half = new Half()
    if (!waits) half.give('only', true)
    const only = half.receiveOnly()
    if (waits) half.give('only', true)
    expect(await only).toBe('only')
  })

  it('gives undefined where that is the message', async () => {
    const half = new Half()
    half.give(undefined, true)
    expect(await half.receiveOnly()).toBeUndefined()
  })

  it.each([
    ['waited for', true],
    ['there already', false],
  ])('fails with unavailable where the half ends without a message: %s', async (_, waits) => {
    const half = new Half()
    if (!waits) half.end()
    const only = half.receiveOnly()
    if (waits) half.end()
    expect((await failure(only)).code).toBe('unavailable')
  })

  it.each([
    ['waited for', true],
    ['there already', false],
  ])('fails with internal and stops the peer that sends a second message: %s', async (_, waits) => {
    const half = new Half()
    const give = (): void => {
      half.give(1)
      half.give(2)
    }
    if (!waits) give()
    const only = half.receiveOnly()
    if (waits) give()
    const error = await failure(only)
    expect(error.code).toBe('internal')
    expect(half.stops).toEqual([error])
  })

  it('fails with internal where the second message is the last', async () => {
    const half = new Half()
    const only = half.receiveOnly()
    half.give(1)
    half.give(2, true)
    expect((await failure(only)).code).toBe('internal')
  })

  it('fails with the error that comes after the message: half an answer is none', async () => {
    const half = new Half()
    const only = half.receiveOnly()
    half.give(1)
    half.end(broken)
    expect(await failure(only)).toBe(broken)
    const before = new Half()
    before.give(1)
    before.end(broken)
    expect(await failure(before.receiveOnly())).toBe(broken)
  })

  it('fails when the half is aborted', async () => {
    const half = new Half()
    const only = half.receiveOnly()
    half.drop(broken)
    expect(await failure(only)).toBe(broken)
  })
})

describe('started', () => {
  it('resolves with the first message, which stays there to be read', async () => {
    const half = new Half()
    const started = half.started()
    half.give(1)
    await started
    expect(half.receive()).toBe(1)
  })

  it('resolves with the clean end', async () => {
    const half = new Half()
    const started = half.started()
    half.end()
    expect(await started).toBeUndefined()
  })

  it('rejects with an error that comes before the first message', async () => {
    const half = new Half()
    const started = half.started()
    half.end(broken)
    expect(await failure(started)).toBe(broken)
  })

  it('does not mind an error after the first message', async () => {
    const half = new Half()
    const started = half.started()
    half.give(1)
    half.drop(broken)
    expect(await started).toBeUndefined()
    const late = new Half()
    late.give(1)
    late.drop(broken)
    expect(await late.started()).toBeUndefined()
  })

  it('can be asked for when all is over', async () => {
    const failed = new Half()
    failed.end(broken)
    expect(await failure(failed.started())).toBe(broken)
    const empty = new Half()
    empty.end()
    expect(await empty.started()).toBeUndefined()
  })

  it('is one promise, and no unhandled rejection', async () => {
    const half = new Half()
    const found = await unhandled(() => {
      expect(half.started()).toBe(half.started())
      half.drop(broken)
    })
    expect(found).toEqual([])
  })
})
