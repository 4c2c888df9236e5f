import { setImmediate as nextTurn } from 'node:timers/promises'
import { leftSince, openHandles } from '@qrpc/conformance/leftovers'

// What stays of pools and caches, whatever was done: less than the windows of two connections.
const MOST_BYTES = 2 * 1024 * 1024
const TURNS = 50
const STILL_TURNS = 5

/**
 * Does the work, and tells what it has left behind: handles, rejections and exceptions that nobody listens to, and bytes
 * of buffers.
 *
 * @throws Error without `--expose-gc`: bytes that are garbage must not count.
 */
export async function leftBehind(work: () => Promise<void>): Promise<string[]> {
  const left: string[] = []
  const handles = openHandles()
  const bytes = await settledBytes()
  const onRejection = (reason: unknown): void => void left.push(`a rejection was left unhandled: ${describe(reason)}`)
  const onException = (error: unknown): void => void left.push(`an exception was left uncaught: ${describe(error)}`)
  process.on('unhandledRejection', onRejection)
  process.on('uncaughtException', onException)
  try {
    await work()
    for (const kind of await leftSince(handles)) left.push(`a handle was left open: ${kind}`)
  } finally {
    process.off('unhandledRejection', onRejection)
    process.off('uncaughtException', onException)
  }
  const more = await bytesSince(bytes)
  if (more > MOST_BYTES) left.push(`${more} bytes of buffers were left`)
  return left
}

/**
 * Bytes of buffers, once those are gone that nobody uses any more: V8 sweeps them on other threads, and what is counted
 * that goes later would hide as much that is left.
 */
async function settledBytes(): Promise<number> {
  let least = buffered()
  for (let turn = 0, still = 0; turn < TURNS && still < STILL_TURNS; turn++) {
    await nextTurn()
    const bytes = buffered()
    still = bytes < least ? 0 : still + 1
    least = Math.min(least, bytes)
  }
  return least
}

/** Bytes of buffers that there are more of than before. What is let go of in some turns is not among them. */
async function bytesSince(before: number): Promise<number> {
  let more = buffered() - before
  for (let turn = 0; turn < TURNS && more > MOST_BYTES; turn++) {
    await nextTurn()
    more = buffered() - before
  }
  return more
}

function buffered(): number {
  if (globalThis.gc === undefined) throw new Error('run Node.js with --expose-gc')
  globalThis.gc()
  return process.memoryUsage().arrayBuffers
}

function describe(thrown: unknown): string {
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
}
