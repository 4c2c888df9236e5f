/** What a fuzzing process is to do. */
export interface Work {
  /** The module that has the target. */
  readonly module: string
  readonly target: string
  readonly seed: number
  readonly ms: number
  /** Where the inputs that are being tried are kept, for the case that the process does not survive them. */
  readonly current: string
}

/** What it says now and then, and at the end. */
export interface Progress {
  readonly done: boolean
  readonly executions: number
  readonly corpus: number
  readonly covered: number
  readonly findings: readonly FoundInput[]
}

/** A finding, its input in hex. */
export interface FoundInput {
  readonly what: string
  readonly input: string
}
