import { fileURLToPath } from 'node:url'
import { type GrpcObject, loadPackageDefinition, type ServiceClientConstructor } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'

export interface Message {
  readonly body: Uint8Array
}
export interface Order {
  readonly count: number
  readonly size: number
}
export interface Total {
  readonly bytes: number
}

const definition = loadSync(fileURLToPath(new URL('../../proto/bench.proto', import.meta.url)), { longs: Number })

/** The service of `bench.proto`, as grpc-js loads it. */
export const GrpcBench: ServiceClientConstructor = (
  loadPackageDefinition(definition).bench as GrpcObject & { Bench: ServiceClientConstructor }
).Bench

/** Clients of the same address share a connection otherwise. */
export const OWN_CONNECTION = { 'grpc.use_local_subchannel_pool': 1 }
