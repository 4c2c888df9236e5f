import { concat, type Layout } from './layout.ts'
import type { Random } from './random.ts'

/** What an input is changed with. */
export interface Material {
  readonly random: Random
  /** Bytes that mean something to who reads them. */
  readonly tokens: readonly Uint8Array[]
  /** The form of the inputs. Default: none. */
  readonly layout?: Layout | undefined
  /** Bytes that an input may have. */
  readonly maxSize: number
  /** Another input, to take parts from. */
  readonly other: () => Uint8Array
}

type Change = (input: Uint8Array, material: Material) => Uint8Array

/** Where heads, lengths and signs change their meaning. */
const TURNING_POINTS = [0, 1, 0x17, 0x18, 0x1b, 0x1f, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xf6, 0xf7, 0xfe, 0xff]
const MOST_CHANGES_LOG2 = 3
const LONGEST_INSERT = 16
const MOST_REPEATS = 4096

/** The input with some changes. */
export function mutate(input: Uint8Array, material: Material): Uint8Array {
  const { random, layout, maxSize } = material
  let changed = input
  for (let left = 2 ** random.between(0, MOST_CHANGES_LOG2); left > 0; left--) {
    changed =
      layout !== undefined && random.oneIn(2) ? mutateParts(changed, layout, material) : change(changed, material)
    if (changed.length > maxSize) changed = changed.subarray(0, maxSize)
  }
  return changed
}

function change(input: Uint8Array, material: Material): Uint8Array {
  return material.random.pick(CHANGES)(input, material)
}

function mutateParts(input: Uint8Array, layout: Layout, material: Material): Uint8Array {
  const { random, other } = material
  const parts = layout.split(input)
  if (parts.length === 0) return change(input, material)
  const at = random.between(0, parts.length - 1)
  const part = parts[at] as Uint8Array
  switch (random.between(0, 6)) {
    case 0:
      parts.splice(at, 1)
      break
    case 1:
      parts.splice(at, 0, part)
      break
    case 2:
      parts.splice(random.between(0, parts.length), 0, ...parts.splice(at, 1))
      break
    case 3: {
      const others = layout.split(other())
      if (others.length > 0) parts.splice(at, random.between(0, 1), random.pick(others))
      break
    }
    case 4:
      // The form stays, and what identifies the part changes.
      parts[at] = change(part, material)
      break
    default: {
      const { from, layout: inner } = layout.content?.(part) ?? { from: 0 }
      const content = mutate(part.subarray(from), { ...material, layout: inner, maxSize: material.maxSize - from })
      parts[at] = concat([part.subarray(0, from), content])
    }
  }
  return layout.join(parts)
}

/** With `bytes` in place of so many at a random place. */
function replaced(input: Uint8Array, random: Random, removed: number, bytes: Uint8Array): Uint8Array {
  const at = random.between(0, Math.max(0, input.length - removed))
  return concat([input.subarray(0, at), bytes, input.subarray(at + removed)])
}

function withByte(input: Uint8Array, random: Random, next: (byte: number) => number): Uint8Array {
  if (input.length === 0) return Uint8Array.of(next(0))
  const changed = input.slice()
  const at = random.between(0, input.length - 1)
  changed[at] = next(changed[at] as number)
  return changed
}

/** Some of its bytes, in one piece. */
function piece(input: Uint8Array, random: Random): Uint8Array {
  const from = random.between(0, input.length)
  return input.subarray(from, from + random.scale(input.length - from))
}

const CHANGES: readonly Change[] = [
  (input, { random }) => withByte(input, random, (byte) => byte ^ (1 << random.between(0, 7))),
  (input, { random }) => withByte(input, random, () => random.between(0, 255)),
  (input, { random }) => withByte(input, random, () => random.pick(TURNING_POINTS)),
  (input, { random }) => withByte(input, random, (byte) => byte + random.between(-8, 8)),
  (input, { random }) => replaced(input, random, 0, random.bytes(random.between(1, LONGEST_INSERT))),
  (input, { random }) => replaced(input, random, random.scale(input.length), new Uint8Array(0)),
  (input, { random }) => input.subarray(0, random.between(0, input.length)),
  (input, { random }) => replaced(input, random, 0, piece(input, random)),
  (input, { random, tokens }) => (tokens.length === 0 ? input : replaced(input, random, 0, random.pick(tokens))),
  (input, { random, tokens }) => {
    if (tokens.length === 0) return input
    const token = random.pick(tokens)
    return replaced(input, random, Math.min(token.length, input.length), token)
  },
  (input, { random, other }) => replaced(input, random, random.scale(input.length), piece(other(), random)),
  (input, { other }) => concat([input, other()]),
  // What costs much in proportion does so only where there is much of it.
  (input, { random, maxSize }) => {
    const unit = piece(input, random)
    if (unit.length === 0 || !random.oneIn(8)) return input
    const times = Math.min(random.scale(MOST_REPEATS), Math.floor((maxSize - input.length) / unit.length))
    return times <= 0 ? input : replaced(input, random, 0, concat(new Array<Uint8Array>(times).fill(unit)))
  },
]
