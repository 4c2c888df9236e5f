import { expect, test } from 'vitest'
import { ATTACKS } from '../src/attacks/attacks.ts'
import { measureAttacks } from '../src/attacks/measure.ts'

// A short form of `npm run attacks`, which measures.
test('no attack has a call fail of a client that behaves', { timeout: 180_000 }, async () => {
  const measured = await measureAttacks({ durationMs: 300 })
  expect(measured).toHaveLength(ATTACKS.length + 2)
  expect(measured.filter(({ failed }) => failed > 0)).toEqual([])
  expect(measured.filter(({ calls }) => calls === 0)).toEqual([])
})
