import { serverStreaming, service, unary } from '@qrpc/core'
import { z } from 'zod'

const Id = z.uuid()

const Status = z.discriminatedUnion('state', [
  z.object({ state: z.literal('waiting') }),
  z.object({ state: z.literal('running'), progress: z.number().min(0).max(1) }),
  z.object({ state: z.literal('done'), primes: z.number() }),
  z.object({ state: z.literal('failed') }),
  z.object({ state: z.literal('cancelled') }),
])
export type Status = z.infer<typeof Status>

const Task = z.object({ upTo: z.int().min(0).max(100_000_000) })
const NotFound = z.object({ id: Id })
const Full = { code: 'resource_exhausted', data: z.object({ waiting: z.number() }) } as const

/** Jobs that count primes, a few at a time. */
export const Jobs = service('jobs', {
  /** Runs a job that belongs to the call: leaving the call cancels it. */
  run: serverStreaming({ request: Task, response: Status, errors: { Full } }),
  /** Submits a job that belongs to nobody: it goes on when its client is gone, and is found again by its id. */
  submit: unary({ request: Task, response: z.object({ id: Id }), errors: { Full } }),
  /** What a job is doing now, and each change until it is over. Who reads slowly sees less of the progress. */
  watch: serverStreaming({ request: z.object({ id: Id }), response: Status, errors: { NotFound } }),
  /** Cancels a job, whoever watches it. One that is over stays as it is. */
  cancel: unary({ request: z.object({ id: Id }), errors: { NotFound } }),
})
