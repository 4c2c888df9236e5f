import type { Handlers } from '@qrpc/core'
import { Jobs } from './contract.ts'
import type { Work } from './job.ts'
import type { JobQueue } from './queue.ts'

/** @param workOf The work for a task. */
export function jobHandlers(queue: JobQueue, workOf: (task: { upTo: number }) => Work): Handlers<typeof Jobs> {
  return {
    async *run(task, { signal }) {
      const added = queue.add(workOf(task))
      if (added === undefined) throw Jobs.run.error('Full', { waiting: queue.waiting })
      try {
        yield* added.job.watch(signal)
      } finally {
        // However the call ended: a job that is over stays as it is.
        queue.cancel(added.id)
      }
    },

    submit(task) {
      const added = queue.add(workOf(task))
      if (added === undefined) throw Jobs.submit.error('Full', { waiting: queue.waiting })
      return { id: added.id }
    },

    async *watch({ id }, { signal }) {
      const job = queue.get(id)
      if (job === undefined) throw Jobs.watch.error('NotFound', { id })
      yield* job.watch(signal)
    },

    cancel({ id }) {
      if (queue.get(id) === undefined) throw Jobs.cancel.error('NotFound', { id })
      queue.cancel(id)
    },
  }
}
