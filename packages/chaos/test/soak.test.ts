import { describe, expect, test } from 'vitest'
import { soakChart } from '../src/soak/chart.ts'
import { growths, type Sample, Sampler } from '../src/soak/samples.ts'

const FLAT: Sample = { at: 0, rss: 200, heap: 30, handles: 100, p50: 2, p99: 100, calls: 500 }

function samples(count: number, change: (n: number) => Partial<Sample>): Sample[] {
  return Array.from({ length: count }, (_, n) => ({ ...FLAT, at: n * 5, ...change(n) }))
}

describe('a soak', () => {
  test('is content with what is flat, but for the start and some peaks', () => {
    expect(growths(samples(100, (n) => (n < 20 ? { rss: 100, heap: 10 } : {})))).toEqual([])
    expect(growths(samples(100, (n) => (n % 9 === 0 ? { rss: 900, handles: 900, p99: 3000 } : {})))).toEqual([])
  })

  test.each<keyof Sample>(['rss', 'heap', 'handles', 'p99'])('finds that %s grows', (key) => {
    const growing = samples(100, (n) => ({ [key]: FLAT[key] + 10 * n }))
    expect(growths(growing)).toEqual([expect.stringContaining(`${key} has grown from`)])
  })

  test('does not judge by a few samples', () => {
    expect(growths(samples(4, () => ({})))).toEqual(['there are too few samples to tell'])
  })

  test('samples the process, and the latencies since the last sample', () => {
    const sampler = new Sampler()
    for (let ms = 1; ms <= 200; ms++) sampler.onCall(ms)
    sampler.onCall(undefined)
    expect(sampler.sample()).toMatchObject({ p50: 101, p99: 199, calls: 201 })
    expect(sampler.sample()).toMatchObject({ p50: 0, p99: 0, calls: 0 })
    expect(sampler.samples.every(({ rss, heap }) => rss > heap && heap > 1)).toBe(true)
  })

  test('is drawn with all its lines', () => {
    const svg = soakChart(
      'Ten minutes',
      'as they were',
      samples(100, (n) => ({ rss: 200 + (n % 7) })),
    )
    expect(svg).toMatch(/^<svg.*<title>Ten minutes<\/title>/)
    for (const text of ['as they were', 'of the process', 'of objects in use', 'open handles', 'median', '8 min']) {
      expect(svg).toContain(text)
    }
  })
})
