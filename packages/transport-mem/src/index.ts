export { createMemoryTransport, type MemoryTransport, type MemoryTransportOptions } from './memory-transport.ts'
export type { StrictCodec } from './strict-channel.ts'
