/**
 * The status codes of a call: those of gRPC and Connect, in snake case.
 *
 * @see https://grpc.io/docs/guides/status-codes/
 */
export const CODES = [
  'cancelled',
  'unknown',
  'invalid_argument',
  'deadline_exceeded',
  'not_found',
  'already_exists',
  'permission_denied',
  'resource_exhausted',
  'failed_precondition',
  'aborted',
  'out_of_range',
  'unimplemented',
  'internal',
  'unavailable',
  'data_loss',
  'unauthenticated',
] as const

/** One of {@link CODES}. */
export type Code = (typeof CODES)[number]

const KNOWN: ReadonlySet<string> = new Set(CODES)

/** Whether `value` is one of {@link CODES}. */
export function isCode(value: unknown): value is Code {
  return typeof value === 'string' && KNOWN.has(value)
}
