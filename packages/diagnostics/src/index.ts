export { CallCounters, type MethodCounts } from './call-counters.ts'
export { CALL_END, CALL_START, type CallEnded, type CallStarted, callEvents, type Side } from './call-events.ts'
