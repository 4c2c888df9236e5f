import { type Channel, createChannelPair, RpcError } from '@qrpc/core'
import { describe, expect, it } from 'vitest'
import { all, failure, thrown, turns, unhandled } from './support/wait.ts'

const broken = new RpcError('aborted', 'broken', { cause: new Error('secret') })
const seenThere = { code: 'aborted', message: 'broken', cause: 'none' }

/** An error as the other side sees it. */
function seen(error: RpcError | undefined): unknown {
  const cause = error !== undefined && 'cause' in error ? error.cause : 'none'
  return { code: error?.code, message: error?.message, cause }
}

/** What `onClose` of both ends was told. */
function closes(...channels: Channel[]): (RpcError | undefined)[][] {
  return channels.map((channel) => {
    const told: (RpcError | undefined)[] = []
    channel.observe({ onClose: (error) => told.push(error) })
    return told
  })
}

describe('a channel pair', () => {
  it('passes messages by reference, both ways', () => {
    const [here, there] = createChannelPair()
    const message = {}
    void here.send(message)
    void there.send(message)
    expect(there.receive()).toBe(message)
    expect(here.receive()).toBe(message)
  })

  it('has the peers that it is given', () => {
    const openedPeer = { transport: 'x', address: 'server' }
    const acceptedPeer = { transport: 'x', address: 'client' }
    const [here, there] = createChannelPair({ openedPeer, acceptedPeer })
    expect(here.peer).toBe(openedPeer)
    expect(there.peer).toBe(acceptedPeer)
  })

  it('ends a half with its last message, and leaves the other open', () => {
    const [here, there] = createChannelPair()
    void here.send(1, true)
    expect(there.receive()).toBe(1)
    expect(there.receive()).toBeUndefined()
    expect(there.ended).toBe(true)
    void there.send(2)
    expect(here.receive()).toBe(2)
  })

  it('sends nothing after the end, whichever way it ended', async () => {
    for (const end of [
      (c: Channel) => c.end(),
      (c: Channel) => void c.send(0, true),
      (c: Channel) => c.reset(broken),
    ]) {
      const [here] = createChannelPair()
      end(here)
      expect((await thrown(() => here.send(1))).code).toBe('failed_precondition')
      expect((await thrown(() => here.trySend(1))).code).toBe('failed_precondition')
    }
  })

  it('does not mind a second end', () => {
    const [here, there] = createChannelPair()
    here.end()
    here.end(broken)
    here.reset(broken)
    expect(there.receive()).toBeUndefined()
  })

  it('ends with an error after what was sent', async () => {
    const [here, there] = createChannelPair()
    void here.send(1)
    here.end(broken)
    expect(there.receive()).toBe(1)
    expect(seen(await thrown(() => there.receive()))).toEqual(seenThere)
  })

  it('resets a half: what was not read is void', async () => {
    const [here, there] = createChannelPair()
    void here.send(1)
    here.reset(broken)
    expect(seen(await thrown(() => there.receive()))).toEqual(seenThere)
    void there.send(2)
    expect(here.receive()).toBe(2)
  })

  it('stops a half: the sender learns why at its next send', async () => {
    const [here, there] = createChannelPair()
    void here.send(1)
    there.stop(broken)
    expect(await thrown(() => there.receive())).toBe(broken)
    expect(seen(await thrown(() => here.send(2)))).toEqual(seenThere)
    expect(seen(await thrown(() => here.trySend(2)))).toEqual(seenThere)
    void there.send(3)
    expect(here.receive()).toBe(3)
  })

  it('cancels both halves, and what the peer has not read yet, too', async () => {
    const [here, there] = createChannelPair()
    void here.send(1, true)
    here.cancel(broken)
    expect(await thrown(() => here.receive())).toBe(broken)
    expect(seen(await thrown(() => there.receive()))).toEqual(seenThere)
    expect(seen(await thrown(() => there.send(1)))).toEqual(seenThere)
  })

  it('does not take an end back that was read: a later cancel is no error for it', () => {
    const [here, there] = createChannelPair()
    here.end()
    there.end()
    expect(here.receive()).toBeUndefined()
    here.cancel(broken)
    expect(here.receive()).toBeUndefined()
    expect(here.ended).toBe(true)
    expect(there.receive()).toBeUndefined()
  })
})

describe('the window', () => {
  it('takes as many messages as it is wide, then makes the sender wait until half of it is read', async () => {
    const [here, there] = createChannelPair({ window: 4 })
    for (let n = 0; n < 4; n++) expect(here.send(n)).toBeUndefined()
    let room = false
    const waiting = here.send(4)?.then(() => {
      room = true
    })
    expect(waiting).toBeInstanceOf(Promise)
    there.receive()
    there.receive()
    await turns()
    expect(room).toBe(false)
    there.receive()
    await waiting
    expect(room).toBe(true)
    expect([there.receive(), there.receive()]).toEqual([3, 4])
  })

  it('is 64 messages wide by default', () => {
    const [here] = createChannelPair()
    for (let n = 0; n < 64; n++) expect(here.trySend(n)).toBe(true)
    expect(here.trySend(64)).toBe(false)
  })

  it('makes trySend false instead of waiting, and loses nothing', () => {
    const [here, there] = createChannelPair({ window: 2 })
    expect([here.trySend(1), here.trySend(2), here.trySend(3)]).toEqual([true, true, false])
    expect(there.receive()).toBe(1)
    expect(here.trySend(3)).toBe(true)
    expect([there.receive(), there.receive()]).toEqual([2, 3])
  })

  it.each<[string, (here: Channel, there: Channel) => void]>([
    ['its peer stops', (_, there) => there.stop(broken)],
    ['its peer cancels', (_, there) => there.cancel(broken)],
    ['it resets', (here) => here.reset(broken)],
    ['it cancels', (here) => here.cancel(broken)],
  ])('lets a sender that waits go when %s', async (_, act) => {
    const [here, there] = createChannelPair({ window: 1 })
    void here.send(1)
    const waiting = here.send(2)
    act(here, there)
    expect((await failure(waiting)).code).toBe('aborted')
  })

  it('leaves no unhandled rejection where nobody waits for the room', async () => {
    const found = await unhandled(() => {
      const [here, there] = createChannelPair({ window: 1 })
      void here.send(1)
      void here.send(2)
      there.stop(broken)
    })
    expect(found).toEqual([])
  })

  it('gives the event loop its turn while two ends feed each other', async () => {
    const [here, there] = createChannelPair()
    let turned = false
    setImmediate(() => {
      turned = true
    })
    const read = all(there)
    // A hundred thousand messages take promises alone, unless someone sees to it.
    for (let n = 0; n < 100_000 && !turned; n++) await here.send(n)
    expect(turned).toBe(true)
    here.end()
    expect((await read).length).toBeLessThan(100_000)
  })
})

describe('the observer', () => {
  it('is told once, of both ends, when both halves ended cleanly', () => {
    const [here, there] = createChannelPair()
    const [atHere, atThere] = closes(here, there)
    here.end()
    expect([atHere, atThere]).toEqual([[], []])
    there.end()
    here.end()
    expect([atHere, atThere]).toEqual([[undefined], [undefined]])
  })

  it('is told at once where the channel is over already', () => {
    const [here, there] = createChannelPair()
    here.end()
    there.end()
    expect(closes(here)).toEqual([[undefined]])
  })

  it('is told no error of its own doing, and the peer is told why', () => {
    const [here, there] = createChannelPair()
    const [atHere, atThere] = closes(here, there)
    here.cancel(broken)
    expect(atHere).toEqual([undefined])
    expect(atThere?.map(seen)).toEqual([seenThere])
  })
})
