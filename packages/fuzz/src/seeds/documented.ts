import { readFileSync } from 'node:fs'

const page = readFileSync(new URL('../../../../docs/wire-format.md', import.meta.url), 'utf8')

/** The bytes in the tables of docs/wire-format.md of which the header has this in its last columns. */
function bytesIn(heading: RegExp, column: number): Uint8Array[] {
  const found: Uint8Array[] = []
  let inside = false
  for (const line of page.split('\n')) {
    if (!line.startsWith('|')) inside = false
    else if (heading.test(line)) inside = true
    else if (inside) {
      const cell = line.split(/(?<!\\)\|/).at(column) ?? ''
      const hex = /^ `((?:[0-9a-f]{2})+)` $/.exec(cell)?.[1]
      if (hex !== undefined) found.push(new Uint8Array(Buffer.from(hex, 'hex')))
    }
  }
  if (found.length === 0) throw new Error(`docs/wire-format.md has no table like ${heading}`)
  return found
}

/** Messages that travel, those that a receiver takes besides, and those that it refuses. */
export const MESSAGES: readonly Uint8Array[] = [
  ...bytesIn(/^\| value \| hex \|$/, -2),
  ...bytesIn(/^\| hex \| (?:value|why) \|$/, 1),
]

/** Frames on streams of their own. */
export const FRAMES: readonly Uint8Array[] = bytesIn(/^\| from \| frame \| hex \|$/, -2)

/** Frames on lanes. */
export const LANE_FRAMES: readonly Uint8Array[] = bytesIn(/^\| lane \| frame \| hex \|$/, -2)
