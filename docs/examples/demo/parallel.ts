/** Works on all items, so many at a time. */
export async function parallel<T>(
  items: Iterable<T>,
  concurrency: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const shared = items[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (let next = shared.next(); !next.done; next = shared.next()) await work(next.value)
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}
