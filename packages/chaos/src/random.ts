import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator'

/** Choices that are the same each time for the same seed. */
export class Random {
  readonly #seed: number
  readonly #generator: RandomGenerator

  constructor(seed: number) {
    this.#seed = seed
    this.#generator = xoroshiro128plus(seed)
  }

  /** Other choices, which hang on the seed and the name alone: not on what was chosen before. */
  fork(name: string | number): Random {
    let seed = this.#seed ^ 0x9e3779b9
    for (const character of String(name)) seed = Math.imul(seed ^ (character.codePointAt(0) ?? 0), 0x01000193)
    return new Random(seed)
  }

  /** An integer, both bounds included. */
  between(min: number, max: number): number {
    return uniformInt(this.#generator, min, max)
  }

  /** True in that share of the cases. */
  chance(share: number): boolean {
    return this.between(0, 999_999) < share * 1_000_000
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.between(0, items.length - 1)] as T
  }

  /** Of each scale as many: 3 is as likely to come as 300. */
  scale(max: number): number {
    return Math.round(Math.exp((this.between(0, 1_000_000) / 1_000_000) * Math.log(max + 1)) - 1)
  }
}
