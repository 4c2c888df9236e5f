const LONGEST_MS = 5000
const PAUSE_MS = 5

/** Tries until it succeeds: for what there is no event for. */
export async function retried<T>(attempt: () => Promise<T>): Promise<T> {
  for (const start = performance.now(); ; ) {
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() - start > LONGEST_MS) throw error
    }
    await pause()
  }
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
}
