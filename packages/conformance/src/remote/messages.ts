import type { CloseOptions, Peer } from '@qrpc/core'
import type { SetupOptions } from '../transport.ts'
import type { PlainError } from './plain-error.ts'

/** What the function of the other process is asked to listen with. */
export interface RelayOptions<Settings = unknown> extends SetupOptions {
  /** Where a listener that is gone was reached: listen there again. `undefined` for the first one: listen anywhere. */
  readonly addresses: readonly string[] | undefined
  /** What the kit's side gave as `settings`. */
  readonly settings: Settings
}

/** A channel that the other process accepted. */
export interface AcceptedChannel {
  readonly channel: number
  readonly peer: Peer
}

/** Messages that were read from a channel, and what came behind them, if that is known. */
export interface Pulled {
  readonly messages: readonly unknown[]
  readonly ended: boolean
  readonly error: PlainError | undefined
}

/** What the released listeners left behind in their process. */
export interface Leftovers {
  /** The kinds of handles. */
  readonly handles: readonly string[]
  /** Rejections that nobody handled, as text. */
  readonly rejections: readonly string[]
}

/** What the kit's process asks the other, and what it is answered. */
export interface Questions {
  listen: { ask: { listener: number; options: RelayOptions }; answer: { addresses: readonly string[] } }
  accept: { ask: { listener: number }; answer: AcceptedChannel | undefined }
  close: { ask: { listener: number; options: CloseOptions | undefined }; answer: undefined }
  release: { ask: { listeners: readonly number[] }; answer: Leftovers }
  synchronize: { ask: object; answer: undefined }
  /** Reads one message, and more of those that are there, up to `count`. */
  pull: { ask: { channel: number; count: number }; answer: Pulled }
  started: { ask: { channel: number }; answer: undefined }
  /** `heard`: somebody waits for the answer, and learns from it when the message cannot be sent. */
  send: { ask: { channel: number; message: unknown; last: boolean; heard: boolean }; answer: undefined }
}

/** A question with the number that its answer bears. */
export type Question = {
  [Type in keyof Questions]: { readonly type: Type; readonly id: number } & Readonly<Questions[Type]['ask']>
}[keyof Questions]

/** What the kit's process tells the other, without an answer. */
export type Notice =
  | { readonly type: 'consume'; readonly listener: number }
  | { readonly type: 'observe'; readonly channel: number }
  | { readonly type: 'end'; readonly channel: number; readonly error: PlainError | undefined }
  | { readonly type: 'reset' | 'stop' | 'cancel'; readonly channel: number; readonly error: PlainError }

/** What the other process says. */
export type Report =
  | { readonly type: 'ready' }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'refusal'; readonly id: number; readonly error: PlainError }
  | { readonly type: 'channel'; readonly listener: number; readonly accepted: AcceptedChannel }
  | { readonly type: 'closed'; readonly channel: number; readonly error: PlainError | undefined }
