import { expect, test } from 'vitest'
import { chaos, cuts, killedClients } from '../src/chaos.ts'
import { SITES } from '../src/site.ts'
import { NETWORK_TRANSPORTS } from '../src/transports.ts'

// A short form of `npm run test:chaos`, which has any seed, takes longer, and says how to replay what it finds.
const seed = 1
const times = { leastBetweenMs: 0, betweenMs: 300, blackholeMs: 300, awayMs: 50, graceMs: 100 }

test('connections cut before, inside and behind every step of the protocol', { timeout: 120_000 }, async () => {
  const done: string[] = []
  const onTransport = (transport: string, report: { cuts: number }): void => {
    // Two directions and three places a step.
    if (report.cuts >= 60) done.push(transport)
  }
  expect(await cuts({ seed, transports: NETWORK_TRANSPORTS, shares: [0, 0.5, 1], onTransport })).toEqual([])
  expect(done.toSorted()).toEqual([...NETWORK_TRANSPORTS].toSorted())
})

test('clients whose processes are killed in the middle of calls', { timeout: 120_000 }, async () => {
  expect(await killedClients({ seed, transports: NETWORK_TRANSPORTS, kills: 1 })).toEqual([])
})

test('random calls over every transport and policy while all kinds of things go wrong', {
  timeout: 120_000,
}, async () => {
  const idle: string[] = []
  const wrongs = await chaos({
    seed,
    sites: SITES,
    atATime: 5,
    callers: 12,
    faults: 8,
    times,
    onRound: ({ name }, { outcomes }) => {
      if ((outcomes.get('success') ?? 0) === 0) idle.push(name)
    },
  })
  expect(wrongs).toEqual([])
  expect(idle).toEqual([])
})
