/** Copies all of `source` to `offset` of `target`. */
export function copyBytes(source: Uint8Array, target: Uint8Array, offset: number): void {
  // A loop beats a call of set for as little as most messages are.
  if (source.length > 32) target.set(source, offset)
  else for (let i = 0; i < source.length; i++) target[offset + i] = source[i] as number
}
