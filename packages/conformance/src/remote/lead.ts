// The cases on windows see none of it; without it, a transport with a window in bytes would take a minute to fill.
const STRICT_MESSAGES = 1024
const SHARE = 64
const MOST = 256

/**
 * How many messages the relay may be ahead of the kit's side of a half, after so many have passed: none for the first
 * 1,024, then a 64th of them, at most 256.
 */
export function lead(passed: number): number {
  return passed < STRICT_MESSAGES ? 0 : Math.min(MOST, Math.floor(passed / SHARE))
}
