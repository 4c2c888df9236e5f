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
  prepare(place: ProxyPlace): ProxyCommand
}
