import { Queue } from '@qrpc/core'
import { describe, expect, it } from 'vitest'

describe('Queue', () => {
  it('gives undefined when empty', () => {
    const queue = new Queue<number>()
    expect(queue.size).toBe(0)
    expect(queue.shift()).toBeUndefined()
    expect(queue.size).toBe(0)
  })

  it('gives items in the order in which they came', () => {
    const queue = new Queue<number>()
    for (let n = 0; n < 5; n++) queue.push(n)
    expect(queue.size).toBe(5)
    expect([queue.shift(), queue.shift(), queue.shift(), queue.shift(), queue.shift()]).toEqual([0, 1, 2, 3, 4])
  })

  it.each([15, 16, 17, 31, 32, 33, 1000])('holds %i items', (count) => {
    const queue = new Queue<number>()
    for (let n = 0; n < count; n++) queue.push(n)
    const taken: unknown[] = []
    while (queue.size > 0) taken.push(queue.shift())
    expect(taken).toEqual(Array.from({ length: count }, (_, n) => n))
  })

  it('keeps the order when it grows while its head is in the middle of the ring', () => {
    const queue = new Queue<number>()
    let pushed = 0
    let shifted = 0
    for (let round = 1; round < 40; round++) {
      for (let n = 0; n < round; n++) queue.push(pushed++)
      for (let n = 0; n < round - 1; n++) expect(queue.shift()).toBe(shifted++)
    }
    expect(queue.size).toBe(pushed - shifted)
    while (queue.size > 0) expect(queue.shift()).toBe(shifted++)
    expect(shifted).toBe(pushed)
  })

  it('counts an undefined item', () => {
    const queue = new Queue<undefined>()
    queue.push(undefined)
    expect(queue.size).toBe(1)
    queue.shift()
    expect(queue.size).toBe(0)
  })

  it('lets go of what was taken', async () => {
    const queue = new Queue<object>()
    const held = (() => {
      const item = {}
      queue.push(item)
      queue.shift()
      return new WeakRef(item)
    })()
    // A WeakRef keeps its target for the turn in which it was made.
    await new Promise(setImmediate)
    ;(globalThis as { gc?: () => void }).gc?.()
    expect(held.deref()).toBeUndefined()
    expect(queue.size).toBe(0)
  })
})
