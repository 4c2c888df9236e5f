const LONGEST_MS = 30_000

/** The input without what is not needed for `isWrong` to hold, as far as so many tries get. */
export async function shrink(
  input: Uint8Array,
  isWrong: (input: Uint8Array) => Promise<boolean>,
  tries = 300,
): Promise<Uint8Array> {
  let smallest = input
  let left = tries
  const end = performance.now() + LONGEST_MS
  for (let size = smallest.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at + size <= smallest.length && left > 0 && performance.now() < end; ) {
      const less = new Uint8Array(Buffer.concat([smallest.subarray(0, at), smallest.subarray(at + size)]))
      left--
      if (await isWrong(less)) smallest = less
      else at += size
    }
  }
  return smallest
}
