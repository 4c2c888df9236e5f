/** How a kind of input is made of parts, so that it can be changed without losing its form. */
export interface Layout {
  /** The parts that can be told apart; `join` of them is the input again, as far as it has the form. */
  split(input: Uint8Array): Uint8Array[]
  join(parts: readonly Uint8Array[]): Uint8Array
  /** Where in a part its content begins, and of which layout that is. Default: all of it, and of none. */
  content?(part: Uint8Array): { readonly from: number; readonly layout?: Layout | undefined }
}

/** An input of which the first bytes are no part of the rest: they choose how the rest is used. */
export function behind(size: number, layout: Layout): Layout {
  return {
    split: (input) => [input.subarray(0, size), ...layout.split(input.subarray(size))],
    join: ([first = new Uint8Array(0), ...rest]) => concat([padded(first, size), layout.join(rest)]),
    content: (part) => layout.content?.(part) ?? { from: 0 },
  }
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

function padded(bytes: Uint8Array, size: number): Uint8Array {
  const whole = new Uint8Array(size)
  whole.set(bytes.subarray(0, size))
  return whole
}
