/** Calls one after the other. */
export async function oneByOne(count: number, call: () => Promise<unknown>): Promise<void> {
  for (let n = 0; n < count; n++) await call()
}

/** Calls with so many in flight at any time. */
export async function inFlight(count: number, calls: number, call: () => Promise<unknown>): Promise<void> {
  await Promise.all(Array.from({ length: calls }, () => oneByOne(Math.ceil(count / calls), call)))
}
