import { afterEach, describe, expect, test, vi } from 'vitest'
import { RetryTokens } from '../src/endpoint/retry-token.ts'

const ORIGINAL = new Uint8Array(20).fill(1)
const ID = new Uint8Array(20).fill(2)
const ADDRESS = '127.0.0.1:4433'

afterEach(() => {
  vi.useRealTimers()
})

describe('a Retry token', () => {
  test('gives the original connection id to the address and id that it was made for', () => {
    const tokens = new RetryTokens()
    expect(tokens.check(tokens.mint(ADDRESS, ORIGINAL, ID), ADDRESS, ID)).toEqual(ORIGINAL)
  })

  test('holds for no other address, id or listener', () => {
    const tokens = new RetryTokens()
    const token = tokens.mint(ADDRESS, ORIGINAL, ID)
    expect(tokens.check(token, '127.0.0.1:4434', ID)).toBeUndefined()
    expect(tokens.check(token, '127.0.0.2:4433', ID)).toBeUndefined()
    expect(tokens.check(token, ADDRESS, ORIGINAL)).toBeUndefined()
    expect(new RetryTokens().check(token, ADDRESS, ID)).toBeUndefined()
  })

  test('holds for ten seconds', () => {
    vi.useFakeTimers()
    const tokens = new RetryTokens()
    const token = tokens.mint(ADDRESS, ORIGINAL, ID)
    vi.advanceTimersByTime(10_000)
    expect(tokens.check(token, ADDRESS, ID)).toEqual(ORIGINAL)
    vi.advanceTimersByTime(1)
    expect(tokens.check(token, ADDRESS, ID)).toBeUndefined()
  })

  test('that was changed anywhere, or cut short, holds no longer', () => {
    const tokens = new RetryTokens()
    const token = tokens.mint(ADDRESS, ORIGINAL, ID)
    for (let at = 0; at < token.length; at++) {
      const changed = token.slice()
      changed[at] = (changed[at] as number) ^ 1
      expect(tokens.check(changed, ADDRESS, ID)).toBeUndefined()
      expect(tokens.check(token.slice(0, at), ADDRESS, ID)).toBeUndefined()
    }
  })
})
