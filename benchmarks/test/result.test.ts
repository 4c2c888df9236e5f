import { expect, test } from 'vitest'
import { casesOfFloors, isFarBelow, standings } from '../src/floors.ts'
import { plan } from '../src/plan.ts'
import { type Measured, median, type Result, ratio, summary, withRatios } from '../src/run/result.ts'

const ALL = { transports: [], workloads: [], peers: [], network: false }

function measured(peer: string, rounds: readonly number[], workload = 'sequential'): Measured {
  return { workload, title: workload, peer, baseline: 'raw-http2', ...summary('calls/s', rounds) }
}

test('the median of an even number is between the two in the middle', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(median([3, 1, 2])).toBe(2)
})

test('a ratio is taken round by round, so that drift of the machine cancels out', () => {
  // Twice as fast in each round, on a machine that slows down to a quarter.
  expect(ratio(measured('a', [800, 400, 200]), measured('b', [400, 200, 100]))).toBe(2)
})

test('results get their ratio to the baseline among them', () => {
  const failed: Result = { workload: 'w', title: 'w', peer: 'x', baseline: 'raw-http2', failed: 'no end' }
  const [first, second, third] = withRatios([measured('raw-http2', [10, 20]), measured('a', [5, 10]), failed])
  expect([first, second].map((result) => (result as Measured).ratio)).toEqual([1, 0.5])
  expect(third).toEqual(failed)
})

test('a floor stands by the ratio of its two peers, and has none when one of them failed', () => {
  const failed: Result = { workload: 'sequential', title: '', peer: 'grpc-js', baseline: 'raw-http2', failed: 'x' }
  const found = standings([measured('raw-http2', [100]), measured('qrpc-http2-streams', [80]), failed])
  expect(found.map(({ versus, ratio: reached }) => [versus, reached])).toEqual([
    ['raw-http2', 0.8],
    ['grpc-js', undefined],
  ])
  expect(found.map((standing) => isFarBelow(standing, 0.7))).toEqual([false, true])
  expect(
    standings([measured('raw-http2', [100]), measured('qrpc-http2-streams', [60])]).map((s) => isFarBelow(s, 0.7)),
  ).toEqual([true])
})

test('a floor that is known to be out of reach holds what was reached', () => {
  const found = standings([
    measured('qrpc-http2-tls-streams', [100], 'parallel-64'),
    measured('qrpc-quic-streams', [100], 'parallel-64'),
  ])
  expect(found.map(({ atLeast, byNow, ratio: reached }) => [atLeast, byNow, reached])).toEqual([[2, 0.9, 1]])
  expect(found.map((standing) => isFarBelow(standing, 0.7))).toEqual([false])
  expect(found.map((standing) => isFarBelow({ ...standing, ratio: 0.6 }, 0.7))).toEqual([true])
})

test('the short run has the peers of the floors and no others', () => {
  const cases = casesOfFloors(plan(ALL))
  const sequential = cases.filter(({ workload }) => workload === 'sequential').map(({ peers }) => [...peers].sort())
  expect(sequential).toEqual([
    ['hand-written-queue', 'qrpc-mem'],
    [
      'grpc-js',
      'matrixai-quic',
      'qrpc-combined',
      'qrpc-http2',
      'qrpc-http2-streams',
      'qrpc-http2-tls-streams',
      'qrpc-quic-streams',
      'raw-http2',
    ],
  ])
  expect(cases.map(({ kind }) => kind)).not.toContain('part')
})

test('a selection leaves out what was not asked for', () => {
  expect(plan({ ...ALL, transports: ['tcp'], workloads: ['upload', 'open-streams'] })).toEqual([
    { kind: 'rate', workload: 'upload', peers: ['raw-tcp'] },
    { kind: 'population', workload: 'open-streams', peers: ['raw-tcp'] },
  ])
  const onNetwork = plan({ ...ALL, network: true, workloads: ['download'], peers: ['qrpc-quic'] })
  expect(onNetwork.map(({ conditions }) => conditions?.roundTripMs)).toEqual([
    undefined,
    1,
    1,
    1,
    20,
    20,
    20,
    100,
    100,
    100,
  ])
})
