import type { Certificates } from '../certificates.ts'
import type { ProxyCommand } from './proxy-process.ts'

/** Where a proxy listens, and what it stands before: ports of 127.0.0.1. */
interface ProxyPlace {
  readonly clear: number
  readonly tls: number
  readonly servers: readonly [number, number]
  readonly certificates: Certificates
}

/** A proxy that can be had. */
export interface ProxyKind {
  readonly name: string
  readonly command: string
  readonly versionFlag: string
  /** Whether what a client sends shares one buffer: a stream that is not read holds up the others. */
  readonly sharesUploads: boolean
  /** Whether it may stop to forward the streams of one server when another dies. */
  readonly stallsWhenServersDie: boolean
  prepare(place: ProxyPlace): ProxyCommand
}
