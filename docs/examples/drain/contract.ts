import { serverStreaming, service, unary } from '@qrpc/core'
import { Health } from '@qrpc/health'

const Reports = service('reports', {
  /** The pages of a report, one after the other: it takes its time. */
  render: serverStreaming<{ pages: number }, string>(),
  count: unary<string, number>(),
})

export const Node = service('node', { health: Health, reports: Reports })
