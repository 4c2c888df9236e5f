export type { RelayOptions } from './remote/messages.ts'
export { relayListener } from './remote/relay-listener.ts'
