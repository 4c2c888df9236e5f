import { type Code, RpcError } from '@qrpc/core'

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/
const LONGEST_KEY = 40
const LONGEST_PATH = 200

/** Why a value does not travel, and the way to it, which fills up from its end while the check returns. */
export class Refusal {
  readonly code: Code
  readonly reason: string
  readonly #cause: unknown
  readonly #steps: string[] = []
  readonly #containers: object[] = []

  constructor(reason: string, code: Code = 'invalid_argument', cause?: unknown) {
    this.reason = reason
    this.code = code
    this.#cause = cause
  }

  /** What was thrown while the value was read: by a getter, a proxy. */
  static thrown(cause: unknown): Refusal {
    return new Refusal('cannot be read: it throws', 'invalid_argument', cause)
  }

  /** The refused value is a container, which may be one of those that it lies in. */
  at(container: object): this {
    this.#containers.push(container)
    return this
  }

  /** The refused value lies in `container`, and `step` leads there. */
  within(container: object, step: string): this {
    this.#steps.push(step)
    this.#containers.push(container)
    return this
  }

  /** @param name What the whole value is called. */
  toError(name: string): RpcError {
    const containers = this.#containers.toReversed()
    const steps = this.#steps.toReversed()
    // A circle is found by its depth, so that others need no memory of where they have been.
    const again = containers.findIndex((container, i) => containers.indexOf(container) < i)
    if (again > 0) {
      const target = path(name, steps.slice(0, containers.indexOf(containers[again] as object)))
      return new RpcError(
        this.code,
        `${path(name, steps.slice(0, again))} refers back to ${target}: circles cannot be sent`,
      )
    }
    const options = this.#cause === undefined ? undefined : { cause: this.#cause }
    return new RpcError(this.code, `${path(name, steps)} ${this.reason}`, options)
  }
}

function path(name: string, steps: readonly string[]): string {
  const whole = name + steps.join('')
  return whole.length <= LONGEST_PATH ? whole : `${whole.slice(0, LONGEST_PATH)}...`
}

/** The step to a property. */
export function propertyStep(key: string): string {
  return IDENTIFIER.test(key) && key.length <= LONGEST_KEY ? `.${key}` : `[${quote(key)}]`
}

/** The step to the value of a `Map`'s key. */
export function mapStep(key: unknown): string {
  if (typeof key === 'string') return `.get(${quote(key)})`
  return typeof key === 'object' && key !== null ? '.get(...)' : `.get(${String(key)})`
}

function quote(text: string): string {
  return JSON.stringify(text.length <= LONGEST_KEY ? text : `${text.slice(0, LONGEST_KEY)}...`)
}
