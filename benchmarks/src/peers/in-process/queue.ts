interface Item<Request, Response> {
  readonly message: Request
  readonly resolve: (response: Response) => void
  readonly reject: (error: unknown) => void
}

/** What one writes to keep two subsystems apart without a library: a queue of messages with their promises, and a loop. */
export function handWrittenQueue<Request, Response>(
  handler: (message: Request) => Promise<Response>,
): (message: Request) => Promise<Response> {
  const queue: Item<Request, Response>[] = []
  let wake: (() => void) | undefined
  const loop = async (): Promise<never> => {
    for (;;) {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
        handler(item.message).then(item.resolve, item.reject)
      }
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
  }
  void loop()
  return (message) =>
    new Promise((resolve, reject) => {
      queue.push({ message, resolve, reject })
      wake?.()
    })
}
