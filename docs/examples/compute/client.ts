import type { CallOptions, Client } from '@qrpc/core'
import type { Compute } from './contract.ts'

export type ComputeClient = Client<typeof Compute>

/** Squares all numbers in calls that run side by side, then streams the squares into one call that adds them up. */
export async function sumOfSquares(
  compute: ComputeClient,
  numbers: readonly number[],
  options?: CallOptions,
): Promise<number> {
  const squares = await Promise.all(numbers.map((n) => compute.sqr(n, options)))
  return compute.sum(undefined, squares, options)
}

/** The Fibonacci numbers below a limit. */
export async function fibonacciBelow(compute: ComputeClient, limit: number, options?: CallOptions): Promise<number[]> {
  const numbers: number[] = []
  for await (const n of compute.fibonacci(Number.MAX_SAFE_INTEGER, options)) {
    // Leaving the loop cancels the call: the server computes no further than the window that it may run ahead.
    if (n >= limit) break
    numbers.push(n)
  }
  return numbers
}

/** All numbers times a factor: updates go out and products come in at the same time. */
export async function multiplyAll(
  compute: ComputeClient,
  factor: number,
  numbers: Iterable<number>,
  options?: CallOptions,
): Promise<number[]> {
  const products: number[] = []
  for await (const product of compute.multiply(factor, numbers, options)) products.push(product)
  return products
}

/** `factor` to the powers 1 to `count`: a dialogue, in which each answer makes the next question. */
export async function powers(
  compute: ComputeClient,
  factor: number,
  count: number,
  options?: CallOptions,
): Promise<number[]> {
  // Whichever way this function is left, the call does not outlive it.
  using call = compute.multiply(factor, options)
  const results: number[] = []
  for (let power: number | undefined = 1; results.length < count; results.push(power)) {
    await call.send(power)
    power = await call.receive()
    if (power === undefined) break
  }
  call.end()
  return results
}
