/** Bytes of a message that a frame on a lane holds at most when this side sends it; a larger one leaves in pieces. */
export const PIECE_SIZE: number = 16 * 1024

/** What a frame on a lane is, of the call that its tag names: a whole message, the start of one, or how that goes on. */
export const MESSAGE = 0
export const START = 1
export const PIECE = 2

const KINDS = 4

/** What a message frame on a lane begins with, as a varint: the number of its call, and what of it this is. */
export function tagOf(call: number, kind: number): number {
  return call * KINDS + kind
}

/** The number of the call. */
export function callOf(tag: number): number {
  return Math.floor(tag / KINDS)
}

/** What of it this is. */
export function kindOf(tag: number): number {
  return tag % KINDS
}
