import { combinedParts } from '../combined/parts.ts'
import { callOptions } from './call-options.ts'
import { codecParts } from './codec.ts'
import type { Part } from './measure.ts'

/** What the parts of qrpc cost, by the name that `--workload` takes. */
export const parts: Readonly<Record<string, () => Part>> = {
  'call-options': callOptions,
  ...codecParts,
  ...combinedParts,
}
