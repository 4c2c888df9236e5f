/** What has something to flush. */
export interface Flushable {
  flush(): void
}

let waiting: Flushable[] = []

/**
 * Flushes once the code that runs now, and all promise callbacks that it leads to, have run. What is sent until then
 * leaves together.
 */
export function flushSoon(flushable: Flushable): void {
  if (waiting.push(flushable) === 1) process.nextTick(flushAll)
}

function flushAll(): void {
  const flushing = waiting
  waiting = []
  for (const flushable of flushing) flushable.flush()
}
