import type { ConformanceCase } from '../case.ts'
import { backpressure } from './backpressure.ts'
import { cancellation } from './cancellation.ts'
import { channels } from './channels.ts'
import { deadlines } from './deadlines.ts'
import { errors } from './errors.ts'
import { halfClose } from './half-close.ts'
import { lifecycle } from './lifecycle.ts'
import { limits } from './limits.ts'
import { patterns } from './patterns.ts'
import { values } from './values.ts'

/** All that a transport owes, by subject. */
export const conformanceCases: Readonly<Record<string, readonly ConformanceCase[]>> = {
  patterns,
  'half-close': halfClose,
  backpressure,
  cancellation,
  deadlines,
  errors,
  values,
  limits,
  lifecycle,
  channels,
}
