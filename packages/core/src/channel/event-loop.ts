const schedule: (callback: () => void) => unknown =
  (globalThis as { setImmediate?: (callback: () => void) => unknown }).setImmediate ??
  ((callback) => setTimeout(callback, 0))

/** Resolves when timers and I/O have had their turn, which promises alone never give them. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    schedule(resolve)
  })
}
