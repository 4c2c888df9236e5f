// The tags that travel: all others are refused before they are decoded.
// https://www.iana.org/assignments/cbor-tags/cbor-tags.xhtml

/** Seconds since 1970 (RFC 8949, section 3.4.2). */
export const TAG_DATE = 1
/** Bignums (RFC 8949, section 3.4.3). */
export const TAG_BIGNUM = 2
export const TAG_NEGATIVE_BIGNUM = 3
/** A set, as an array. */
export const TAG_SET = 258
/** A map with keys of any type. */
export const TAG_MAP = 259

// Typed arrays have the tags 0b010_f_s_e_ll (RFC 8746, section 2.1).
const FIRST_TYPED_ARRAY = 64
const LAST_TYPED_ARRAY = 86

const ELEMENT_SIZES = [
  [1, 2, 4, 8, 1, 2, 4, 8], // 64 to 71: unsigned, big endian and then little endian; 68 is clamped
  [1, 2, 4, 8, 0, 2, 4, 8], // 72 to 79: signed; 76 is reserved
  [0, 4, 8, 0, 0, 4, 8], //    80 to 86: floats; half and quadruple precision have no typed array everywhere
].flat()

/** Bytes of an element of the typed array that the tag is for; 0 where it is for none. */
export function elementSize(tag: number): number {
  if (tag < FIRST_TYPED_ARRAY || tag > LAST_TYPED_ARRAY) return 0
  return ELEMENT_SIZES[tag - FIRST_TYPED_ARRAY] as number
}
