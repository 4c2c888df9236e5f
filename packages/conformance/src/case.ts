import type { CaseBed } from './bed.ts'
import type { Capabilities, SetupOptions } from './transport.ts'

/** One behaviour that a transport owes. */
export interface ConformanceCase {
  /** What is owed, as a sentence. */
  readonly name: string
  /** What the case asks of the transport's setup. */
  readonly setup?: SetupOptions
  /** Without this capability the case does not apply. */
  readonly needs?: keyof Capabilities
  /** Throws where the behaviour is missing. */
  run(bed: CaseBed): Promise<void>
}
