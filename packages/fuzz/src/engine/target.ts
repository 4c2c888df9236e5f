import type { Layout } from './layout.ts'

/** What inputs are tried on: it throws, or rejects, for an input with which something is wrong. */
export interface Subject {
  try(input: Uint8Array): void | Promise<void>
  /** Closes it. */
  close?(): Promise<void>
}

/** What an input may cost; how much of it there is in an input is counted in bytes. */
export interface Budget {
  /** CPU time of the process, in ms. */
  readonly cpuMs: number
  /** And for each byte of the input, in ms. */
  readonly cpuMsPerByte: number
  /** Memory that is in use afterwards, with what is garbage by then, in bytes. */
  readonly memory: number
  /** And for each byte of the input, in bytes. */
  readonly memoryPerByte: number
}

/** A part of qrpc that takes bytes from a peer, as it is fuzzed. */
export interface Target {
  readonly name: string
  /** Valid inputs, from which others are made. */
  seeds(): readonly Uint8Array[] | Promise<readonly Uint8Array[]>
  /** Bytes that mean something to it. Default: none. */
  readonly tokens?: readonly Uint8Array[]
  readonly layout?: Layout
  /** Bytes that an input may have. Default: 64 KiB. */
  readonly maxSize?: number
  readonly budget: Budget
  /** After how long without a result an input counts as one that hangs, in ms. Default: 20000. */
  readonly patienceMs?: number
  /**
   * Whether inputs that get further are looked for. Default: true. Not where how far they get is mostly a matter of time: each
   * batch would be tried again, one by one.
   */
  readonly guided?: boolean
  /** How many inputs are tried at a time; one after the other where `try` gives no promise. Default: 16. */
  readonly atATime?: number
  open(): Subject | Promise<Subject>
}

/** The budget of what decodes bytes and does no more. */
export const DECODER_BUDGET: Budget = {
  cpuMs: 100,
  cpuMsPerByte: 0.02,
  memory: 8 * 1024 * 1024,
  // An empty object takes one byte on the wire; a message may weigh 32 times its bytes.
  memoryPerByte: 256,
}

/** The budget of a connection and all that is said on it, both sides and a client beside it included. */
export const CONNECTION_BUDGET: Budget = {
  cpuMs: 1000,
  cpuMsPerByte: 0.05,
  memory: 64 * 1024 * 1024,
  memoryPerByte: 512,
}
