import { RpcError } from './error.ts'

// Timers take 32 bits: a longer one would fire at once.
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Runs a callback once when its time has come, however far that is. */
export class Deadline {
  readonly #at: number
  readonly #passed: () => void
  #timer: ReturnType<typeof setTimeout> | undefined

  /** @param timeout From now, in ms. */
  constructor(timeout: number, passed: () => void) {
    this.#at = performance.now() + timeout
    this.#passed = passed
    this.#arm(timeout)
  }

  /** The time left in ms, not below 0. */
  get left(): number {
    return Math.max(0, this.#at - performance.now())
  }

  clear(): void {
    clearTimeout(this.#timer)
  }

  #arm(left: number): void {
    this.#timer =
      left > LONGEST_TIMER_MS
        ? setTimeout(() => this.#arm(this.left), LONGEST_TIMER_MS)
        : setTimeout(this.#passed, left)
  }
}

/**
 * The time a call may take in ms, out of its options; `undefined` where it is not bounded.
 *
 * @throws RpcError `invalid_argument` for a timeout or deadline that is no time.
 */
export function timeoutOf(timeout: number | undefined, deadline: Date | number | undefined): number | undefined {
  if (timeout !== undefined && !(timeout >= 0)) {
    throw new RpcError('invalid_argument', `timeout ${timeout}: give ms from now, 0 or more`)
  }
  const at = Number(deadline ?? Number.POSITIVE_INFINITY)
  if (Number.isNaN(at)) throw new RpcError('invalid_argument', 'deadline: give a Date or ms since the epoch')
  const left = Math.max(0, Math.min(timeout ?? Number.POSITIVE_INFINITY, at - Date.now()))
  return left === Number.POSITIVE_INFINITY ? undefined : left
}

/** The error of a call whose time is over. */
export function deadlineExceeded(): RpcError {
  return new RpcError('deadline_exceeded', 'the deadline of the call has passed')
}
