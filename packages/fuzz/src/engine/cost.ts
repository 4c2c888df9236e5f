import { getHeapStatistics } from 'node:v8'
import type { Budget } from './target.ts'

/** What was spent since it was made, by the whole process. */
export class Cost {
  readonly #cpu = process.cpuUsage()
  readonly #memory = usedMemory()

  /** What of the budget is exceeded by an input of so many bytes, if anything is. */
  over(budget: Budget, size: number): string | undefined {
    const { user, system } = process.cpuUsage(this.#cpu)
    const ms = (user + system) / 1000
    const mostMs = budget.cpuMs + budget.cpuMsPerByte * size
    if (ms > mostMs) return `it takes too much CPU: more than ${Math.round(mostMs)} ms`
    const most = budget.memory + budget.memoryPerByte * size
    if (usedMemory() - this.#memory > most) return `it takes too much memory: more than ${most} bytes`
    return undefined
  }
}

/** Bytes of the heap and of buffers, garbage included. */
function usedMemory(): number {
  const { used_heap_size: heap, external_memory: external } = getHeapStatistics()
  return heap + external
}
