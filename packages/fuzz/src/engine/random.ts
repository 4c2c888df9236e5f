import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator'

/** Choices that are the same each time for the same seed. */
export class Random {
  readonly #generator: RandomGenerator

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed)
  }

  /** An integer, both bounds included. */
  between(min: number, max: number): number {
    return uniformInt(this.#generator, min, max)
  }

  /** True once in so many times. */
  oneIn(times: number): boolean {
    return this.between(1, times) === 1
  }

  pick<T>(items: readonly T[]): T {
    return items[this.between(0, items.length - 1)] as T
  }

  /** Of each scale as many: 3 is as likely to come as 300. */
  scale(max: number): number {
    return Math.min(max, this.between(0, 2 ** this.between(0, Math.ceil(Math.log2(max + 1))) - 1))
  }

  bytes(size: number): Uint8Array {
    return Uint8Array.from({ length: size }, () => this.between(0, 255))
  }
}
